import ArgumentParser
import DurableIO
import Reports

/// `reports list`
struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists reports, the newest first.",
        usage: "reports list [<options>]",
        discussion: """
            Drops that have not been taken come first, with the reason when they never will be. Of several options all \
            must hold. With --group, reports of one signature are one line: how many there are (COUNT), how often they \
            were seen, and the summary of the newest; reports without a signature are one line for each kind.

            Example:
              reports list --state rejected --state exhausted --limit 20
              reports list --since 7d --annotation service=shop
              reports list --group --undelivered
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

    // Whatever stands behind these options is their value: -1 is a wrong number, not an option.
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Only reports collected since then.",
            discussion: "A time (2026-11-28T06:00, in UTC unless it says otherwise), a date, @SECONDS since 1970, or "
                + "how long ago: 90s, 15m, 26h, 7d.", valueName: "time"))
    var since: String?

    @Option(
        name: .long, parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Only reports with this annotation, as key=value; may be repeated.", valueName: "key=value"))
    var annotation: [String] = []

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Only reports of this signature: 16 hexadecimal digits, or the first 6 or more.", valueName: "signature"))
    var signature: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Only reports that go, or went, to this destination.",
            discussion: "If destinations have no names, reports go to main.", valueName: "name"),
        completion: ReportCompletion.destinations)
    var destination: String?

    @Flag(name: .long, help: "Only reports whose bytes are in the spool, whether they wait or were rejected.")
    var undelivered = false

    @Flag(name: .long, help: "List one line a signature instead of one a report.")
    var group = false

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("List at most this many.", valueName: "n"))
    var limit: Int?

    func validate() throws { _ = try selection() }

    func run() async throws {
        Console.endsWithItsReader = true
        guard let spool = try global.openExisting() else {
            try global.hintAtMachineSpool(for: "list")
            return tellThereIsNone()
        }
        let inspector = try SpoolInspector(spool: spool)
        if let problem = inspector.ledgerProblem { Console.complain(problem) }
        for problem in inspector.roomProblems() { Console.complain("\(problem.room): \(problem.message)") }
        let selection = try selection()
        if group {
            try print { try inspector.forEachGroup(selection, $0) }
        } else {
            try print { try inspector.forEachReport(selection, $0) }
        }
    }

    private func print<Row: TableRow>(_ visit: ((Row) -> Void) throws -> Void) throws {
        guard !global.json else { return try visit { Console.print($0.json) } }
        var table = StreamedTable<Row> { Console.print($0) }
        // What was found before an error is shown before it.
        let result = Result { try visit { table.add($0) } }
        let isEmpty = !table.finish()
        try result.get()
        if isEmpty { tellThereIsNone() }
    }

    private func tellThereIsNone() {
        if !global.json { Console.print("no reports") }
    }
}

extension List {
    /// What the options ask for.
    /// - Throws: `ValidationError` for a value that is none, with what is expected.
    private func selection() throws -> SpoolInspector.Selection {
        for word in state where !SpoolStatus.stateNames.contains(word) {
            throw ValidationError(
                "--state \(word): states are \(SpoolStatus.stateNames.joined(separator: ", ")).")
        }
        if let limit, limit < 1 { throw ValidationError("--limit \(limit): give a number from 1.") }
        return SpoolInspector.Selection(
            states: state.isEmpty ? nil : Set(state), kind: kind?.rawValue, signature: try signatureDigits(),
            destination: try destinationName(), since: try sinceMilliseconds(),
            annotations: try annotation.map(annotationTest), isUndelivered: undelivered, limit: limit)
    }

    private func sinceMilliseconds() throws -> Int64? {
        guard let since else { return nil }
        if let time = Moment.milliseconds(since) { return time }
        if let length = TimeSpan.milliseconds(since) { return LinuxClock().wallMilliseconds - length }
        throw ValidationError(
            "--since \(Printable.text(since)): give \(Moment.expectation); or how long ago, \(TimeSpan.expectation).")
    }

    private func destinationName() throws -> String? {
        guard let destination else { return nil }
        guard Routing.isName(destination) else {
            throw ValidationError("--destination \(Printable.text(destination)): give 1 to 32 of a-z, 0-9 and -.")
        }
        return destination
    }

    private func signatureDigits() throws -> String? {
        guard let signature else { return nil }
        let digits = signature.lowercased()
        guard (6...ReportProperties.signatureLength).contains(digits.utf8.count),
            digits.utf8.allSatisfy(\.isLowerHexDigit)
        else {
            throw ValidationError(
                "--signature \(Printable.text(signature)): give its 16 digits 0-9 a-f, or the first 6 or more.")
        }
        return digits
    }

    private func annotationTest(_ pair: String) throws -> AnnotationTest {
        guard let mark = pair.firstIndex(of: "="), mark != pair.startIndex else {
            throw ValidationError("--annotation \(Printable.text(pair)): write key=value.")
        }
        let (key, value) = (String(pair[..<mark]), String(pair[pair.index(after: mark)...]))
        do throws(ReportsError) {
            try Annotations.validate([key: value])
        } catch {
            throw ValidationError("--annotation \(Printable.text(pair)): \(error.message).")
        }
        return AnnotationTest(key: key, value: value)
    }
}
