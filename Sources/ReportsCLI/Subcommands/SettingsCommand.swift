import ArgumentParser
import DurableIO
import Reports
import SystemPackage

/// `reports settings`
struct SettingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings",
        abstract: "Shows each setting in force, and where it comes from.",
        usage: "reports settings [<options of submit>]",
        discussion: """
            The options of submit are taken, too, to see what they would mean; nothing is sent. Secrets are masked. \
            Of values in several places the option counts, else the variable, else the spool's reports.json, else \
            /etc/reports/reports.json, else the default.

            Example:
              reports settings --spool /var/spool/shop
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var sending: SendingOptions

    func run() async throws {
        Console.endsWithItsReader = true
        // Before root becomes somebody else.
        let spool = try Settings.Shown(spool: global.location(), standard: SpoolLocation(defaultIn: .init()))
        var settings = try global.settings(sending)
        settings.learnFacts(of: try global.openExisting())
        settings.fileSystemByteCount = try fileSystemByteCount(at: global.path())
        for line in SettingsDescription.notes(settings) { Console.complain(line) }
        let shown = [spool] + settings.shown
        if global.json {
            for one in shown { Console.print(SettingsDescription.json(one)) }
        } else {
            for line in SettingsDescription.table(shown) { Console.print(Printable.text(line)) }
        }
    }

    /// Of the file system that the spool lies on, or will lie on once it is made.
    private func fileSystemByteCount(at path: FilePath) -> UInt64? {
        let files = POSIXFileSystem()
        var path = path
        while true {
            if let directory = try? files.openDirectory(path.isEmpty ? "." : path) {
                return try? files.space(on: directory).total
            }
            guard path.removeLastComponent() else { return nil }
        }
    }
}
