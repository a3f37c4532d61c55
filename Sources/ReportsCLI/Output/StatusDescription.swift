import DurableIO
import Reports

/// How a spool stands, for people.
enum StatusDescription {
    /// So many servers to which reports with requests of their own go are told of one by one.
    private static let ownServerCount = 10

    static func lines(_ status: SpoolStatus, _ path: String) -> [String] {
        var lines = ["spool:  \(path)", "owner:  \(owner(of: status))"]
        lines += counts(status.states, heldByRoute: status.heldByRouteCount, notTaken: status.notTakenCount)
        if status.states.allSatisfy({ $0.count.count == 0 }) { lines.append("no reports") }
        for origin in status.origins { lines.append("\(origin.name):  \(origin.standing)") }
        lines += destinations(status.destinations)
        if let oldest = status.oldestUndeliveredAt {
            lines.append("oldest undelivered:  \(RFC3339.string(milliseconds: oldest))")
        }
        for notice in status.notices { lines.append("\(notice.subject):  \(notice.reason): \(notice.message)") }
        for (limit, count) in status.evictions { lines.append("evicted, \(limit):  \(count) so far") }
        for braked in status.braked {
            let summary = braked.summary.map { ": \($0)" } ?? ""
            lines.append("braked now, \(braked.signature):  \(braked.count) left out, the first are kept\(summary)")
        }
        let others = status.brakedSignatureCount - status.braked.count
        if others > 0 { lines.append("braked now, others:  \(others) more, which 'reports list --group' shows") }
        if let next = status.nextAttemptAt { lines.append("next due:  \(RFC3339.string(milliseconds: next))") }
        return lines
    }

    private static func owner(of status: SpoolStatus) -> String {
        if let owner = status.owner { return "\(owner)" }
        return status.hasOwner ? "a process is at work" : "none"
    }

    /// A line for each state. Of the held reports no route sends `heldByRoute`, of which `notTaken` are not taken by
    /// their destination.
    private static func counts(
        _ states: [(name: String, count: SpoolStatus.Count)], heldByRoute: Int, notTaken: Int
    ) -> [String] {
        states.filter { $0.count.count > 0 }.map { name, count in
            let compressed = name == "incoming" ? "" : " compressed"
            var line = "\(name):  \(count.count)  (\(ByteSize.text(count.byteCount))\(compressed))"
            guard name == "held" else { return line }
            if heldByRoute > notTaken { line += ", \(heldByRoute - notTaken) held by a route" }
            if notTaken > 0 { line += ", \(notTaken) \(Self.notTaken(notTaken))" }
            return line
        }
    }

    /// What is said behind the number of held reports that no destination gets, although a route leads to one.
    static func notTaken(_ count: Int) -> String {
        "not taken by \(count == 1 ? "its destination" : "their destinations")"
    }

    // MARK: - Destinations

    /// A block for each destination, for the reports without one, and for each server that reports with requests of
    /// their own go to. None where all reports go to the destination `main`: the lines above say the same.
    private static func destinations(_ all: [DestinationStanding]) -> [String] {
        let own = all.filter(\.isOwnServer)
        guard !own.isEmpty || all.contains(where: { $0.name.map { $0 != "main" } ?? false }) else { return [] }
        var lines = (all.filter { !$0.isOwnServer } + own.prefix(ownServerCount)).flatMap(block)
        if own.count > ownServerCount {
            lines.append("requests of their own:  to \(own.count - ownServerCount) more servers, which --json shows")
        }
        return lines
    }

    private static func block(_ one: DestinationStanding) -> [String] {
        let title =
            if let name = one.name {
                "destination \(name):  \(place(of: one))"
            } else if one.isOwnServer {
                "requests of their own:  \(place(of: one))"
            } else {
                "no destination:  a route holds the reports, or the next submit decides"
            }
        var lines = [title]
        lines += counts(one.states, heldByRoute: one.heldByRouteCount, notTaken: one.notTakenCount).map { "  \($0)" }
        if let oldest = one.oldestUndeliveredAt {
            lines.append("  oldest undelivered:  \(RFC3339.string(milliseconds: oldest))")
        }
        if let next = one.nextAttemptAt { lines.append("  next due:  \(RFC3339.string(milliseconds: next))") }
        return lines
    }

    private static func place(of one: DestinationStanding) -> String {
        var parts: [String] = []
        if let origin = one.origin {
            let reason = one.gate?.reason.map { "closed, \($0)" } ?? "closed"
            parts.append("\(origin), \(one.isOpen == false ? reason : "open")")
        } else {
            parts.append("no run has had it yet")
        }
        if one.isInSettings == false {
            let name = one.name ?? ""
            parts.append("the settings name no destination \(name), so that 'reports submit' sends nothing there")
        }
        return parts.joined(separator: "; ")
    }
}

extension DestinationStanding {
    /// Whether these are reports with requests of their own.
    fileprivate var isOwnServer: Bool { name == nil && origin != nil }
}

extension SpoolStatus.Origin {
    /// Whether the server is sent to; if not, what has to come first, and its last error.
    var standing: String {
        let trouble = lastError.map { ": \($0)" } ?? ""
        guard !isOpen else { return "open" + trouble }
        let closed = "closed, \(reason ?? "")"
        guard isLedTo else { return "\(closed), and no report goes there any more\(trouble)" }
        // A submit tries one report at once, whatever the time, unless the server named the time.
        guard namedTheTime, let opensAt, opensAt > LinuxClock().wallMilliseconds else {
            return "\(closed), one report is tried at each submit\(trouble)"
        }
        return "\(closed), tried again from \(RFC3339.string(milliseconds: opensAt))\(trouble)"
    }
}
