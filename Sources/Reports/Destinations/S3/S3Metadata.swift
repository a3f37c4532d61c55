import Diagnosis
import DurableIO
import HTTPTypes

/// The metadata that are stored with an object: what the report is, and its annotations.
///
/// They are made to fit before they are sent, because servers answer too large ones in many ways, some of them as if
/// they were overloaded. An annotation that does not fit is left out as a whole, the last names first, and
/// `x-amz-meta-report-truncated: 1` says so.
enum S3Metadata {
    static let prefix = "x-amz-meta-"
    /// All names that begin like this are the sender's own.
    static let ownPrefix = prefix + "report-"
    /// Of one value, in bytes.
    static let maximumValueByteCount = 256
    /// Of all names and values, in bytes.
    static let maximumByteCount = 1_536

    private static let truncated: (name: String, value: String) = (ownPrefix + "truncated", "1")

    /// Adds the metadata of a report.
    /// - Parameters:
    ///   - fields: the request's, with the user's own, which count.
    ///   - report: the report.
    ///   - withAnnotations: whether its annotations are sent.
    static func add(to fields: inout HTTPFields, _ report: StoredReport, withAnnotations: Bool) {
        var room = maximumByteCount - size(truncated)
        for field in fields where field.name.canonicalName.hasPrefix(prefix) {
            room -= size((field.name.canonicalName, field.value))
        }
        for item in description(of: report) {
            room -= size(item)
            fields.set(item)
        }
        var isTruncated = !withAnnotations && !report.properties.annotations.isEmpty
        if withAnnotations {
            for (key, value) in report.properties.annotations.sorted(by: { $0.key < $1.key }) {
                let item = (name: prefix + key.lowercased(), value: plain(value))
                // Of two names that differ in case only the first counts; the user's own fields count more.
                let isTaken = HTTPField.Name(item.name).map { fields.contains($0) } ?? true
                let fits = !item.name.hasPrefix(ownPrefix) && item.value.utf8.count <= maximumValueByteCount
                guard !isTaken, fits, size(item) <= room else {
                    isTruncated = true
                    continue
                }
                room -= size(item)
                fields.set(item)
            }
        }
        if isTruncated { fields.set(truncated) }
    }

    private static func description(of report: StoredReport) -> [(name: String, value: String)] {
        let properties = report.properties
        let times = [("collected-at", properties.collectedAt), ("occurred-at", properties.occurredAt)]
            .compactMap { name, time in time.map { (name, RFC3339.string(milliseconds: $0)) } }
        let texts = [
            ("id", report.id.hex), ("kind", properties.kind.rawValue), ("format", properties.format),
            ("signature", properties.signature ?? ""),
        ]
        return (texts.filter { !$0.1.isEmpty } + times).map { (ownPrefix + $0.0, plain($0.1)) }
    }

    private static func size(_ item: (name: String, value: String)) -> Int {
        item.name.utf8.count + item.value.utf8.count
    }

    /// A value of printable ASCII, without blanks at its ends and with one for each run of them. All other characters,
    /// and `%`, are percent-encoded, so that they can be had again. A field with other bytes is signed differently by
    /// different servers.
    static func plain(_ value: String) -> String {
        let encoded = PercentEncoding.encode(value) { $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "%") }
        return encoded.split(separator: " ").joined(separator: " ")
    }
}

extension HTTPFields {
    fileprivate mutating func set(_ item: (name: String, value: String)) {
        guard let name = HTTPField.Name(item.name) else { return }
        self[name] = item.value
    }
}
