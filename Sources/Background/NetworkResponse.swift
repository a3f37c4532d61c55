public import HTTPTypes

/// What came of a transfer: one of four things, each of which asks something else of the caller.
///
/// - ``success(_:)``: the server has it (2xx). Nothing is left to do.
/// - ``retry(_:)``: the server cannot take it now. Ask again with the same identifier, not before
///   `response.retryAfterInterval ?? 60` seconds have passed; the engine keeps a time the server named anyway.
/// - ``rejected(_:)``: the server does not want it. Asking again with the same request will not change that.
/// - ``failed(_:)``: there is no answer, and trying again by itself will not bring one. Failures of the network are not
///   among these: the engine tries them again for as long as somebody waits.
public enum NetworkResponse<Value: Sendable>: Sendable {
    /// What a server that accepted has sent: its answer's head, and what the transfer was for.
    ///
    /// All of the answer's head can be read directly: `received.status`, `received.headerFields`.
    @dynamicMemberLookup
    public struct Received: Sendable {
        /// What the transfer was for; `Void` for an upload.
        public var value: Value
        /// The head of the answer. Cookies are not kept.
        public var response: HTTPResponse

        /// Puts an answer and its value together.
        public init(value: Value, response: HTTPResponse) {
            self.value = value
            self.response = response
        }

        /// A property of the answer's head.
        public subscript<Property>(dynamicMember path: KeyPath<HTTPResponse, Property>) -> Property {
            response[keyPath: path]
        }
    }

    /// The server has it: any 2xx.
    case success(Received)
    /// The server says not now: 408, 409, 425, 429, 500, 502, 503, 504, 507, 509, 520 to 530, 598, 599.
    case retry(HTTPResponse)
    /// The server does not want it: every other answer, 401 and 403 included.
    case rejected(HTTPResponse)
    /// There is no answer.
    case failed(NetworkResponseError)

    /// The head of the server's answer, if there was one.
    public var response: HTTPResponse? {
        switch self {
        case .success(let received): received.response
        case .retry(let response), .rejected(let response): response
        case .failed: nil
        }
    }
}

extension NetworkResponse: CustomStringConvertible {
    /// One word and the status or the error, for logs: never a field's value.
    public var description: String {
        switch self {
        case .success(let received): "success (\(received.response.status.code))"
        case .retry(let response): "retry (\(response.status.code))"
        case .rejected(let response): "rejected (\(response.status.code))"
        case .failed(let error): "failed (\(error))"
        }
    }
}
