import DurableIO
public import HTTPTypes
public import SystemPackage

/// Uploads files under names that outlive the process.
///
/// ```swift
/// let uploader = Uploader(sessionConfiguration: .background(withIdentifier: "com.example.reports"))
/// switch await uploader.networkResponse(from: request, uploading: file, with: identifier) {
/// case .success(let response): …            // 2xx
/// case .retry(let response): …              // response.retryAfterInterval ?? 60
/// case .rejected: …                         // the server does not want it
/// case .failed(let error): …                // will not succeed by trying again
/// }
/// ```
///
/// From the moment an upload is written down, its identifier, its schedule and its outcome survive a crash, a kill or a
/// power cut; <doc:Durability> says how. Ask again with the same identifier in any later launch: an upload that is not
/// finished goes on, one that ended while nobody listened hands its outcome over, once. The server can get the same
/// upload twice, after a crash between sending and writing down; every try of it carries the same `Idempotency-Key`
/// (draft-ietf-httpapi-idempotency-key-header-07).
///
/// The engine sends only while somebody waits in one of the calls below. Call ``shutdown()`` before the program exits,
/// at SIGTERM and SIGINT, too: an upload that was alone under way at three unclean ends in a row is taken for what
/// kills the program, and put off for an hour or more (<doc:RetrySemantics>).
///
/// Uploaders and downloaders of one process with the same root directory share one session and one ledger; an
/// identifier names one upload and, apart from it, one download. What the first of them was configured with counts for
/// all, but for the request providers, of which each has its own.
///
/// ## Topics
///
/// ### Uploading
/// - ``init(sessionConfiguration:)``
/// - ``networkResponse(from:uploading:with:)``
/// - ``uploadFile(at:with:identifier:)``
/// - ``beginUpload(of:with:identifier:handler:)``
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
public actor Uploader {
    /// Names a transfer, stable over the launches of a program. Any text.
    public typealias Identifier = String
    /// Told once how an upload ended: the server's answer, whatever its status, or why there is none.
    public typealias Handler = @Sendable (Identifier, Result<HTTPResponse, any Error>) -> Void

    private let handle: SessionHandle

    /// An uploader that does nothing yet: the session is opened at its first use.
    ///
    /// - Parameter sessionConfiguration: its name, and where its ledger is.
    public init(sessionConfiguration: BackgroundSessionConfiguration) {
        self.init(sessionConfiguration: sessionConfiguration, seams: SessionSeams())
    }

    package init(sessionConfiguration: BackgroundSessionConfiguration, seams: SessionSeams) {
        handle = SessionHandle(.upload, sessionConfiguration, seams)
    }

    /// Uploads a file, or goes on with the upload of that name, and returns how it ended.
    ///
    /// Failures of the network are tried again for as long as this call lasts, after waits that double from 5 seconds
    /// to an hour, each shortened by chance to no less than half. What the server answers is handed back: after
    /// `.retry`, ask again when its time has come. See <doc:RetrySemantics>.
    ///
    /// The file is hashed before this goes on, checked before each try, and never moved or changed; it has to stay
    /// as it is until the transfer ends. The request is sent as it is, with `Content-Length` and, where they are
    /// missing, `Idempotency-Key` and `Repr-Digest` (RFC 9530, SHA-256); a 307 or 308 to the same server is followed,
    /// four times at most. The URL is written to the ledger, query included, so secrets belong in header fields. See
    /// <doc:Transfers>.
    ///
    /// Cancelling the task ends the wait with `.failed`, code `.cancelled`. The transfer stays, and goes on when
    /// somebody waits again.
    ///
    /// - Parameters:
    ///   - request: the request without its body; absolute, http or https.
    ///   - file: a regular file, not a symbolic link.
    ///   - identifier: names the transfer. While it is unfinished a second call joins it, and both return the same;
    ///     with other content the call fails with `.identifierInUse`. After its outcome was returned, the same
    ///     identifier begins a new transfer; if the content is the same, so is its `Idempotency-Key`.
    /// - Returns: the outcome; it never throws.
    public func networkResponse(
        from request: HTTPRequest, uploading file: FilePath, with identifier: Identifier
    ) async -> UploadResponse {
        do {
            return UploadResponse(try await result(request, file, identifier))
        } catch {
            return .failed(error)
        }
    }

    /// The same, for those who look at the status themselves.
    ///
    /// - Parameters:
    ///   - file: a regular file, not a symbolic link.
    ///   - request: the request without its body; absolute, http or https.
    ///   - identifier: names the transfer.
    /// - Returns: the head of the server's answer, whatever its status.
    /// - Throws: ``NetworkResponseError`` when there is no answer, and trying again by itself will not bring one.
    public func uploadFile(
        at file: FilePath, with request: HTTPRequest, identifier: Identifier
    ) async throws -> HTTPResponse {
        try await result(request, file, identifier).answer()
    }

    /// The same, for those who do not wait: the upload goes on in a task of its own, and the handler is called once.
    ///
    /// The handler lives as long as the process. In a later launch, begin with the same identifier again: the upload
    /// goes on, or its outcome is handed over.
    ///
    /// - Parameters:
    ///   - file: a regular file, not a symbolic link.
    ///   - request: the request without its body; absolute, http or https.
    ///   - identifier: names the transfer.
    ///   - handler: called once, on no particular thread.
    public func beginUpload(
        of file: FilePath, with request: HTTPRequest, identifier: Identifier, handler: @escaping Handler
    ) {
        Task {
            do {
                handler(identifier, .success(try await uploadFile(at: file, with: request, identifier: identifier)))
            } catch {
                handler(identifier, .failure(error))
            }
        }
    }

    private func result(
        _ request: HTTPRequest, _ path: FilePath, _ identifier: Identifier
    ) async throws(NetworkResponseError) -> TransferResult {
        let endpoint = try request.endpoint
        let (file, hash) = try await OwnThreads.run { () async throws(NetworkResponseError) in
            try await UploadFile.hashed(path.string, files: handle.files)
        }
        let stored = TransferRecord.StoredRequest(
            request, to: endpoint, bodyPath: file.path.string, bodyHash: hash)
        return try await handle.result(
            of: TransferWork(
                request: request, transfer: handle.transfer(identifier, byteCount: file.byteCount, request: stored)))
    }

    // MARK: - All uploads

    /// Goes on with everything unfinished until the task is cancelled, without anybody waiting for a single transfer.
    ///
    /// Outcomes are written down for whoever asks. Transfers of earlier launches need the configuration's
    /// ``BackgroundSessionConfiguration/requestProvider``. It drives the whole session, downloads included, and returns
    /// when the task is cancelled or the uploader shuts down.
    ///
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or its ledger fails.
    public func run() async throws {
        try await handle.run()
    }

    /// Goes on with the uploads that earlier launches left unfinished, and returns once each has ended or can go on
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

    /// The uploads that are not finished, or whose outcome nobody has asked for, in the order they came.
    ///
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or its ledger fails.
    public func pendingTransfers() async throws -> [PendingTransfer] {
        try await handle.pending()
    }

    /// How far an upload has come, told from now on until it ends; who looks late sees the newest only.
    ///
    /// - Parameter identifier: the upload's name. It need not have begun.
    /// - Returns: bytes of the file that the connection has taken in the attempt under way, in steps of 128 KiB at
    ///   most; of a file up to 256 KiB all at once, with the answer. It ends with the upload, or when the uploader
    ///   shuts down.
    public nonisolated func progress(of identifier: Identifier) -> AsyncStream<TransferProgress> {
        handle.progress(of: identifier)
    }

    /// Takes an unfinished upload out of the queue, ending the attempt that is under way. Calls that wait for it return
    /// `.failed`, code `.cancelled`. The file stays. On return this survives a power cut.
    ///
    /// - Parameter identifier: the upload's name.
    /// - Returns: whether there was one; `false` also when it has come to its end meanwhile.
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or its ledger fails.
    @discardableResult
    public func cancel(_ identifier: Identifier) async throws -> Bool {
        try await handle.cancel(identifier)
    }

    /// Ends all waits of this uploader with `.failed`, code `.cancelled`; what is under way is given back and goes on
    /// in a later launch. The session is closed with the last of its uploaders and downloaders.
    ///
    /// Using the uploader again opens it anew.
    public func shutdown() async {
        await handle.shutdown()
    }
}
