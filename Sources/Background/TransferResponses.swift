public import HTTPTypes

/// The result of an upload. Each of the four cases asks for another action of the caller.
public enum UploadResponse: Sendable {
    /// The server has the upload: the head of its 2xx answer, without `Set-Cookie`. Nothing is left to do.
    case success(HTTPResponse)
    /// The server asks to try later: 408, 409, 425, 429, 500, 502, 503, 504, 507, 509, 520 to 530, 598, 599.
    ///
    /// Ask again with the same identifier after `response.retryAfterInterval ?? 60` seconds. The engine never sends
    /// earlier than the server asked, also in later launches. See <doc:RetrySemantics>.
    case retry(HTTPResponse)
    /// The server does not want the upload: every other answer, including 401 and 403. Asking again with the same
    /// request will not change that.
    ///
    /// A 200 in HTML over plain http from another machine is a rejection, too, because it comes from a captive portal.
    case rejected(HTTPResponse)
    /// There is no answer, and a further attempt by the engine would bring none. A failure of the network does not end
    /// in this case: the engine tries again for as long as a caller waits.
    case failed(NetworkResponseError)

    /// The head of the server's answer, if there was one.
    public var response: HTTPResponse? {
        switch self {
        case .success(let response), .retry(let response), .rejected(let response): response
        case .failed: nil
        }
    }
}

/// The result of a download. Each of the four cases asks for another action of the caller.
///
/// `File` is the type that names the file: `FilePath`, or `URL` with `BackgroundFoundation`.
public enum DownloadResponse<File: Sendable>: Sendable {
    /// The content is in this file, whole and durable. The head of the answer, without `Set-Cookie`, describes the
    /// content. The status is 200 or 203, also for content that came in parts.
    ///
    /// The file is the caller's: move it away, or read it and call ``Downloader/acknowledge(_:)``. Until then the file
    /// stays, also in later launches, and asking again with the same identifier returns it again.
    case success(File, HTTPResponse)
    /// The server asks to try later: 408, 409, 425, 429, 500, 502, 503, 504, 507, 509, 520 to 530, 598, 599.
    ///
    /// Ask again with the same identifier after `response.retryAfterInterval ?? 60` seconds. The engine never sends
    /// earlier than the server asked, also in later launches. It keeps the bytes that have arrived. See
    /// <doc:RetrySemantics>.
    case retry(HTTPResponse)
    /// The server does not give the content: every other answer, including 401, 403 and 404.
    case rejected(HTTPResponse)
    /// There is no content, and a further attempt by the engine would not bring it. A failure of the network does not
    /// end in this case: the engine tries again for as long as a caller waits.
    case failed(NetworkResponseError)

    /// The head of the server's answer, if there was one.
    public var response: HTTPResponse? {
        switch self {
        case .success(_, let response), .retry(let response), .rejected(let response): response
        case .failed: nil
        }
    }

    /// Makes the same result with another type for the file.
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
    /// The case and the status or error, for logs. It never holds the value of a header field.
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
    /// The case and the status or error, for logs. It never holds the value of a header field or a path.
    public var description: String {
        switch self {
        case .success(_, let response): "success (\(response.status.code))"
        case .retry(let response): "retry (\(response.status.code))"
        case .rejected(let response): "rejected (\(response.status.code))"
        case .failed(let error): "failed (\(error))"
        }
    }
}
