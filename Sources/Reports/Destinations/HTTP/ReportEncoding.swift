/// In which form a report's bytes are sent.
public struct ReportEncoding: RawRepresentable, Hashable, Sendable {
    /// The name, as in the configuration file.
    public let rawValue: String

    /// Compressed, and said to be (`Content-Encoding: gzip`), under the payload's own `Content-Type`. The default: a
    /// server that decodes has the payload, any other the compressed bytes.
    public static let gzip = ReportEncoding(name: "gzip")
    /// As a gzip file (`Content-Type: application/gzip`), for servers that refuse a coding, or shall store what comes
    /// as it comes.
    public static let file = ReportEncoding(name: "file")
    /// As the payload itself, inflated while it is sent, for servers that do not decode. Costs bandwidth.
    public static let identity = ReportEncoding(name: "identity")

    /// All that there are.
    public static let all: [ReportEncoding] = [.gzip, .file, .identity]

    /// The encoding of that name; `nil` if there is none.
    public init?(rawValue: String) {
        guard let known = Self.all.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = known
    }

    private init(name: String) {
        rawValue = name
    }
}
