import Diagnosis
import DurableIO
import Reports

/// A report for people: what it is, how it fared, what happens next.
enum ReportDescription {
    /// The report's lines, with the gate that it goes through, if that is known.
    static func lines(
        _ view: ReportView, _ object: JSONObject, _ gate: SpoolStatus.Origin?, _ crash: Crash?
    ) -> [String] {
        var lines = facts(view, gate) + (crash.map(CrashDescription.lines) ?? [])
        let history = object["history"]?.arrayValue ?? []
        lines += history.isEmpty ? ["attempts:   none yet"] : ["attempts:"] + history.map(attempt)
        if let receipt = object["receipt"], receipt != .null { lines.append("receipt:    \(brief(receipt))") }
        lines.append("next:       \(next(view))")
        return lines
    }

    private static func facts(_ view: ReportView, _ gate: SpoolStatus.Origin?) -> [String] {
        var lines = ["id:         \(view.id ?? "-")"]
        if let summary = view.summary { lines.append("summary:    \(summary)") }
        lines.append("kind:       \(view.kind ?? "-") (\(view.format ?? "-"))")
        lines.append("state:      \(view.state)" + (view.reason.map { ", \($0)" } ?? ""))
        if let note = view.explanation { lines.append("note:       \(note)") }
        // A report that is over may have gone to another server than its destination leads to now.
        let gate = view.isLive ? gate : nil
        if let destination = view.destination {
            lines.append("destination: \(destination)" + (gate.map { ", \($0.name)" } ?? ""))
        }
        if let gate, !gate.isOpen { lines.append("server:     \(gate.standing)") }
        if let name = view.name { lines.append("name:       \(Printable.text(name))") }
        let wire = view.compressedSize.map { ", \(ByteSize.text($0)) compressed" } ?? ""
        lines.append("size:       \(ByteSize.text(view.size))\(wire)")
        if view.isSnapshot { lines.append("snapshot:   the file grew while it was read; this is what it held before") }
        if let uploaded = view.uploaded {
            lines.append(
                "uploaded:   \(ByteSize.text(uploaded.offset)) of \(ByteSize.text(uploaded.byteCount))")
        }
        if let occurred = view.occurredAt { lines.append("occurred:   \(RFC3339.string(milliseconds: occurred))") }
        if let collected = view.collectedAt { lines.append("collected:  \(RFC3339.string(milliseconds: collected))") }
        if view.occurrences > 1 {
            let last = view.lastSeen.map { ", last \(RFC3339.string(milliseconds: $0))" } ?? ""
            lines.append("seen:       \(view.occurrences) times\(last)")
        }
        if let request = view.request {
            // Whatever a query holds may be a secret.
            let url = request.url.prefix { $0 != "?" }
            let names = request.headerNames.isEmpty ? "" : ", with \(request.headerNames.joined(separator: ", "))"
            lines.append("request:    \(request.method) \(url)\(names)")
        }
        if let signature = view.signature { lines.append("signature:  \(signature)") }
        for (key, value) in view.annotations.sorted(by: { $0.key < $1.key }) {
            lines.append("annotation: \(key)=\(value)")
        }
        return lines
    }

    private static func attempt(_ attempt: JSONValue) -> String {
        let started = attempt["started_at"]?.stringValue ?? "?"
        let error = attempt["error"]?.stringValue
        let end = attempt["status"]?.integerValue.map { answer($0, error) } ?? error ?? "no end known"
        let retryAfter = attempt["retry_after"]?.integerValue.map { ", asked to wait \($0) s" } ?? ""
        return "  \(started)  \(end)\(retryAfter)"
    }

    /// The status of an answer, and what the error says besides: the reason that the server gave.
    private static func answer(_ status: Int64, _ error: String?) -> String {
        guard let error, !error.isEmpty else { return "\(status)" }
        let bare = "the server answered \(status)"
        guard error.hasPrefix(bare) else { return "\(status): \(error)" }
        return "\(status)\(error.dropFirst(bare.count))"
    }

    /// The server's last word in one line; `--json` has all that was kept of it.
    private static func brief(_ receipt: JSONValue) -> String {
        var parts = [receipt["status"]?.integerValue.map { "\($0)" } ?? ""]
        if let location = receipt["location"]?.stringValue { parts.append(location) }
        // What the server calls the report.
        let ids = ["event", "crash"].compactMap { name in
            receipt["\(name)_id"]?.stringValue.map { "\(name) \($0)" }
        }
        parts += ids + [receipt["message"]?.stringValue].compactMap(\.self)
        if ids.isEmpty, let body = receipt["body"]?.stringValue {
            let line = body.split(whereSeparator: \.isNewline).first ?? ""
            parts.append(line.count > 120 ? line.prefix(119) + "…" : String(line))
        }
        let omissions = (receipt["left_out"]?.arrayValue ?? []).compactMap(\.stringValue)
        if !omissions.isEmpty { parts.append("sent without \(omissions.joined(separator: ", "))") }
        let limits = (receipt["rate_limited"]?.arrayValue ?? []).compactMap(\.stringValue)
        if !limits.isEmpty {
            parts.append("the server limits \(limits.joined(separator: ", ")) now, and may have dropped what it got")
        }
        return parts.filter { !$0.isEmpty }.joined(separator: "  ")
    }

    private static func next(_ view: ReportView) -> String {
        let due = view.nextAttemptAt.map { RFC3339.string(milliseconds: $0) }
        switch view.state {
        case "queued" where view.isLeftToOthers, "waiting" where view.isLeftToOthers:
            return "sent by a run that has the destination \(view.destination ?? ""); "
                + "'reports retry' asks the routes anew where it goes"
        case "queued": return "sent at the next submit"
        case "sending": return "being sent now"
        case "waiting" where view.reason == "deadline":
            return "sent by a submit without --deadline and without a unit's time-out; "
                + "any other tries it again from \(due ?? "now") on"
        case "waiting" where view.reason == "unanswered":
            return "sent by a submit from \(due ?? "now") on; "
                + "the server may have it already, and would then have it twice"
        case "waiting": return "sent by a submit from \(due ?? "now") on"
        case "held" where view.reason == "caller":
            return "sent when its program gives the request again: the values of its headers are not stored"
        case "held" where view.reason == "route": return view.holdAdvice ?? "nothing"
        case "held":
            let advice = view.holdAdvice ?? "something has to change first"
            guard view.isProbed else { return advice + (due.map { "; it is tried again from \($0) on" } ?? "") }
            return "\(advice); one report is tried at each submit" + (due.map { ", or \($0)" } ?? "")
        case "rejected", "exhausted": return "nothing by itself; 'reports retry' sends it, 'reports remove' deletes it"
        case "evicted" where view.isBraked:
            return "nothing; the first reports of its signature are kept, 'reports list --group' shows them; "
                + "to have this one as well, raise max_per_signature and add it again"
        case "delivered": return "nothing; the server has it, and its bytes are deleted here"
        default: return "nothing"
        }
    }
}
