import DurableIO
import Reports

/// What `submit` prints at its end: what became of the reports, and why some still wait.
struct SubmissionTelling {
    let spool: ReportSpool
    let isJSON: Bool
    /// The destinations of this run, each with the server to which it leads, as `status` names it.
    let destinations: [(name: String, origin: String)]

    func tell(_ summary: SubmissionSummary) {
        Console.endProgress()
        for repair in summary.repairs { Console.complain(repair) }
        if summary.lost > 0 {
            Console.complain(
                "\(summary.lost) reports are gone: their files are not in the spool any more; "
                    + "'reports list --state removed' names them")
        }
        if isJSON { return Console.print(summary.json) }
        // What a route holds waits for nothing.
        let isLeft = summary.waiting > 0 || summary.held > summary.heldByRoute
        var parts = ["delivered \(summary.delivered)"]
        for (name, count) in [
            ("waiting", summary.waiting), ("held", summary.held), ("rejected", summary.rejected),
            ("exhausted", summary.exhausted), ("evicted", summary.evicted), ("duplicates", summary.duplicates),
            ("skipped", summary.skipped),
        ] where count > 0 {
            parts.append("\(name) \(count)" + (name == "held" ? unsent(of: summary) : ""))
        }
        Console.print(parts.joined(separator: ", "))
        if summary.evicted > summary.braked {
            Console.print("evicted to keep the spool's limits: 'reports list --state evicted' names the limit of each")
        }
        if summary.braked > 0 { tellBraked(summary.braked) }
        if summary.isOwnedElsewhere {
            Console.print("another process\(LockHolder.words(summary.owner)) is at work on this spool")
        } else if summary.owner != nil, isLeft {
            Console.print("another process\(LockHolder.words(summary.owner)) owns this spool and did what was due")
        }
        if let next = summary.nextAttemptMilliseconds {
            Console.print("next attempt: \(RFC3339.string(milliseconds: next))")
        }
        if isLeft {
            let closed = tellTrouble()
            tellRefused(besides: closed)
        }
        if summary.waiting > 0 { tellSlowReports() }
    }

    /// How many of the held reports nobody sends: by a route, or because their destination does not take them.
    private func unsent(of summary: SubmissionSummary) -> String {
        guard summary.heldByRoute > 0 else { return "" }
        let notTaken = min(summary.heldByRoute, (try? SpoolInspector(spool: spool).notTakenCount()) ?? 0)
        let byRoute = summary.heldByRoute - notTaken
        let words = [
            byRoute > 0 ? "\(byRoute) by a route" : nil,
            notTaken > 0 ? "\(notTaken) \(StatusDescription.notTaken(notTaken))" : nil,
        ]
        return " (\(words.compactMap(\.self).joined(separator: ", ")))"
    }

    private func tellBraked(_ count: Int) {
        let limit = spool.options.limits.maximumPerSignature.map { " (\($0))" } ?? ""
        Console.print(
            "\(count) of the evicted \(count == 1 ? "was" : "were") left out by max_per_signature\(limit): the first of each signature are kept; "
                + "'reports list --group' shows them")
    }

    /// Reports that such a run will not send, and what will.
    private func tellSlowReports() {
        let shown = 3
        guard let slow = try? SpoolInspector(spool: spool).slowReports(limit: shown + 1) else { return }
        for view in slow.prefix(shown) {
            Console.print(Printable.text("\(view.id ?? ""): \(view.explanation ?? "")"))
        }
        if slow.count > shown { Console.print("and more like these: 'reports list --state waiting' shows them") }
    }

    /// So many servers are told of one by one.
    private static let troubleCount = 5

    /// Why something waits, when a server is the reason: a line for each server of this run that is closed.
    /// - Returns: the names of these servers.
    private func tellTrouble() -> Set<String> {
        guard let origins = try? SpoolInspector(spool: spool).origins() else { return [] }
        let closed = origins.compactMap { origin in
            let names = destinations.filter { $0.origin == origin.name }.map(\.name)
            return origin.isOpen || names.isEmpty ? nil : (origin: origin, names: names)
        }
        for (origin, names) in closed.prefix(Self.troubleCount) {
            let trouble = origin.lastError.map { ": \($0)" } ?? ""
            let place = destinations.count > 1 ? "\(names.joined(separator: ", ")): " : ""
            Console.print(Printable.text("\(place)\(origin.name): \(origin.reason ?? "closed")\(trouble)"))
        }
        if closed.count > Self.troubleCount {
            let count = closed.count - Self.troubleCount
            Console.print("and \(count) more servers are closed: 'reports status' shows them")
        }
        return Set(closed.map(\.origin.name))
    }

    /// Why reports are held although their server is open: a line for each reason and destination of this run.
    private func tellRefused(besides closed: Set<String>) {
        guard let held = try? SpoolInspector(spool: spool).refusedReports() else { return }
        let open = destinations.filter { !closed.contains($0.origin) }
        let told = held.compactMap { one in open.first { $0.name == one.destination }.map { ($0, one.report) } }
        for (destination, report) in told.prefix(Self.troubleCount) {
            let trouble = report.lastError.map { ": \($0)" } ?? ""
            let place = destinations.count > 1 ? "\(destination.name): " : ""
            Console.print(Printable.text("\(place)\(destination.origin): \(report.reason ?? "held")\(trouble)"))
        }
        if told.count > Self.troubleCount { Console.print("and more: 'reports list --state held' shows them") }
    }
}
