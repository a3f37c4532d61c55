import DurableIO
import Reports

/// Reports for people: one line each.
extension ReportView: TableRow {
    var neededColumns: OptionalColumns {
        OptionalColumns(
            hasDestination: destination.map { $0 != "main" } ?? false, hasService: service != nil,
            hasVersion: version != nil)
    }

    static func header(_ columns: OptionalColumns) -> String {
        line(
            id: "ID", state: "STATE", kind: "KIND", collected: "COLLECTED", size: "SIZE",
            columns.text(destination: "DESTINATION", service: "SERVICE", version: "VERSION")) + "SUMMARY"
    }

    func line(_ columns: OptionalColumns) -> String {
        let text = summary.flatMap { $0.isEmpty ? nil : $0 } ?? name.map(Printable.text) ?? ""
        let reason = [reason, explanation].compactMap(\.self).joined(separator: ": ")
        let line = Self.line(
            id: id.map { String($0.prefix(12)) } ?? "-", state: state, kind: kind ?? "-",
            collected: collectedAt.map(ReportTable.shortTime) ?? "-", size: ByteSize.text(size),
            columns.text(destination: destination ?? "-", service: service ?? "-", version: version ?? "-"))
        return Printable.text(line + text + (reason.isEmpty ? "" : " [\(reason)]"))
    }

    private static func line(
        id: String, state: String, kind: String, collected: String, size: String, _ optional: String
    ) -> String {
        [
            ReportTable.pad(id, 12), ReportTable.pad(state, 9), ReportTable.pad(kind, 10),
            ReportTable.pad(collected, 16), ReportTable.padLeft(size, 9),
        ].joined(separator: "  ") + "  " + optional
    }
}

/// The forms of what stands in tables for people: columns aligned, nothing that steers a terminal.
enum ReportTable {
    /// To the minute, UTC.
    static func shortTime(_ milliseconds: Int64) -> String {
        String(RFC3339.string(milliseconds: milliseconds).prefix(16)).replacing("T", with: " ")
    }

    static func pad(_ text: String, _ width: Int) -> String {
        text + blanks(width - self.width(of: text))
    }

    /// A text that is too long for its column ends in `…`. So does one with very many marks above its letters.
    static func cut(_ text: String, _ width: Int) -> String {
        guard text.utf8.count > width else { return text }
        let scalars = text.unicodeScalars
        guard self.width(of: text) > width || scalars.count > scalarsPerCharacter * width else { return text }
        return String(String(scalars.prefix(scalarsPerCharacter * width)).prefix(width - 1)) + "…"
    }

    private static let scalarsPerCharacter = 4

    static func padLeft(_ text: String, _ width: Int) -> String {
        blanks(width - self.width(of: text)) + text
    }

    /// In characters. Those of ASCII need not be put together first, which a list of a million reports is slow by.
    private static func width(of text: String) -> Int {
        text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8.count : text.count
    }

    private static func blanks(_ count: Int) -> String {
        String(repeating: " ", count: max(0, count))
    }
}
