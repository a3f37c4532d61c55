import DurableIO
import Reports

/// Groups for people: one line each.
extension ReportGroup: TableRow {
    var programColumns: ProgramColumns {
        ProgramColumns(hasService: !services.isEmpty, hasVersion: !versions.isEmpty)
    }

    static func header(_ columns: ProgramColumns) -> String {
        line(
            signature: "SIGNATURE", kind: "KIND", count: "COUNT", occurrences: "SEEN", first: "FIRST SEEN",
            last: "LAST SEEN", columns.text(service: "SERVICE", version: "VERSION")) + "SUMMARY"
    }

    func line(_ columns: ProgramColumns) -> String {
        func time(_ time: Int64?) -> String { time.map(ReportTable.shortTime) ?? "-" }
        let program = columns.text(
            service: Self.range(services, ProgramColumns.serviceWidth),
            version: Self.range(versions, ProgramColumns.versionWidth))
        let states = states.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
        let text = (summary.map { $0.isEmpty ? "" : $0 + " " } ?? "") + "[\(states)]"
        return Printable.text(
            Self.line(
                signature: signature ?? "no signature", kind: kind ?? "-", count: "\(count)",
                occurrences: "\(occurrences)", first: time(firstSeen), last: time(lastSeen), program) + text)
    }

    private static func line(
        signature: String, kind: String, count: String, occurrences: String, first: String, last: String,
        _ program: String
    ) -> String {
        [
            ReportTable.pad(signature, 16), ReportTable.pad(kind, 10), ReportTable.padLeft(count, 7),
            ReportTable.padLeft(occurrences, 7), ReportTable.pad(first, 16), ReportTable.pad(last, 16),
        ].joined(separator: "  ") + "  " + program
    }

    /// All values where they fit, else the first and the last of them.
    private static func range(_ values: [String], _ width: Int) -> String {
        guard let first = values.first, let last = values.last else { return "-" }
        let all = values.joined(separator: ", ")
        return all.count <= width || values.count == 1 ? all : "\(first)…\(last)"
    }
}
