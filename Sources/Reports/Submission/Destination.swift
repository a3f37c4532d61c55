package import Background
import DurableIO

/// Where reports go, and with which headers of the user's own.
///
/// The URL may hold `{id}`, `{kind}` and `{host}`. With `{id}` reports are `PUT`, each to its own address, which makes a
/// resend harmless on any server (RFC 9110, section 9.2.2); without it they are `POST`ed. `{host}` is this machine's name.
/// Neither the URL nor a header is written to disk or logged.
public struct Destination: Sendable {
    /// Gives the headers of one request, credentials above all, at the moment it is sent.
    public typealias HeaderProvider = @Sendable () async throws -> [(name: String, value: String)]

    /// In which form reports are sent. The default is ``ReportEncoding/gzip``. Reports with a request of their own are not
    /// concerned.
    public var encoding = ReportEncoding.gzip
    /// The proof of receipt that a 2xx has to come with. The default, `nil`, takes every 2xx for a delivery.
    public var acknowledgement: Acknowledgement?

    /// The URL, cut at its marks, which is done once and not for each report.
    private let pieces: [Piece]
    let provider: HeaderProvider

    private enum Piece: Sendable {
        case text(String)
        case id
        case kind
        case host
    }

    /// An HTTP or HTTPS endpoint.
    ///
    /// - Parameters:
    ///   - url: An absolute URL without user name and password, with `{id}`, `{kind}` and `{host}` where wanted.
    ///   - headers: Sent with each report, for example an `Authorization`; none by default. They are kept in memory only.
    ///     Those that frame the request or say what the report is, such as `Content-Type`, `Idempotency-Key` and all that
    ///     begin with `Report-`, are the sender's own and passed over.
    /// - Returns: The destination; its URL is checked when a reporter is made.
    public static func http(_ url: String, headers: [(name: String, value: String)] = []) -> Destination {
        Destination(template: url) { headers }
    }

    /// An HTTP or HTTPS endpoint whose headers are asked for at each send, so that a renewed token is used at once.
    ///
    /// - Parameters:
    ///   - url: An absolute URL, as for headers that stay the same.
    ///   - provider: Called for each attempt, several at a time. When it throws, nothing is sent and the report waits as
    ///     if the server could not be reached; of the error only the type is logged.
    /// - Returns: The destination; its URL is checked when a reporter is made.
    public static func http(_ url: String, headers provider: @escaping HeaderProvider) -> Destination {
        Destination(template: url, provider: provider)
    }

    init(template: String, provider: @escaping HeaderProvider) {
        pieces = Self.pieces(of: template)
        self.provider = provider
    }

    private static func pieces(of template: String) -> [Piece] {
        let marks: [(String, Piece)] = [("{id}", .id), ("{kind}", .kind), ("{host}", .host)]
        var pieces: [Piece] = []
        var text = ""
        var rest = template[...]
        while !rest.isEmpty {
            if let (mark, piece) = marks.first(where: { rest.hasPrefix($0.0) }) {
                pieces += [.text(text), piece]
                text = ""
                rest = rest.dropFirst(mark.count)
            } else {
                text.append(rest.removeFirst())
            }
        }
        return pieces + [.text(text)]
    }

    var namesReports: Bool {
        pieces.contains { if case .id = $0 { true } else { false } }
    }

    /// The address of one report.
    package func endpoint(id: String, kind: String, host: String) throws(ReportsError) -> Endpoint {
        var url = ""
        for piece in pieces {
            switch piece {
            case .text(let text): url += text
            case .id: url += Self.percentEncoded(id)
            case .kind: url += Self.percentEncoded(kind)
            case .host: url += Self.percentEncoded(host)
            }
        }
        do {
            return try Endpoint(url)
        } catch {
            // The URL may carry a secret in its query; the message names the problem, not the value.
            throw ReportsError(.badConfiguration, "the endpoint \(error)", underlyingError: error)
        }
    }

    /// Checks the URL before anything is done with it, with this machine's own name in it.
    package func validate() throws(ReportsError) -> Endpoint {
        try endpoint(id: String(repeating: "0", count: 64), kind: "crash", host: CurrentProcess.hostName)
    }

    private static func percentEncoded(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let isPlain =
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: false
                }
            if isPlain || byte == 0x2d || byte == 0x2e || byte == 0x5f || byte == 0x7e {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
