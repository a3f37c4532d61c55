import Digests
import DurableIO
public import HTTPTypes
public import SystemPackage

/// Downloads files, and continues unfinished downloads after a crash or a restart.
///
/// ```swift
/// let downloader = Downloader(sessionConfiguration: .background(withIdentifier: "com.example.symbols"))
/// switch await downloader.networkResponse(from: request, with: identifier) {
/// case .success(let file, let response): …  // whole, checked, durable
/// case .retry(let response): …              // response.retryAfterInterval ?? 60
/// case .rejected: …                         // the server does not give it
/// case .failed(let error): …                // will not succeed by trying again
/// }
/// ```
///
/// A download has an identifier that stays the same over the launches of the program. The bytes that have arrived
/// survive a crash, a kill or a power cut. Ask again with the same identifier in any later launch: if the server's
/// content has not changed, the engine fetches only the rest (`Range` with `If-Range`, RFC 9110, sections 13.1.5 and
/// 14.2). For this the server must send a strong `ETag`, or a `Last-Modified` that is at least a minute older than the
/// answer. Without these, and when the content has changed, the download starts over.
///
/// The engine gives a downloaded file its final name only when the file is whole. It checks the file's length, and the
/// `Repr-Digest` (RFC 9530, SHA-256) if the server sends one, and it writes the file durably to the disk before the
/// call returns the file. From then on the file is the caller's: move the file away, or read the file and call
/// ``acknowledge(_:)``. Until the caller has done so, the file stays, and each call with the same identifier returns it
/// again.
///
/// The engine works only while a caller waits in one of the calls below. ``Uploader`` describes what uploads and
/// downloads have in common. <doc:Durability> describes what each step leaves behind when it is cut off.
///
/// ## Topics
///
/// ### Downloading
/// - ``init(sessionConfiguration:)``
/// - ``networkResponse(from:with:)``
/// - ``download(_:with:)``
/// - ``beginDownload(of:identifier:handler:)``
/// - ``acknowledge(_:)``
/// - ``Identifier``
/// - ``Handler``
///
/// ### Continuing and stopping
/// - ``run()``
/// - ``waitForEarlierTransfers()``
/// - ``handleBackgroundSessionEvents(_:)``
/// - ``shutdown()``
///
/// ### Watching and cancelling
/// - ``pendingTransfers()``
/// - ``progress(of:)``
/// - ``cancel(_:)``
public actor Downloader {
    /// The name of a download, which stays the same over the launches of a program. It may be any text.
    public typealias Identifier = String
    /// A closure that is called once with the result of a download: the file and the server's answer, or an error.
    public typealias Handler = @Sendable (Identifier, Result<(FilePath, HTTPResponse), any Error>) -> Void

    private let handle: SessionHandle

    /// Makes a downloader that opens its session at its first use.
    ///
    /// - Parameter sessionConfiguration: the session's name, and the place of its ledger and its files.
    public init(sessionConfiguration: BackgroundSessionConfiguration) {
        self.init(sessionConfiguration: sessionConfiguration, seams: SessionSeams())
    }

    package init(sessionConfiguration: BackgroundSessionConfiguration, seams: SessionSeams) {
        handle = SessionHandle(.download, sessionConfiguration, seams)
    }

    /// Downloads to a file, or continues the download with this identifier, and returns the result.
    ///
    /// The engine tries again after failures of the network for as long as this call lasts. The waits double from 5
    /// seconds to an hour. The engine then shortens each wait by a random part, by a half at most. Every answer of the
    /// server ends the call. After `.retry`, ask again when the time has come that the server named; see
    /// <doc:RetrySemantics>.
    ///
    /// The request is sent unchanged, except for `Range` and `If-Range`, which the engine sets. The engine adds
    /// `Accept-Encoding: identity` unless the request has an `Accept-Encoding`. The engine does not decode a content
    /// coding such as gzip: the file holds the coded bytes. The engine follows up to five redirects (RFC 9110, section
    /// 15.4), but none from https to http. To another server it sends no credentials: of the caller's header fields it
    /// sends only `Accept`, `Accept-Encoding`, `Accept-Language` and `User-Agent` there. The ledger holds the URL
    /// including its query, so put secrets into header fields.
    ///
    /// Cancelling the task ends the call with `.failed`, code `.cancelled`. The transfer stays in the ledger, and
    /// continues when a caller waits again.
    ///
    /// - Parameters:
    ///   - request: an absolute http or https request, normally a GET.
    ///   - identifier: the name of the transfer. While the transfer is unfinished, a second call with this identifier
    ///     joins the transfer, and both calls return the same result. A second call with another method or URL fails
    ///     with `.identifierInUse`.
    /// - Returns: the result. Failures are results, too; this never throws.
    public func networkResponse(
        from request: HTTPRequest, with identifier: Identifier
    ) async -> DownloadResponse<FilePath> {
        do {
            let (result, file) = try await result(request, identifier)
            return DownloadResponse(result, file: file)
        } catch {
            return .failed(error)
        }
    }

    /// Downloads like ``networkResponse(from:with:)``, and returns the file or throws an error.
    ///
    /// - Parameters:
    ///   - request: an absolute http or https request, normally a GET.
    ///   - identifier: the name of the transfer.
    /// - Returns: the file, which is the caller's, and the head of the server's answer.
    /// - Throws: ``NetworkResponseError``. Its code is `.refused` when the server answered without giving the content.
    public func download(_ request: HTTPRequest, with identifier: Identifier) async throws -> (FilePath, HTTPResponse) {
        let (result, file) = try await result(request, identifier)
        let response = try result.answer()
        guard result.isSuccess else {
            throw NetworkResponseError(.refused, "the server answered \(response.status.code)")
        }
        return (file, response)
    }

    /// Downloads like ``download(_:with:)`` in a task of its own, and returns immediately.
    ///
    /// The handler is lost when the process ends. In a later launch, call this with the same identifier again: the
    /// download continues, or the handler gets its file.
    ///
    /// - Parameters:
    ///   - request: an absolute http or https request, normally a GET.
    ///   - identifier: the name of the transfer.
    ///   - handler: called once, on any thread.
    public func beginDownload(
        of request: HTTPRequest, identifier: Identifier, handler: @escaping Handler
    ) {
        Task {
            do {
                handler(identifier, .success(try await download(request, with: identifier)))
            } catch {
                handler(identifier, .failure(error))
            }
        }
    }

    private func result(
        _ request: HTTPRequest, _ identifier: Identifier
    ) async throws(NetworkResponseError) -> (TransferResult, FilePath) {
        let endpoint = try request.endpoint
        let file = try file(of: identifier)
        let stored = TransferRecord.StoredRequest(
            request, to: endpoint, bodyPath: file.string,
            bodyHash: ContentHash(of: Array("\(request.method.rawValue) \(endpoint)".utf8)))
        let result = try await handle.result(
            of: TransferWork(
                request: request, transfer: handle.transfer(identifier, byteCount: 0, request: stored),
                keepsResult: { [files = handle.files] in DownloadDirectory.isThere(file, files: files) }))
        return (result, file)
    }

    /// The path of the content, whether the file is there already or not.
    private func file(of identifier: Identifier) throws(NetworkResponseError) -> FilePath {
        guard let root = handle.configuration.resolvedRootDirectory else {
            throw NetworkResponseError(.storage, "there is no home directory: set a root directory")
        }
        return DownloadDirectory.path(of: handle.kind.rowName(identifier), below: root)
    }

    /// Removes the file of a finished download, if it is still there, so that its identifier can begin a new download.
    ///
    /// When this call has returned, a power cut does not bring the file back. After a power cut during the call, either
    /// the file is still there, or the next call with the identifier begins a new download.
    ///
    /// - Parameter identifier: the download's name. An unfinished or unknown download is left as it is.
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or its ledger fails.
    public func acknowledge(_ identifier: Identifier) async throws {
        let file = try file(of: identifier)
        // The file goes first, because the caller has said that it is no longer needed.
        try await handle.acknowledge(identifier) { [files = handle.files] in
            try DownloadDirectory.remove(file, files: files)
        }
    }

    // MARK: - All downloads

    /// Continues all unfinished transfers until the task is cancelled, also those that no caller waits for.
    ///
    /// The results are stored until a caller asks for them. Transfers of earlier launches need the configuration's
    /// ``BackgroundSessionConfiguration/requestProvider``. This call drives the whole session, including its uploads.
    /// It returns when the task is cancelled or the downloader shuts down.
    ///
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or its ledger fails.
    public func run() async throws {
        try await handle.run()
    }

    /// Continues the downloads that earlier launches left unfinished. Returns when each of them has ended, or can
    /// continue only after a caller asks for it.
    ///
    /// The results are stored until a caller asks with the identifiers. Without a
    /// ``BackgroundSessionConfiguration/requestProvider`` no download can continue by itself, and this returns
    /// immediately.
    ///
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or the task is cancelled.
    public func waitForEarlierTransfers() async throws {
        try await handle.waitForEarlierTransfers()
    }

    /// Calls ``waitForEarlierTransfers()`` in a task of its own, for a caller that does not wait.
    ///
    /// - Parameter completion: called once at the end, also when the session cannot be opened.
    public nonisolated func handleBackgroundSessionEvents(_ completion: @escaping @Sendable () -> Void) {
        Task {
            try? await waitForEarlierTransfers()
            completion()
        }
    }

    /// The downloads that are unfinished, or whose files no caller has acknowledged, in the order in which they were
    /// enqueued.
    ///
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or its ledger fails.
    public func pendingTransfers() async throws -> [PendingTransfer] {
        try await handle.pending()
    }

    /// A stream of a download's progress, from now until the download ends. A reader that is slow gets only the newest
    /// value.
    ///
    /// - Parameter identifier: the download's name. The download need not have begun.
    /// - Returns: the number of the file's bytes that are on disk, including those of earlier attempts. The stream
    ///   finishes when the download ends or the downloader shuts down.
    public nonisolated func progress(of identifier: Identifier) -> AsyncStream<TransferProgress> {
        handle.progress(of: identifier)
    }

    /// Cancels an unfinished download and the attempt that is under way, and gives up the bytes that have arrived.
    ///
    /// Calls that wait for the download return `.failed`, code `.cancelled`. The next launch removes the partial file
    /// from the disk. When this call has returned, the cancellation survives a power cut.
    ///
    /// - Parameter identifier: the download's name.
    /// - Returns: `true` if an unfinished download was cancelled; `false` if there was none, or if it ended first.
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or its ledger fails.
    @discardableResult
    public func cancel(_ identifier: Identifier) async throws -> Bool {
        try await handle.cancel(identifier)
    }

    /// Ends all waiting calls of this downloader with `.failed`, code `.cancelled`, and stops its downloads, which a
    /// later launch continues.
    ///
    /// When the last uploader or downloader that uses the session has shut down, the session is closed. Using the
    /// downloader again opens the session again.
    public func shutdown() async {
        await handle.shutdown()
    }
}

extension DownloadResponse<FilePath> {
    init(_ result: TransferResult, file: FilePath) {
        switch result {
        case .success(let response): self = .success(file, response)
        case .retry(let response): self = .retry(response)
        case .rejected(let response): self = .rejected(response)
        case .failed(let error): self = .failed(error)
        }
    }
}
