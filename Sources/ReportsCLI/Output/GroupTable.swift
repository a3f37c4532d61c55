import DurableIO
import Reports

/// Groups for people: one line each.
extension ReportGroup: TableRow {
    var neededColumns: OptionalColumns {
        OptionalColumns(
            hasDestination: destinations.contains { $0 != "main" }, hasService: !services.isEmpty,
            hasVersion: !versions.isEmpty)
    }

    static func header(_ columns: OptionalColumns) -> String {
        line(
            signature: "SIGNATURE", kind: "KIND", count: "COUNT", occurrences: "SEEN", first: "FIRST SEEN",
            last: "LAST SEEN",
            columns.text(destination: "DESTINATION", service: "SERVICE", version: "VERSION")) + "SUMMARY"
    }

    func line(_ columns: OptionalColumns) -> String {
        func time(_ time: Int64?) -> String { time.map(ReportTable.shortTime) ?? "-" }
        let optional = columns.text(
            destination: Self.range(destinations, OptionalColumns.destinationWidth),
            service: Self.range(services, OptionalColumns.serviceWidth),
            version: Self.range(versions, OptionalColumns.versionWidth))
        let states = states.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
        let text = (summary.map { $0.isEmpty ? "" : $0 + " " } ?? "") + "[\(states)]"
        return Printable.text(
            Self.line(
                signature: signature ?? "no signature", kind: kind ?? "-", count: "\(count)",
                occurrences: "\(occurrences)", first: time(firstSeen), last: time(lastSeen), optional) + text)
    }

    private static func line(
        signature: String, kind: String, count: String, occurrences: String, first: String, last: String,
        _ optional: String
    ) -> String {
        [
            ReportTable.pad(signature, 16), ReportTable.pad(kind, 10), ReportTable.padLeft(count, 7),
            ReportTable.padLeft(occurrences, 7), ReportTable.pad(first, 16), ReportTable.pad(last, 16),
        ].joined(separator: "  ") + "  " + optional
    }

    /// All values where they fit, else the first and the last of them.
    private static func range(_ values: [String], _ width: Int) -> String {
        guard let first = values.first, let last = values.last else { return "-" }
        let all = values.joined(separator: ", ")
        return all.count <= width || values.count == 1 ? all : "\(first)…\(last)"
    }
}
