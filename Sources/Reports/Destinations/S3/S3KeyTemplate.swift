import DurableIO

/// The template of the keys under which reports are stored in a bucket.
///
/// A template is written as the path of a URL: `%XX` stands for a byte, and marks for what differs from report to
/// report. A template without `{id}` is a prefix before `{kind}/{yyyy}/{mm}/{dd}/{id}.gz`. The key of a report is the
/// same at each attempt, so a repeated upload meets its own object.
///
/// No value of a report changes where its object lies: in the value of a mark, `_` stands for each character but
/// letters and digits of ASCII, `-`, `_`, `.` and `~`, and a value is cut at 200 bytes. A segment that would be empty,
/// `.` or `..` becomes `_`. Stores that keep objects as files therefore never leave their directory.
struct S3KeyTemplate: Sendable {
    /// In bytes: S3 takes no longer key.
    static let maximumByteCount = 1_024
    /// Of the value of a mark, in bytes: a file system takes 255 in a name.
    static let maximumValueByteCount = 200

    /// Between the slashes.
    private let segments: [MarkedText]

    /// - Parameters:
    ///   - template: as the user writes it, without a slash in front; empty for the usual key.
    ///   - encoding: the form in which reports are sent, which decides on `.gz` at the end of the usual key.
    /// - Throws: ``ReportsError`` naming what is wrong with the template.
    init(_ template: Substring, encoding: ReportEncoding) throws(ReportsError) {
        var segments: [MarkedText] = []
        var parts = template.split(separator: "/", omittingEmptySubsequences: false)
        if parts.last?.isEmpty == true { parts.removeLast() }
        for part in parts { segments.append(try Self.segment(part)) }
        let isWhole = segments.contains { $0.holds(.id) }
        if isWhole {
            guard template.last != "/" else { throw Self.problem("has a key that ends in a slash") }
            guard encoding != .identity || !Self.endsInGz(segments) else {
                throw Self.problem("has a key that ends in .gz, but with the encoding identity no gzip file is stored")
            }
        } else {
            segments += Self.usual(encoding)
        }
        self.segments = segments
        guard key(.example(host: "")).utf8.count <= Self.maximumByteCount else {
            throw Self.problem("has a key of more than \(Self.maximumByteCount) bytes")
        }
    }

    private static func segment(_ part: Substring) throws(ReportsError) -> MarkedText {
        let text: MarkedText
        do {
            text = try MarkedText(part, in: .path)
        } catch {
            throw ReportsError(.badConfiguration, "the endpoint \(error)", underlyingError: error)
        }
        guard let plain = text.decoded() else { throw problem("has a key that is no UTF-8") }
        for case .text(let literal) in plain.pieces {
            guard literal.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                throw problem("has a control character in its key")
            }
            guard !literal.contains("/") else { throw problem("has %2F in its key: write a slash") }
        }
        guard plain.hasMarks || !isDots(plain.filled(.example(host: "")) { $0 }) else {
            throw problem("has a segment in its key that is empty, . or ..")
        }
        return plain
    }

    private static func usual(_ encoding: ReportEncoding) -> [MarkedText] {
        let marks: [Mark] = [.kind, .time(.year), .time(.month), .time(.day)]
        return marks.map { MarkedText($0) } + [MarkedText(.id, then: encoding == .file ? ".gz" : "")]
    }

    private static func endsInGz(_ segments: [MarkedText]) -> Bool {
        guard case .text(let end)? = segments.last?.pieces.last else { return false }
        return end.lowercased().hasSuffix(".gz")
    }

    private static func problem(_ text: String) -> ReportsError {
        ReportsError(.badConfiguration, "the endpoint \(text)")
    }

    // MARK: - Filling in

    /// The key of a report.
    func key(_ values: MarkValues) -> String {
        segments.map { segment in
            let text = segment.filled(values, Self.fit)
            return Self.isDots(text) ? "_" : text
        }.joined(separator: "/")
    }

    private static func fit(_ value: String) -> String {
        let bytes = value.unicodeScalars.lazy.map { scalar in
            guard let byte = UInt8(exactly: scalar.value), PercentEncoding.isUnreserved(byte) else {
                return UInt8(ascii: "_")
            }
            return byte
        }
        return String(decoding: bytes.prefix(maximumValueByteCount), as: UTF8.self)
    }

    private static func isDots(_ segment: String) -> Bool {
        segment.isEmpty || segment == "." || segment == ".."
    }
}
