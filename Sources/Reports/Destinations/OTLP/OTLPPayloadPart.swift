import Diagnosis

/// What a log record holds of a payload.
///
/// A text in UTF-8 goes out as it is, byte for byte, so that its digest is `report.sha256`. A text in UTF-16 goes out
/// in UTF-8, without a loss, and `report.payload.encoding` says that its bytes were others.
struct OTLPPayloadPart: Hashable, Sendable {
    /// `nil` where nothing of the payload goes out.
    private(set) var text: String?
    /// Whether the text is only the beginning.
    private(set) var isTruncated = false
    /// Whether bytes that are no UTF-8 were replaced by U+FFFD.
    private(set) var isRepaired = false
    /// The encoding that the text had, if it was not UTF-8.
    private(set) var encoding: String?

    /// Nothing of it.
    init() {}

    /// - Parameters:
    ///   - head: the first bytes of the payload.
    ///   - byteCount: how many it has.
    init(text head: [UInt8], of byteCount: UInt64) {
        isTruncated = UInt64(head.count) < byteCount
        if let decoded = Self.decodingUTF16(head, isTruncated: isTruncated) {
            text = decoded
            encoding = "utf-16"
            return
        }
        // No half character at a cut.
        let whole = isTruncated ? head.dropLast(Self.byteCountOfCutCharacter(head)) : head[...]
        if let valid = String(validating: whole, as: UTF8.self) {
            text = valid
        } else {
            text = String(decoding: whole, as: UTF8.self)
            isRepaired = true
        }
    }

    /// Whether the text says all that the payload says.
    var isWhole: Bool { text != nil && !isTruncated && !isRepaired }

    func add(to attributes: inout OTLPAttributes) {
        guard let text else { return }
        attributes.add("report.payload", .text(text))
        attributes.add("report.payload.encoding", encoding)
        if isTruncated { attributes.add("report.payload.truncated", .truth(true)) }
        if isRepaired { attributes.add("report.payload.repaired", .truth(true)) }
    }

    // MARK: - Text

    /// Whether a payload may be text, as far as its description tells. Only its bytes say whether it is.
    static func mayBeText(_ properties: ReportProperties) -> Bool {
        let type = properties.contentType.prefix { $0 != ";" }
        if properties.isText || textTypes.contains(String(type)) { return true }
        // A document that is cut is sent elsewhere as bytes, and is text all the same.
        return type == "application/octet-stream" && properties.format.hasSuffix(" (damaged)")
    }

    private static let textTypes: Set<String> = [
        "application/json", "application/x-ndjson", "application/x-sentry-envelope", "application/xml",
    ]

    /// The text behind a byte order mark of UTF-16; `nil` where the bytes are none.
    private static func decodingUTF16(_ bytes: [UInt8], isTruncated: Bool) -> String? {
        let isLittleEndian = bytes.starts(with: [0xff, 0xfe])
        guard isLittleEndian || bytes.starts(with: [0xfe, 0xff]), bytes.count.isMultiple(of: 2) else { return nil }
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count / 2)
        for index in stride(from: 2, to: bytes.count, by: 2) {
            let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
            units.append(isLittleEndian ? second << 8 | first : first << 8 | second)
        }
        // Half of a pair at a cut.
        if isTruncated, let last = units.last, UTF16.isLeadSurrogate(last) { units.removeLast() }
        return String(validating: units, as: UTF16.self)
    }

    private static func byteCountOfCutCharacter(_ bytes: [UInt8]) -> Int {
        guard let lead = bytes.suffix(3).lastIndex(where: { $0 >= 0xc0 }) else { return 0 }
        let count = bytes[lead] >= 0xf0 ? 4 : bytes[lead] >= 0xe0 ? 3 : 2
        return bytes.count - lead < count ? bytes.count - lead : 0
    }

    /// At most so many bytes of a text, and no half character.
    static func beginning(of text: String, byteCount: Int) -> String {
        guard text.utf8.count > byteCount else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: byteCount)
        while String.Index(end, within: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }
}
