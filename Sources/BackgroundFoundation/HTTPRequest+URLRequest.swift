import Background
import Foundation
import HTTPTypes

#if canImport(FoundationNetworking)
public import FoundationNetworking
#endif

extension HTTPRequest {
    /// Makes a request with the method, the URL and the header fields of Foundation's `URLRequest`.
    /// - Throws: `.invalidRequest` when the request has no absolute URL, or an invalid method.
    init(_ request: URLRequest) throws(NetworkResponseError) {
        guard let url = request.url, let scheme = url.scheme, url.host != nil,
            let method = Method(rawValue: request.httpMethod ?? "GET")
        else { throw NetworkResponseError(.invalidRequest, "the request has no absolute URL or a bad method") }
        // The text between the scheme and the path is kept whole, so that the engine sees and refuses a user name in
        // it.
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
    /// The wait that the server asks for with `Retry-After`, in seconds from the arrival of the answer; `nil` when it
    /// asks for none.
    ///
    /// Numbers of seconds and all three forms of HTTP dates are understood (RFC 9110, sections 10.2.3 and 5.6.7). Parts
    /// of a second are rounded up. A date is compared with the answer's own `Date`. Without a `Date`, it is compared
    /// with this machine's clock at the time of asking. The result is between 0 and 86,400 (24 hours), whatever the
    /// server wrote.
    public var retryAfterInterval: Double? {
        var response = HTTPResponse(status: .ok)
        response.headerFields[.retryAfter] = value(forHTTPHeaderField: "Retry-After")
        response.headerFields[.date] = value(forHTTPHeaderField: "Date")
        return response.retryAfterInterval
    }
}
