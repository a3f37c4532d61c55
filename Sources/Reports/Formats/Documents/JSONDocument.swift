/// A payload that begins as JSON, read as far as it goes.
struct JSONDocument {
    /// How far it goes.
    enum Condition {
        /// To its end, or to the end of the window without a fault.
        case sound
        /// It ends too early.
        case truncated
        /// It breaks the rules of JSON, or something follows it.
        case malformed
    }

    let head: PayloadHead
    /// The members of the first object, as far as they could be read.
    let root: JSONObject
    let condition: Condition
    /// What follows the first object.
    let rest: ArraySlice<UInt8>
    /// Whether the object ends within the window.
    let isComplete: Bool

    private typealias Format = @Sendable (JSONDocument) -> Recognition?

    private static let formats: [Format] = [
        AppleIPSFormat.recognize, SwiftBacktraceFormat.recognize, NodeReportFormat.recognize,
        MetricKitFormat.recognize, KSCrashFormat.recognize, JournalLinesFormat.recognize,
    ]

    /// Of the outermost object: each format has at least one of these.
    private static let marks = Set(
        AppleIPSFormat.marks + SwiftBacktraceFormat.marks + NodeReportFormat.marks + MetricKitFormat.marks
            + KSCrashFormat.marks + JournalLinesFormat.marks)

    /// Recognises a payload that begins like JSON; `nil` for what only seems to, which is text then.
    static func recognize(_ head: PayloadHead) -> Recognition? {
        guard let first = head.title.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return nil }
        // Most JSON is none of these formats, and to see that is several times cheaper than to read all of it.
        let outline = JSONDocument(head: head, prefix: JSONValue.outlinePrefix(head.bytes))
        if outline.root.members.contains(where: { self.marks.contains($0.key) }) {
            let document = JSONDocument(head: head, prefix: JSONValue.parsePrefix(head.bytes))
            for recognize in self.formats {
                if let recognition = recognize(document) { return recognition }
            }
        }
        guard outline.condition == .sound else { return nil }
        return Recognition(
            format: "json", contentType: ContentType.json, kind: .diagnostic, from: .default,
            summary: head.title.text)
    }

    private init(head: PayloadHead, prefix: JSONPrefix) {
        self.head = head
        self.root = prefix.value?.objectValue ?? JSONObject()
        self.rest = head.bytes[prefix.byteCount...]
        self.isComplete = prefix.isComplete
        if prefix.hasRepairs || prefix.isComplete && !self.rest.isEmpty {
            self.condition = .malformed
        } else if prefix.isComplete || prefix.isTruncated && !head.isWhole {
            self.condition = .sound
        } else {
            self.condition = prefix.isTruncated ? .truncated : .malformed
        }
    }

    /// The recognition of a format that this document claims to have; a damaged one is sent as bytes.
    func recognition(format: String, kind: ReportKind, summary: String) -> Recognition {
        switch self.condition {
        case .sound:
            Recognition(format: format, contentType: ContentType.json, kind: kind, summary: summary)
        case .truncated, .malformed:
            Recognition(
                format: "\(format) (damaged)", contentType: ContentType.bytes, kind: kind,
                summary: "\(summary) — \(self.condition == .truncated ? "truncated" : "damaged")")
        }
    }
}

extension JSONObject {
    /// The text of a key, unless it is empty.
    func text(_ key: String) -> String? {
        self[key]?.stringValue?.nonEmpty
    }
}

extension JSONValue {
    /// A string or number as text, unless it is empty; writers do not agree which of the two a field is.
    var fieldText: String? {
        self.stringValue?.nonEmpty ?? self.integerValue.map(String.init)
    }
}
