import DurableIO
import HTTPTypes

/// What a download remembers, so that a later attempt can go on: the answer, and how much of its content is on disk.
struct DownloadProgress: Hashable, Sendable {
    /// The answer's head: it tells whether the server's content is still the same, and is handed to the caller at the
    /// end.
    var answer: StoredAnswer
    /// Of the whole content, in bytes, as far as the server has said it.
    var total: UInt64?
    /// Bytes from the beginning that survive a power cut.
    var durable: UInt64
    /// The most bytes that ever did, those of earlier beginnings included.
    var furthest: UInt64

    init(_ answer: TransferAnswer, furthest: UInt64) {
        self.answer = StoredAnswer(answer)
        total = answer.fields[.contentLength].flatMap { UInt64($0) }
        durable = 0
        self.furthest = furthest
    }

    /// - Returns: whether that is more than ever before.
    mutating func move(to durable: UInt64) -> Bool {
        self.durable = durable
        guard durable > furthest else { return false }
        furthest = durable
        return true
    }

    /// Numbers on the first line, then the answer.
    var text: String { "\(durable) \(total.map(String.init) ?? "-") \(furthest)\n\(answer.text)" }

    init?(text: String) {
        guard let end = text.firstIndex(of: "\n") else { return nil }
        let numbers = text[..<end].split(separator: " ")
        guard numbers.count == 3, let durable = UInt64(numbers[0]), let furthest = UInt64(numbers[2]),
            let answer = StoredAnswer(text: String(text[text.index(after: end)...]))
        else { return nil }
        self.answer = answer
        self.durable = durable
        self.furthest = furthest
        total = UInt64(numbers[1])
    }

    var isWhole: Bool { durable == total }

    /// What `If-Range` is to say so that the server sends the rest of exactly this content: a strong entity tag, or a
    /// date that is strong because it lies a minute before the answer's own (RFC 9110, sections 8.8.2.2 and 13.1.5).
    var validator: String? {
        if let tag = answer.fields[.eTag], tag.hasPrefix("\""), tag.count > 1, tag.hasSuffix("\"") { return tag }
        guard let modified = answer.fields[.lastModified], let date = answer.fields[.date],
            // Only their difference matters, so that any year does to complete two digits.
            let modifiedAt = HTTPDate.parse(modified, nowMilliseconds: 0),
            let answeredAt = HTTPDate.parse(date, nowMilliseconds: 0),
            answeredAt - modifiedAt >= 60_000
        else { return nil }
        return modified
    }

    /// From where the rest can be asked for; `nil` when it has to be fetched from the beginning.
    var resumeOffset: UInt64? {
        guard durable > 0, let total, durable < total, validator != nil else { return nil }
        return durable
    }
}

/// The field `Content-Range: bytes 100-199/200` (RFC 9110, section 14.4).
struct ContentRange: Hashable, Sendable {
    var first: UInt64
    var last: UInt64
    /// `nil` when the server does not say it.
    var total: UInt64?

    init?(_ text: String) {
        let words = text.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bytes" else { return nil }
        let parts = words[1].split(separator: "/", omittingEmptySubsequences: false)
        let ends = parts.first.map { $0.split(separator: "-", omittingEmptySubsequences: false) } ?? []
        guard parts.count == 2, ends.count == 2, let first = UInt64(digits: ends[0]),
            let last = UInt64(digits: ends[1]), first <= last
        else { return nil }
        self.first = first
        self.last = last
        total = UInt64(digits: parts[1])
        guard parts[1] == "*" || total ?? 0 > last else { return nil }
    }
}
