import Background
import DurableIO
import HTTPTypes

/// Where a report goes that was submitted with a request of its own: all of the request but its headers' values.
///
/// It is stored with the bytes, so that no ledger has to be whole for the report not to go elsewhere.
package struct OwnRequest: Hashable, Sendable {
    package let method: String
    package let url: String
    /// In the request's order, for people, and to know whether it can be made again from this alone.
    package let headerNames: [String]

    package init(method: String, url: String, headerNames: [String]) {
        self.method = method
        self.url = url
        self.headerNames = headerNames
    }

    /// Checks a caller's request.
    /// - Throws: ``ReportsError`` when it has no absolute URL, no body could go with it, or a header of it is ours.
    init(_ request: HTTPRequest) throws(ReportsError) {
        let endpoint = try request.reportEndpoint()
        // No URL may hold one (RFC 3986, section 2), and a server that answers 2xx would be taken for the right one.
        guard !endpoint.path.utf8.contains(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }) else {
            throw ReportsError(
                .badArgument, "the request's URL holds a brace: marks are a destination's; write %7B or %7D")
        }
        guard [.put, .post, .patch].contains(request.method) else {
            throw ReportsError(.badArgument, "a report is sent by PUT, POST or PATCH, not by \(request.method)")
        }
        for field in request.headerFields where HeaderRules.isReserved(field.name.rawName) {
            // Whatever names the payload's type is the caller's to say, and a length is a fact that we know better.
            if field.name == .contentType || field.name == .contentLength { continue }
            throw ReportsError(.badArgument, "the header \(field.name) is set by the sender itself")
        }
        self.init(
            method: request.method.rawValue, url: endpoint.description,
            headerNames: request.headerFields.map(\.name.rawName).filter { $0.lowercased() != "content-length" })
    }

    /// Whether a request can be made from what is stored: no header has a value that only the caller knows.
    var isWhole: Bool { headerNames.isEmpty }

    var json: JSONValue {
        var object = JSONObject()
        object["method"] = .string(method)
        object["url"] = .string(url)
        object["headers"] = .array(headerNames.map(JSONValue.string))
        return .object(object)
    }

    init?(json: JSONValue?) {
        guard let method = json?["method"]?.stringValue, let url = json?["url"]?.stringValue else { return nil }
        self.init(
            method: method, url: url,
            headerNames: json?["headers"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    }

    /// The row's columns; `nil` when the URL is none, and the report goes where the others go.
    func stored(id: ContentHash) -> TransferRecord.StoredRequest? {
        guard let endpoint = try? Endpoint(url) else { return nil }
        return TransferRecord.StoredRequest(
            origin: endpoint.origin, method: method, url: url, headerNames: headerNames, bodyPath: "",
            bodyHash: id.hex)
    }
}

extension HTTPRequest {
    /// Where it goes.
    func reportEndpoint() throws(ReportsError) -> Endpoint {
        guard let scheme, let authority else {
            throw ReportsError(.badArgument, "the request has no absolute URL")
        }
        do {
            return try Endpoint("\(scheme)://\(authority)\(path ?? "/")")
        } catch {
            throw ReportsError(.badArgument, "the request's URL \(error)", underlyingError: error)
        }
    }
}
