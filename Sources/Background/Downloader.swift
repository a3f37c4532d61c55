import DurableIO
public import HTTPTypes
public import SystemPackage

/// Downloads to files under names that outlive the process.
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
/// What has come survives a crash, a kill or a power cut: ask again with the same identifier in any later launch, and
/// only the rest is fetched, as long as the server's content is still the same (`Range` with `If-Range`, RFC 9110,
/// sections 13.1.5 and 14.2). It takes a strong `ETag`, or a `Last-Modified` a minute older than the answer; else, and
/// when the content has changed, the download starts over.
///
/// A file appears under its own name only when it is whole: its length, and a `Repr-Digest` (RFC 9530, SHA-256) if the
/// server sends one, are checked, and it is on disk before anybody hears of it. From then on it is the caller's: move
/// it away, or read it and ``acknowledge(_:)``. Until then it stays, and is handed out again to whoever asks.
///
/// The engine works only while somebody waits in one of the calls below; see ``Uploader`` for what both have in common,
/// and <doc:Durability> for what each step leaves behind when it is cut off.
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
/// ### Going on
/// - ``run()``
/// - ``waitForEarlierTransfers()``
/// - ``handleBackgroundSessionEvents(_:)``
/// - ``shutdown()``
///
/// ### Looking on
/// - ``pendingTransfers()``
/// - ``progress(of:)``
/// - ``cancel(_:)``
public actor Downloader {
    /// Names a transfer, stable over the launches of a program. Any text.
    public typealias Identifier = String
    /// Told once how a download ended: the file and the server's answer, or why there is no file.
    public typealias Handler = @Sendable (Identifier, Result<(FilePath, HTTPResponse), any Error>) -> Void

    private let handle: SessionHandle

    /// A downloader that does nothing yet: the session is opened at its first use.
    ///
    /// - Parameter sessionConfiguration: its name, and where its ledger and its files are.
    public init(sessionConfiguration: BackgroundSessionConfiguration) {
        self.init(sessionConfiguration: sessionConfiguration, seams: SessionSeams())
    }

    package init(sessionConfiguration: BackgroundSessionConfiguration, seams: SessionSeams) {
        handle = SessionHandle(.download, sessionConfiguration, seams)
    }

    /// Downloads to a file, or goes on with the download of that name, and returns how it ended.
    ///
    /// Failures of the network are tried again for as long as this call lasts, after waits that double from 5 seconds
    /// to an hour, each shortened by chance to no less than half. What the server answers is handed back: after
    /// `.retry`, ask again when its time has come. See <doc:RetrySemantics>.
    ///
    /// The request is sent as it is, but for `Range` and `If-Range`, which are the engine's, and with
    /// `Accept-Encoding: identity` unless it says otherwise; a content coding is left as it is in the file. Up to five
    /// redirects (RFC 9110, section 15.4) are followed, never from https to http, and to another server without
    /// credentials: of the caller's header fields only `Accept`, `Accept-Encoding`, `Accept-Language` and `User-Agent`
    /// go there. The URL is written to the ledger, query included, so secrets belong in header fields.
    ///
    /// Cancelling the task ends the wait with `.failed`, code `.cancelled`. The transfer stays, and goes on when
    /// somebody waits again.
    ///
    /// - Parameters:
    ///   - request: absolute, http or https, as a rule a GET.
    ///   - identifier: names the transfer. While it is unfinished a second call joins it, and both return the same;
    ///     with another method or URL the call fails with `.identifierInUse`.
    /// - Returns: the outcome; it never throws.
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

    /// The same, for those who want the file or an error.
    ///
    /// - Parameters:
    ///   - request: absolute, http or https, as a rule a GET.
    ///   - identifier: names the transfer.
    /// - Returns: the file, which is the caller's, and the head of the server's answer.
    /// - Throws: ``NetworkResponseError``; with code `.refused` when the server answered without giving the content.
    public func download(_ request: HTTPRequest, with identifier: Identifier) async throws -> (FilePath, HTTPResponse) {
        let (result, file) = try await result(request, identifier)
        let response = try result.answer()
        guard result.isSuccess else {
            throw NetworkResponseError(.refused, "the server answered \(response.status.code)")
        }
        return (file, response)
    }

    /// The same, for those who do not wait: the download goes on in a task of its own, and the handler is called once.
    ///
    /// The handler lives as long as the process. In a later launch, begin with the same identifier again: the download
    /// goes on, or its file is handed over.
    ///
    /// - Parameters:
    ///   - request: absolute, http or https, as a rule a GET.
    ///   - identifier: names the transfer.
    ///   - handler: called once, on no particular thread.
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
        var hasher = ContentHash.Hasher()
        hasher.update(Array("\(request.method.rawValue) \(endpoint)".utf8))
        let stored = TransferRecord.StoredRequest(
            request, to: endpoint, bodyPath: file.string, bodyHash: hasher.finish())
        let result = try await handle.result(
            of: TransferWork(
                request: request, transfer: handle.transfer(identifier, byteCount: 0, request: stored),
                keepsResult: { [files = handle.files] in DownloadDirectory.isThere(file, files: files) }))
        return (result, file)
    }

    /// Where the content will be, or is.
    private func file(of identifier: Identifier) throws(NetworkResponseError) -> FilePath {
        guard let root = handle.configuration.resolvedRootDirectory else {
            throw NetworkResponseError(.storage, "there is no home directory: set a root directory")
        }
        return DownloadDirectory.path(of: handle.kind.rowName(identifier), below: root)
    }

    /// The file of a finished download is not needed any more: it is removed, if it is still there, and the same
    /// identifier begins a new download.
    ///
    /// On return this survives a power cut. One that is cut off leaves the file, or a download that begins anew.
    ///
    /// - Parameter identifier: the download's name. One that is unfinished, or unknown, is left as it is.
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened, or its ledger fails.
    public func acknowledge(_ identifier: Identifier) async throws {
        let file = try file(of: identifier)
        // First the file: the caller has said that nobody needs it.
        try await handle.acknowledge(identifier) { [files = handle.files] in
            try DownloadDirectory.remove(file, files: files)
        }
    }

    // MARK: - All downloads

    /// Goes on with everything unfinished until the task is cancelled, without anybody waiting for a single transfer.
    ///
    /// Outcomes are written down for whoever asks. Transfers of earlier launches need the configuration's
    /// ``BackgroundSessionConfiguration/requestProvider``. It drives the whole session, uploads included, and returns
    /// when the task is cancelled or the downloader shuts down.
    ///
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or its ledger fails.
    public func run() async throws {
        try await handle.run()
    }

    /// Goes on with the downloads that earlier launches left unfinished, and returns once each has ended or can go on
    /// only when it is asked for.
    ///
    /// Their outcomes wait for whoever asks with their identifiers. Without a
    /// ``BackgroundSessionConfiguration/requestProvider`` there is nothing that could go on by itself, and this returns
    /// at once.
    ///
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or the task is cancelled.
    public func waitForEarlierTransfers() async throws {
        try await handle.waitForEarlierTransfers()
    }

    /// The same for a caller that does not wait.
    ///
    /// - Parameter completion: called once, also when the session cannot be opened.
    public nonisolated func handleBackgroundSessionEvents(_ completion: @escaping @Sendable () -> Void) {
        Task {
            try? await waitForEarlierTransfers()
            completion()
        }
    }

    /// The downloads that are not finished, or whose file nobody has acknowledged, in the order they came.
    ///
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or its ledger fails.
    public func pendingTransfers() async throws -> [PendingTransfer] {
        try await handle.pending()
    }

    /// How far a download has come, told from now on until it ends; who looks late sees the newest only.
    ///
    /// - Parameter identifier: the download's name. It need not have begun.
    /// - Returns: bytes of the file that are there, those of earlier attempts included. It ends with the download, or
    ///   when the downloader shuts down.
    public nonisolated func progress(of identifier: Identifier) -> AsyncStream<TransferProgress> {
        handle.progress(of: identifier)
    }

    /// Takes an unfinished download out of the queue, ending the attempt that is under way, and gives up what has come:
    /// the next launch removes it from the disk. Calls that wait for it return `.failed`, code `.cancelled`. On return
    /// this survives a power cut.
    ///
    /// - Parameter identifier: the download's name.
    /// - Returns: whether there was one; `false` also when it has come to its end meanwhile.
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or its ledger fails.
    @discardableResult
    public func cancel(_ identifier: Identifier) async throws -> Bool {
        try await handle.cancel(identifier)
    }

    /// Ends all waits of this downloader with `.failed`, code `.cancelled`; what is under way is given back and goes on
    /// in a later launch. The session is closed with the last of its uploaders and downloaders.
    ///
    /// Using the downloader again opens it anew.
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
