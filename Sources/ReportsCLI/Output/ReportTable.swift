import DurableIO
import Reports

/// Reports for people: one line each, columns aligned, nothing that steers a terminal.
enum ReportTable {
    static func line(_ view: ReportView) -> String {
        let id = view.id.map { String($0.prefix(12)) } ?? "-"
        let when = (view.collectedAt).map { shortTime($0) } ?? "-"
        let text = view.summary.flatMap { $0.isEmpty ? nil : $0 } ?? view.name.map(Printable.text) ?? ""
        let columns = [
            pad(id, 12), pad(view.state, 9), pad(view.kind ?? "-", 10), pad(when, 16), padLeft(size(view.size), 9),
        ]
        let reason = [view.reason, view.explanation].compactMap(\.self).joined(separator: ": ")
        let note = reason.isEmpty ? "" : " [\(reason)]"
        return Printable.text(columns.joined(separator: "  ") + "  " + text + note)
    }

    static let header =
        pad("ID", 12) + "  " + pad("STATE", 9) + "  " + pad("KIND", 10) + "  " + pad("COLLECTED", 16) + "  "
        + padLeft("SIZE", 9) + "  SUMMARY"

    /// Bytes in the largest unit that keeps a digit before the point.
    static func size(_ bytes: UInt64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1_024, unit < units.count - 1 {
            value /= 1_024
            unit += 1
        }
        if unit == 0 { return "\(bytes) B" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    /// To the minute, UTC.
    static func shortTime(_ milliseconds: Int64) -> String {
        String(RFC3339.string(milliseconds: milliseconds).prefix(16)).replacing("T", with: " ")
    }

    static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func padLeft(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
