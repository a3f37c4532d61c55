import Background
import DurableIO
import HTTPTypes

/// The header fields that describe a report to a server which takes reports as they are.
enum ReportFields {
    /// - Parameters:
    ///   - report: the report, sent in its wire form.
    ///   - headers: the user's own fields.
    ///   - hasAnnotations: whether the annotations are among them. The default is `true`.
    /// - Returns: all fields but the payload's type.
    static func of(
        _ report: StoredReport, adding headers: [(name: String, value: String)],
        withAnnotations hasAnnotations: Bool = true
    ) -> HTTPFields {
        let properties = report.properties
        var fields = HTTPFields()
        fields[.userAgent] = "Reports/\(ReportsVersion.current)"
        fields.add(headers)
        fields[.contentEncoding] = "gzip"
        fields[.idempotencyKey] = StructuredField.string(report.id.hex)
        fields[.unencodedDigest] = StructuredField.digest(report.id)
        fields[.representationDigest] = StructuredField.digest(report.wireHash)
        fields[.reportKind] = properties.kind.rawValue
        fields[.reportSignature] = properties.signature
        fields[.reportCollectedAt] = RFC3339.string(milliseconds: properties.collectedAt)
        fields[.reportOccurredAt] = properties.occurredAt.map { RFC3339.string(milliseconds: $0) }
        if hasAnnotations, !properties.annotations.isEmpty {
            fields[.reportAnnotations] = StructuredField.dictionary(properties.annotations)
        }
        return fields
    }
}

extension HTTPFields {
    /// Adds the user's fields: the same name twice is two lines, and any of them stands instead of a default.
    mutating func add(_ others: [(name: String, value: String)]) {
        for name in Set(others.compactMap { HTTPField.Name($0.name) }) { self[name] = nil }
        for (name, value) in others where !HeaderRules.isReserved(name) {
            guard let name = HTTPField.Name(name) else { continue }
            append(HTTPField(name: name, value: value))
        }
    }
}

extension HTTPField.Name {
    fileprivate static let reportKind = known("Report-Kind")
    fileprivate static let reportSignature = known("Report-Signature")
    fileprivate static let reportCollectedAt = known("Report-Collected-At")
    fileprivate static let reportOccurredAt = known("Report-Occurred-At")
    fileprivate static let reportAnnotations = known("Report-Annotations")
}
