/// A payload that begins as JSON, read as far as it goes.
///
/// Of a document that is larger than the window the beginning and the end are read (``JSONEnding``). What lies between
/// them is not known.
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

    let window: PayloadWindow
    /// What of the payload was read from its beginning on: all of it, or the window's head.
    let bytes: ArraySlice<UInt8>
    /// The members of the first object, as far as they could be read.
    let root: JSONObject
    /// The end of the document, where it is larger than the window.
    let ending: JSONEnding?
    let condition: Condition
    /// What of `bytes` follows the first object.
    let rest: ArraySlice<UInt8>
    /// Whether the first object ends within `bytes`.
    let isComplete: Bool

    /// Reads a payload that begins like JSON; `nil` for what only seems to, which is text then.
    static func read(_ window: PayloadWindow) -> Diagnosis? {
        guard let first = window.title.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else {
            return nil
        }
        let bytes = window.isWhole && !window.tail.isEmpty ? (window.head + window.tail)[...] : window.head
        let ending = window.gapByteCount > 0 ? JSONEnding(window.tail) : nil
        // Most JSON is none of these formats, and to see that is several times cheaper than to read all of it.
        var outline: JSONPrefix?
        if !self.beginsWithMark(bytes) {
            let prefix = JSONValue.outlinePrefix(bytes, maximumDepth: JSONValue.longestDepth)
            let members = (prefix.value?.objectValue?.members ?? []) + (ending?.root.members ?? [])
            if !members.contains(where: { DocumentFormats.marks.contains($0.key) }) { outline = prefix }
        }
        let prefix =
            outline
            ?? JSONValue.parsePrefix(
                bytes, maximumDepth: JSONValue.longestDepth, keptDepth: JSONValue.defaultMaximumDepth)
        let condition = Condition(prefix, isFollowed: prefix.byteCount < bytes.count, isCut: !window.isWhole)
        if outline == nil {
            let document = JSONDocument(window, bytes: bytes, prefix: prefix, ending: ending, condition: condition)
            for format in DocumentFormats.all {
                if let diagnosis = format.read(document) { return diagnosis }
            }
        }
        guard condition == .sound else { return nil }
        return Diagnosis(
            format: "json", contentType: ContentType.json, kind: .diagnostic, isAssumed: true,
            summary: self.title(of: window))
    }

    /// The first line; of JSON that is spread over lines the first members, on one.
    private static func title(of window: PayloadWindow) -> String {
        guard window.title.count <= 2 else { return window.title.text }
        let words = window.head.prefix(512).split { $0 <= 0x20 }
        return Array(words.joined(separator: [0x20]))[...].text
    }

    /// Whether the first member is one that some format has, so that all of the document is worth reading.
    private static func beginsWithMark(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.withUnsafeBufferPointer { buffer in
            var walker = JSONWalker(buffer)
            guard case .beginObject = walker.next(), case .key(let key) = walker.next() else { return false }
            return DocumentFormats.marks.contains(key)
        }
    }

    private init(
        _ window: PayloadWindow, bytes: ArraySlice<UInt8>, prefix: JSONPrefix, ending: JSONEnding?, condition: Condition
    ) {
        self.window = window
        self.bytes = bytes
        self.root = prefix.value?.objectValue ?? JSONObject()
        self.ending = ending
        self.condition = condition
        self.rest = bytes[(bytes.startIndex + prefix.byteCount)...]
        self.isComplete = prefix.isComplete
    }

    /// A member of the outermost object, from the beginning or the end of the document.
    subscript(key: String) -> JSONValue? {
        self.root[key] ?? self.ending?[key]
    }

    /// The diagnosis of a format that this document claims to have; a damaged one is sent as bytes.
    func diagnosis(format: String, kind: Diagnosis.Kind, summary: String, crash: Crash?) -> Diagnosis {
        switch self.condition {
        case .sound:
            Diagnosis(format: format, contentType: ContentType.json, kind: kind, summary: summary, crash: crash)
        case .truncated, .malformed:
            Diagnosis(
                format: "\(format) (damaged)", contentType: ContentType.bytes, kind: kind,
                summary: "\(summary) — \(self.condition == .truncated ? "truncated" : "damaged")", crash: crash)
        }
    }
}

extension JSONDocument.Condition {
    /// - Parameters:
    ///   - prefix: the reading of the first value.
    ///   - isFollowed: whether something other than white space follows what was read.
    ///   - isCut: whether the payload goes on behind what could be read.
    fileprivate init(_ prefix: JSONPrefix, isFollowed: Bool, isCut: Bool) {
        if prefix.hasRepairs || prefix.isComplete && isFollowed {
            self = .malformed
        } else if prefix.isComplete || prefix.isTruncated && isCut {
            self = .sound
        } else {
            self = prefix.isTruncated ? .truncated : .malformed
        }
    }
}

extension JSONObject {
    /// The text of a key, unless it is empty.
    func text(_ key: String) -> String? {
        self[key]?.stringValue?.nonEmpty
    }

    /// The members of the object under a key.
    func object(_ key: String) -> JSONObject? {
        self[key]?.objectValue
    }
}

extension JSONValue {
    /// A string or number as text, unless it is empty; writers do not agree which of the two a field is.
    var fieldText: String? {
        self.stringValue?.nonEmpty ?? self.integerValue.map(String.init)
    }

    /// A number that is written as one, as decimal digits, or as hexadecimal digits behind `0x`.
    var address: UInt64? {
        switch self {
        case .integer(let number): return UInt64(exactly: number)
        // Addresses of the kernel are beyond 63 bits, and lose their last digits as a double.
        case .double(let number): return UInt64(exactly: number)
        case .string(let text):
            let digits = text.utf8.prefix(24)
            if digits.starts(with: "0x".utf8) { return digits.hexNumber }
            return digits.decimalNumber.flatMap { UInt64(exactly: $0) }
        default: return nil
        }
    }
}
