import ArgumentParser
import DurableIO
import Reports

/// `reports show`
struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows all that is known of a report, the crash in it, and what happens next.",
        discussion: """
            Of a crash it shows the cause, the stack of the thread that crashed (at most 20 frames; the program's own \
            code has a * before it), and the build ids.

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
        let crash = try inspector.diagnosis(of: id)?.crash
        if global.json {
            if let crash { object["crash"] = .object(CrashDescription.json(crash)) }
            return Console.print(object)
        }
        let gate = try inspector.gate(ofReport: id)
        for line in ReportDescription.lines(view, object, gate, crash) { Console.print(Printable.text(line)) }
    }
}
