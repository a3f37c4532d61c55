import Background
import Foundation
import HTTPTypes

#if canImport(FoundationNetworking)
public import FoundationNetworking
#endif

extension HTTPRequest {
    /// Method, URL and header fields of a request of Foundation's.
    /// - Throws: `.invalidRequest` when it has no absolute URL, or a method that is none.
    init(_ request: URLRequest) throws(NetworkResponseError) {
        guard let url = request.url, let scheme = url.scheme, url.host != nil,
            let method = Method(rawValue: request.httpMethod ?? "GET")
        else { throw NetworkResponseError(.invalidRequest, "the request has no absolute URL or a bad method") }
        // Everything between the scheme and the path, so that a user name is seen and refused by the engine.
        let rest = url.absoluteString.dropFirst(scheme.count + "://".count).prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest[authority.endIndex...]
        self.init(
            method: method, scheme: scheme.lowercased(), authority: String(authority),
            path: path.hasPrefix("/") ? String(path) : "/" + path)
        for (name, value) in request.allHTTPHeaderFields ?? [:] {
            guard let name = HTTPField.Name(name) else { continue }
            headerFields.append(HTTPField(name: name, value: value))
        }
    }
}

extension HTTPURLResponse {
    /// The wait the server asks for with `Retry-After`, in seconds from the moment the answer arrived; `nil` when it
    /// asks for none.
    ///
    /// Seconds and all three forms of HTTP dates are understood (RFC 9110, sections 10.2.3 and 5.6.7); parts of a
    /// second are rounded up. A date is taken against the answer's own `Date`, and only without one against this
    /// machine's clock at the time of asking. Between 0 and 86,400 (24 hours) whatever the server wrote.
    public var retryAfterInterval: Double? {
        var response = HTTPResponse(status: .ok)
        response.headerFields[.retryAfter] = value(forHTTPHeaderField: "Retry-After")
        response.headerFields[.date] = value(forHTTPHeaderField: "Date")
        return response.retryAfterInterval
    }
}
