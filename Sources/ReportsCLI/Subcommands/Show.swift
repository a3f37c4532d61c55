import ArgumentParser
import DurableIO
import Reports

/// `reports show`
struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows all that is known of a report, and what happens next.",
        discussion: """
            Example:
              reports show 5e1f16dde35d
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(
        help: ArgumentHelp("An id, or a unique prefix of 6 or more digits.", valueName: "id"),
        completion: ReportCompletion.known)
    var id: String

    func run() async throws {
        Console.endsWithItsReader = true
        guard let spool = try global.openExisting() else {
            throw ReportsError(.noSuchReport, "there is no report \(Printable.text(id)): there is no spool")
        }
        let inspector = try SpoolInspector(spool: spool)
        if let problem = inspector.ledgerProblem { Console.complain(problem) }
        let id = try inspector.resolve(id)
        let view = try inspector.report(id)
        var object = view.json
        for member in try inspector.details(id).members { object[member.key] = member.value }
        if global.json { return Console.print(object) }
        for line in ReportDescription.lines(view, object) { Console.print(Printable.text(line)) }
    }
}
