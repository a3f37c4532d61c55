public import Background
public import Foundation
import HTTPTypes
import SystemPackage

#if canImport(FoundationNetworking)
public import FoundationNetworking
#endif

extension Uploader {
    /// Uploads a file, or goes on with the upload of that name, for a request of Foundation's.
    ///
    /// The same as ``Background/Uploader/networkResponse(from:uploading:with:)-(HTTPRequest,_,_)``, with the request's
    /// method, URL and header fields. Its body, time-out and cache policy are not used.
    ///
    /// - Parameters:
    ///   - request: an absolute http or https URL, and header fields.
    ///   - file: a file URL.
    ///   - identifier: names the transfer, over the launches of the program.
    /// - Returns: the outcome; it never throws.
    public func networkResponse(
        from request: URLRequest, uploading file: URL, with identifier: Identifier
    ) async -> NetworkResponse<Void> {
        guard file.isFileURL else {
            return .failed(NetworkResponseError(.unreadableFile, "the file's URL has another scheme than file"))
        }
        guard let httpRequest = HTTPRequest(request) else {
            return .failed(NetworkResponseError(.invalidRequest, "the request has no absolute URL or a bad method"))
        }
        return await networkResponse(from: httpRequest, uploading: FilePath(file.path), with: identifier)
    }
}

extension HTTPRequest {
    fileprivate init?(_ request: URLRequest) {
        guard let url = request.url, let scheme = url.scheme, url.host != nil,
            let method = Method(rawValue: request.httpMethod ?? "GET")
        else { return nil }
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
    /// asks for none. Between 0 and 86,400 (24 hours).
    public var retryAfterInterval: Double? {
        var response = HTTPResponse(status: .ok)
        response.headerFields[.retryAfter] = value(forHTTPHeaderField: "Retry-After")
        response.headerFields[.date] = value(forHTTPHeaderField: "Date")
        return response.retryAfterInterval
    }
}
