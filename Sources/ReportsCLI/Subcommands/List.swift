import ArgumentParser
import Reports

/// `reports list`
struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists reports, the newest first.",
        discussion: """
            Drops that have not been taken come first, with the reason when they never will be.

            Example:
              reports list --state rejected --state exhausted --limit 20
            """)

    @OptionGroup var global: GlobalOptions

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Only reports in this state; may be repeated.",
            discussion: "One of \(SpoolStatus.stateNames.joined(separator: ", ")).", valueName: "state"),
        completion: .list(SpoolStatus.stateNames))
    var state: [String] = []

    @Option(name: .long, help: ArgumentHelp("Only reports of this kind.", valueName: "kind"))
    var kind: ReportKind?

    // Whatever stands behind it is its value: -1 is a wrong number, not an option.
    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("List at most this many.", valueName: "n"))
    var limit: Int?

    func validate() throws {
        for word in state where !SpoolStatus.stateNames.contains(word) {
            throw ValidationError(
                "--state \(word): states are \(SpoolStatus.stateNames.joined(separator: ", ")).")
        }
        if let limit, limit < 1 { throw ValidationError("--limit \(limit): give a number from 1.") }
    }

    func run() async throws {
        Console.endsWithItsReader = true
        guard let spool = try global.openExisting() else {
            try global.hintAtMachineSpool(for: "list")
            return tellThereIsNone()
        }
        let inspector = try SpoolInspector(spool: spool)
        if let problem = inspector.ledgerProblem { Console.complain(problem) }
        for problem in inspector.roomProblems() { Console.complain("\(problem.room): \(problem.message)") }
        let selection = SpoolInspector.Selection(
            states: state.isEmpty ? nil : Set(state), kind: kind?.rawValue, limit: limit)
        var isFirst = true
        try inspector.forEachReport(selection) { view in
            defer { isFirst = false }
            if global.json { return Console.print(view.json) }
            if isFirst { Console.print(ReportTable.header) }
            Console.print(ReportTable.line(view))
        }
        if isFirst { tellThereIsNone() }
    }

    private func tellThereIsNone() {
        if !global.json { Console.print("no reports") }
    }
}
