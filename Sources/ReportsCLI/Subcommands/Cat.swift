import ArgumentParser
import DurableIO
import Reports

/// `reports cat`
struct Cat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat",
        abstract: "Prints a report's payload as it was dropped.",
        discussion: """
            On a terminal, control characters are left out; into a file or a pipe the bytes are exact.

            Example:
              reports cat 5e1f16dde35d > core
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(
        help: ArgumentHelp("An id, or a unique prefix of 6 or more digits.", valueName: "id"),
        completion: ReportCompletion.stored)
    var id: String

    func run() async throws {
        Console.endsWithItsReader = true
        guard let spool = try global.openExisting() else {
            throw ReportsError(.noSuchReport, "there is no report \(Printable.text(id)): there is no spool")
        }
        let inspector = try SpoolInspector(spool: spool)
        let id = try inspector.resolve(id)
        var filter = TerminalFilter()
        try inspector.writePayload(of: id) { bytes in
            guard Console.isTerminal else { return Console.write(bytes) }
            Console.write(filter.plain(bytes))
        }
        Console.write(filter.rest)
    }
}
