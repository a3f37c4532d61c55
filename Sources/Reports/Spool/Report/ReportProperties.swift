package import Diagnosis
import DurableIO

/// What a stored report says of itself: the `RP` field of its gzip header, from which a ledger row can be made again.
package struct ReportProperties: Hashable, Sendable {
    package var kind: ReportKind
    package var kindSource: KindSource
    package var format: String
    package var contentType: String
    /// The dropped file's name as bytes; `nil` for a report that never was a file.
    package var name: [UInt8]?
    /// Milliseconds since the epoch.
    package var collectedAt: Int64
    /// When what the payload tells of happened, in milliseconds since the epoch; `nil` where nothing says it.
    package var occurredAt: Int64?
    package var annotations: [String: String]
    package var summary: String
    /// What crashes of the same fault have in common: 16 hexadecimal digits.
    package var signature: String?
    /// The mark of the drop it was made from, by which a new owner finds that it has this drop already.
    package var source: String?
    /// Where it goes, if not where the others go.
    package var request: CallerRequest?
    /// It is the beginning of a file that grew while it was read: what the file held when it was opened.
    package var isSnapshot = false

    package init(
        kind: ReportKind, from kindSource: KindSource, format: String, contentType: String, name: [UInt8]?,
        collectedAt: Int64, annotations: [String: String], summary: String, source: String? = nil,
        request: CallerRequest? = nil
    ) {
        self.kind = kind
        self.kindSource = kindSource
        self.format = format
        self.contentType = contentType
        self.name = name
        self.collectedAt = collectedAt
        self.annotations = annotations
        self.summary = summary
        self.source = source
        self.request = request
    }

    /// Whether the payload is text or journal lines. The beginning of such a payload is useful without its end.
    var isText: Bool {
        contentType.hasPrefix("text/") || ["journal-json", "journal-export"].contains(format)
    }

    /// What is sent first and evicted last.
    var rank: Int { ReportRank.of(kind, from: kindSource) }

    /// The version written, and the newest one read.
    static let version: Int64 = 1

    package var json: JSONValue {
        var object = JSONObject()
        object["v"] = .integer(Self.version)
        object["kind"] = .string(kind.rawValue)
        object["kind_from"] = .string(kindSource.rawValue)
        object["format"] = .string(format)
        object["content_type"] = .string(contentType)
        if let name {
            if let text = String(validating: name, as: UTF8.self) {
                object["name"] = .string(text)
            } else {
                object["name"] = .string(String(decoding: name, as: UTF8.self))
                object["name_b64"] = .string(Base64.encode(name))
            }
        }
        object["collected_at"] = .string(RFC3339.string(milliseconds: collectedAt))
        if let occurredAt { object["occurred_at"] = .string(RFC3339.string(milliseconds: occurredAt)) }
        object["annotations"] = .object(
            JSONObject(annotations.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .string($0.value)) }))
        object["summary"] = .string(summary)
        if let signature { object["signature"] = .string(signature) }
        if let source { object["source"] = .string(source) }
        if let request { object["request"] = request.json }
        if isSnapshot { object["snapshot"] = .bool(true) }
        return .object(object)
    }

    /// A signature comes from a file, and goes into a header of a request.
    private static func lawfulSignature(_ text: String) -> String? {
        isSignature(text) ? text : nil
    }

    static func isSignature(_ text: String) -> Bool {
        text.utf8.count == signatureLength && text.utf8.allSatisfy(\.isLowerHexDigit)
    }

    package static let signatureLength = 16

    /// Reads what `json` makes. Unknown members are passed over, and missing ones get the value that promises least,
    /// so that a report is never lost for its description.
    package init(json: JSONValue) {
        kind = json["kind"]?.stringValue.flatMap(ReportKind.init(rawValue:)) ?? .other
        kindSource = json["kind_from"]?.stringValue.flatMap(KindSource.init(rawValue:)) ?? .default
        format = json["format"]?.stringValue ?? "binary"
        contentType = json["content_type"]?.stringValue ?? "application/octet-stream"
        name = json["name"]?.stringValue.map { Array($0.utf8) }
        if let encoded = json["name_b64"]?.stringValue, let bytes = Base64.decode(encoded) { name = bytes }
        collectedAt = json["collected_at"]?.stringValue.flatMap(RFC3339.milliseconds) ?? 0
        occurredAt = json["occurred_at"]?.stringValue.flatMap(RFC3339.milliseconds)
        annotations = [:]
        for member in json["annotations"]?.objectValue?.members ?? [] {
            annotations[member.key] = member.value.stringValue
        }
        summary = json["summary"]?.stringValue ?? ""
        signature = json["signature"]?.stringValue.flatMap(Self.lawfulSignature)
        source = json["source"]?.stringValue
        request = CallerRequest(json: json["request"])
        isSnapshot = json["snapshot"] == .bool(true)
    }
}
