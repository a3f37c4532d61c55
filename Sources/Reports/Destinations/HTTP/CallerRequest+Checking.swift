import Background
import HTTPTypes

extension CallerRequest {
    /// Checks a caller's request.
    /// - Throws: ``ReportsError`` when it has no absolute URL, no body could go with it, or a header of it is ours.
    init(_ request: HTTPRequest) throws(ReportsError) {
        let endpoint = try request.reportEndpoint()
        // No URL may hold one (RFC 3986, section 2), and a server that answers 2xx would be taken for the right one.
        guard !endpoint.path.utf8.contains(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }) else {
            throw ReportsError(
                .badArgument,
                "the request's URL holds a brace: only a destination's URL may hold marks; write %7B or %7D")
        }
        guard [.put, .post, .patch].contains(request.method) else {
            throw ReportsError(.badArgument, "a report is sent by PUT, POST or PATCH, not by \(request.method)")
        }
        for field in request.headerFields where HeaderRules.isReserved(field.name.rawName) {
            // Whatever names the payload's type is the caller's to say, and a length is a fact that we know better.
            if field.name == .contentType || field.name == .contentLength { continue }
            throw ReportsError(.badArgument, "the header \(field.name) is set by Reports itself")
        }
        self.init(
            method: request.method.rawValue, url: endpoint.description,
            headerNames: request.headerFields.map(\.name.rawName).filter { $0.lowercased() != "content-length" })
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
