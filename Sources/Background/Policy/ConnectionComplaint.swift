/// What a server has against the connection a request came over, said before its application has seen the request: no
/// word about the transfer, and no reason to part with it.
package enum ConnectionComplaint: Hashable, Sendable {
    case missingCertificate
    case refusedCertificate
    case notOverTLS

    /// - Parameters:
    ///   - status: the status code. nginx has 495, 496 and 497 of its own, and sends them as 400 unless told otherwise.
    ///   - contentType: the value of `Content-Type`.
    ///   - body: the beginning of the answer's body, where the page says which of them it is.
    /// - Returns: `nil` when the answer says nothing of the kind.
    package static func of(status: Int, contentType: String?, body: [UInt8]) -> ConnectionComplaint? {
        switch status {
        case 495: return .refusedCertificate
        case 496: return .missingCertificate
        case 497: return .notOverTLS
        case 400 where contentType == nil && body == goText:
            return .notOverTLS
        case 400:
            // Only as a page of the server's own: an application may repeat whatever stands in a report.
            guard contentType?.lowercased().hasPrefix("text/html") == true else { return nil }
            let text = String(decoding: body, as: UTF8.self)
            return pages.first { $0.marks.allSatisfy(text.contains) }?.complaint
        default: return nil
        }
    }

    /// All that Go's server says (net/http/server.go).
    private static let goText = Array("Client sent an HTTP request to an HTTPS server.\n".utf8)

    /// nginx's pages (ngx_http_special_response.c), and httpd's for a plain request.
    private static let pages: [(marks: [String], complaint: ConnectionComplaint)] = [
        (["<title>400 No required SSL certificate was sent</title>"], .missingCertificate),
        (["<title>400 The SSL certificate error</title>"], .refusedCertificate),
        (["<title>400 The plain HTTP request was sent to HTTPS port</title>"], .notOverTLS),
        (
            [
                "<title>400 Bad Request</title>",
                "<br />\nReason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
            ], .notOverTLS
        ),
    ]

    /// For people.
    package var text: String {
        switch self {
        case .missingCertificate: "it demands a client certificate"
        case .refusedCertificate: "it does not accept the client certificate"
        case .notOverTLS: "it wants TLS there: write https://"
        }
    }
}
