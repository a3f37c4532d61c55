package import Diagnosis
import Digests
import DurableIO

extension Diagnosis {
    /// The signature of the crash as it is written everywhere: the first 16 hexadecimal digits of a SHA-256; `nil` where
    /// there is nothing to group by.
    package var signatureDigits: String? {
        self.signature.map { String(ContentHash(of: Array($0.text.utf8)).hex.prefix(ReportProperties.signatureLength)) }
    }

    /// The summary, fit for one line of a list.
    package var summaryLine: String { SummaryLine.text(self.summary) }
}

extension ReportProperties {
    /// Takes over what a payload was found to be.
    /// - Parameters:
    ///   - diagnosis: what the payload is.
    ///   - isGiven: whether the report's kind was given, and stays.
    mutating func describe(_ diagnosis: Diagnosis, keepingKind isGiven: Bool) {
        if !isGiven {
            kind = ReportKind(rawValue: diagnosis.kind.rawValue) ?? .other
            kindSource = diagnosis.isAssumed ? .default : .recognised
        }
        format = String(diagnosis.format.prefix(Self.wordLength))
        contentType = String(diagnosis.contentType.prefix(Self.wordLength))
        summary = diagnosis.summaryLine
        signature = diagnosis.signatureDigits
    }

    /// The longest name of a format, and the longest MIME type, in characters of ASCII.
    private static let wordLength = 64

    /// The size of the description in bytes.
    var byteCount: Int { json.utf8Bytes.count }

    /// The size of the description in bytes if the payload turns out to be a snapshot.
    var snapshotByteCount: Int {
        var snapshot = self
        snapshot.isSnapshot = true
        return snapshot.byteCount
    }

    /// The largest size in bytes that the description can have when the payload is known to its end, while nothing that
    /// only the payload tells is known.
    var widestByteCount: Int {
        var widest = self
        let word = String(repeating: "x", count: Self.wordLength)
        (widest.kind, widest.kindSource) = (.diagnostic, .recognised)
        (widest.format, widest.contentType) = (word, word)
        // Four bytes are the most for a character in UTF-8, and for one that JSON escapes and a summary may hold.
        widest.summary = String(repeating: "\u{10000}", count: SummaryLine.maximumLength)
        widest.occurredAt = collectedAt
        widest.signature = String(repeating: "0", count: Self.signatureLength)
        return widest.snapshotByteCount
    }

    /// Leaves out annotations with these keys, the last ones first, until the description is no longer than so many
    /// bytes.
    mutating func leaveOutAnnotations(_ keys: Set<String>, beyond limit: Int) {
        var keys = keys.sorted()
        while !keys.isEmpty, byteCount > limit, let last = keys.popLast() { annotations[last] = nil }
    }

    /// The description in exactly so many bytes: padded with blanks, and with a shorter summary where it is too long.
    func json(paddedTo byteCount: Int) -> [UInt8] {
        var fitting = self
        var bytes = fitting.json.utf8Bytes
        while bytes.count > byteCount, !fitting.summary.isEmpty {
            fitting.summary = String(fitting.summary.unicodeScalars.dropLast(8))
            bytes = fitting.json.utf8Bytes
        }
        return bytes + [UInt8](repeating: UInt8(ascii: " "), count: max(0, byteCount - bytes.count))
    }
}
