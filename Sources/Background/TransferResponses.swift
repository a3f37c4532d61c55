public import HTTPTypes

/// What came of an upload: one of four things, each of which asks something else of the caller.
public enum UploadResponse: Sendable {
    /// The server has it: a 2xx, of which this is the head, `Set-Cookie` left out. Nothing is left to do.
    case success(HTTPResponse)
    /// The server says not now: 408, 409, 425, 429, 500, 502, 503, 504, 507, 509, 520 to 530, 598, 599.
    ///
    /// Ask again with the same identifier, not before `response.retryAfterInterval ?? 60` seconds have passed; the
    /// engine keeps a time the server named anyway, over launches, too. See <doc:RetrySemantics>.
    case retry(HTTPResponse)
    /// The server does not want it: every other answer, 401 and 403 included, and a 200 in HTML over plain http from
    /// another machine, which is a captive portal's. Asking again with the same request will not change that.
    case rejected(HTTPResponse)
    /// There is no answer, and trying again by itself will not bring one. Failures of the network are not among these:
    /// the engine tries them again for as long as somebody waits.
    case failed(NetworkResponseError)

    /// The head of the server's answer, if there was one.
    public var response: HTTPResponse? {
        switch self {
        case .success(let response), .retry(let response), .rejected(let response): response
        case .failed: nil
        }
    }
}

/// What came of a download: one of four things, each of which asks something else of the caller.
///
/// `File` is how the file is named: a `FilePath`, or a `URL` with `BackgroundFoundation`.
public enum DownloadResponse<File: Sendable>: Sendable {
    /// The content is in this file, whole and durable, and the head of the answer says what it is, `Set-Cookie` left
    /// out. Its status is 200, also of a content that came in parts, or 203.
    ///
    /// The file is the caller's: move it away, or read it and call ``Downloader/acknowledge(_:)``. Until then it stays,
    /// over the launches of the program, and asking again with the same identifier gives it again.
    case success(File, HTTPResponse)
    /// The server says not now: 408, 409, 425, 429, 500, 502, 503, 504, 507, 509, 520 to 530, 598, 599.
    ///
    /// Ask again with the same identifier, not before `response.retryAfterInterval ?? 60` seconds have passed; the
    /// engine keeps a time the server named anyway, over launches, too. What has come by then is kept. See
    /// <doc:RetrySemantics>.
    case retry(HTTPResponse)
    /// The server does not give it: every other answer, 401, 403 and 404 included.
    case rejected(HTTPResponse)
    /// There is no content, and trying again by itself will not bring it. Failures of the network are not among these:
    /// the engine tries them again for as long as somebody waits.
    case failed(NetworkResponseError)

    /// The head of the server's answer, if there was one.
    public var response: HTTPResponse? {
        switch self {
        case .success(_, let response), .retry(let response), .rejected(let response): response
        case .failed: nil
        }
    }

    /// The same with the file named in another way.
    package func mapFile<Other>(_ transform: (File) -> Other) -> DownloadResponse<Other> {
        switch self {
        case .success(let file, let response): .success(transform(file), response)
        case .retry(let response): .retry(response)
        case .rejected(let response): .rejected(response)
        case .failed(let error): .failed(error)
        }
    }
}

extension UploadResponse: CustomStringConvertible {
    /// One word and the status or the error, for logs: never a field's value.
    public var description: String {
        switch self {
        case .success(let response): "success (\(response.status.code))"
        case .retry(let response): "retry (\(response.status.code))"
        case .rejected(let response): "rejected (\(response.status.code))"
        case .failed(let error): "failed (\(error))"
        }
    }

    init(_ result: TransferResult) {
        switch result {
        case .success(let response): self = .success(response)
        case .retry(let response): self = .retry(response)
        case .rejected(let response): self = .rejected(response)
        case .failed(let error): self = .failed(error)
        }
    }
}

extension DownloadResponse: CustomStringConvertible {
    /// One word and the status or the error, for logs: never a field's value or a path.
    public var description: String {
        switch self {
        case .success(_, let response): "success (\(response.status.code))"
        case .retry(let response): "retry (\(response.status.code))"
        case .rejected(let response): "rejected (\(response.status.code))"
        case .failed(let error): "failed (\(error))"
        }
    }
}
