import ArgumentParser
import DurableIO
import Reports

/// `reports status`
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows counts by state and destination, the state of each server, what is due, and the settings.",
        discussion: """
            If there are several destinations, or one has a name, each has lines of its own.

            Settings are shown as a submit without options would find them, with where each comes from; --json has the \
            defaults as well.

            Example:
              reports status --spool /var/spool/shop
            """)

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        Console.endsWithItsReader = true
        var settings = Result { try global.settings() }
        let status: SpoolStatus
        if let spool = try global.openExisting((try? settings.get()) ?? Settings()) {
            let names = (try? settings.get())?.destinationNames
            status = try SpoolInspector(spool: spool).status(destinations: names)
            let size = try spool.files.space(on: spool.root).total
            settings = settings.map { settings in
                var settings = settings
                settings.fileSystemByteCount = size
                return settings
            }.learningFacts(of: spool)
        } else {
            status = .empty
            settings = settings.learningFacts(of: nil)
            try global.hintAtMachineSpool(for: "status")
        }
        let path = try global.path().string
        if let problem = status.ledgerProblem { Console.complain(problem) }
        if case .success(let settings) = settings {
            for line in SettingsDescription.hints(settings) { Console.complain(line) }
        }
        if global.json {
            var object = status.json(spool: path)
            SettingsDescription.add(settings, to: &object)
            Console.print(object)
        } else {
            for line in StatusDescription.lines(status, path) { Console.print(Printable.text(line)) }
            for line in SettingsDescription.lines(settings) { Console.print(Printable.text(line)) }
        }
        if case .failure(let error as ReportsError) = settings {
            Console.complain(error.message)
            ExitStatus.leave(ExitStatus.of(error))
        }
    }
}
