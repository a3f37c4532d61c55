/// The form in which a report's bytes are sent.
public struct ReportEncoding: RawRepresentable, Hashable, Sendable {
    /// The name of the form, as in the configuration file.
    public let rawValue: String

    /// Sends the bytes compressed, with `Content-Encoding: gzip` and the payload's own `Content-Type`. This is the
    /// default. A server that decodes the coding gets the payload; any other server gets the compressed bytes.
    public static let gzip = ReportEncoding(name: "gzip")
    /// Sends the bytes as a gzip file (`Content-Type: application/gzip`), for servers that refuse a content coding, or
    /// that have to store the body unchanged.
    public static let file = ReportEncoding(name: "file")
    /// Sends the payload itself, inflated while it is sent, for servers that do not decode. This needs more bandwidth.
    public static let identity = ReportEncoding(name: "identity")

    /// All forms.
    public static let all: [ReportEncoding] = [.gzip, .file, .identity]

    /// Makes the form of that name; `nil` when there is no such form.
    public init?(rawValue: String) {
        guard let known = Self.all.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = known
    }

    private init(name: String) {
        rawValue = name
    }
}
