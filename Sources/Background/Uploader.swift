import DurableIO
public import HTTPTypes
public import SystemPackage

/// Uploads files, and continues unfinished uploads after a crash or a restart.
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
/// An upload has an identifier that stays the same over the launches of the program. A session is a directory with a
/// ledger, the database of its transfers (``BackgroundSessionConfiguration``). As soon as the upload is in the
/// session's ledger, its identifier, its schedule and its result survive a crash, a kill or a power cut; see
/// <doc:Durability>. Ask again with the same identifier in any later launch: an unfinished upload continues, and an
/// upload that ended while no caller waited returns its result, once.
///
/// The server can get the same upload twice, when the program crashes after the upload was sent and before its result
/// was stored. Every attempt of an upload carries the same `Idempotency-Key`
/// (draft-ietf-httpapi-idempotency-key-header-07).
///
/// The engine sends only while a caller waits in one of the calls below. Call ``shutdown()`` before the program exits,
/// also at SIGTERM and SIGINT. When a program dies three times in a row while the same upload alone is under way, the
/// engine suspects that the upload kills the program, and puts the upload off for an hour or more
/// (<doc:RetrySemantics>).
///
/// All uploaders and downloaders of one process with the same root directory share one session. In a session, an
/// identifier names one upload and, independently of that upload, one download. The configuration of the session's
/// first uploader or downloader applies to all others, too, except that each has its own request provider.
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
public actor Uploader {
    /// The name of an upload, which stays the same over the launches of a program. It may be any text.
    public typealias Identifier = String
    /// A closure that is called once with the result of an upload: the server's answer, whatever its status, or an
    /// error.
    public typealias Handler = @Sendable (Identifier, Result<HTTPResponse, any Error>) -> Void

    private let handle: SessionHandle

    /// Makes an uploader that opens its session at its first use.
    ///
    /// - Parameter sessionConfiguration: the session's name, and the place of its ledger.
    public init(sessionConfiguration: BackgroundSessionConfiguration) {
        self.init(sessionConfiguration: sessionConfiguration, seams: SessionSeams())
    }

    package init(sessionConfiguration: BackgroundSessionConfiguration, seams: SessionSeams) {
        handle = SessionHandle(.upload, sessionConfiguration, seams)
    }

    /// Uploads a file, or continues the upload with this identifier, and returns the result.
    ///
    /// The engine tries again after failures of the network for as long as this call lasts. The waits double from 5
    /// seconds to an hour. The engine then shortens each wait by a random part, by a half at most. Every answer of the
    /// server ends the call. After `.retry`, ask again when the time has come that the server named; see
    /// <doc:RetrySemantics>.
    ///
    /// The engine hashes the file before it enqueues the upload, checks the file before each attempt, and never moves
    /// or changes it. The file must stay unchanged until the transfer ends.
    ///
    /// The request is sent unchanged, with a `Content-Length`. The engine adds `Idempotency-Key` and `Repr-Digest`
    /// (RFC 9530, SHA-256) where they are missing. It follows a 307 or 308 to the same server, at most four times. The
    /// ledger holds the URL including its query, so put secrets into header fields. See <doc:Transfers>.
    ///
    /// Cancelling the task ends the call with `.failed`, code `.cancelled`. The transfer stays in the ledger, and
    /// continues when a caller waits again.
    ///
    /// - Parameters:
    ///   - request: an absolute http or https request, without its body.
    ///   - file: a regular file, not a symbolic link.
    ///   - identifier: the name of the transfer. While the transfer is unfinished, a second call with this identifier
    ///     joins the transfer, and both calls return the same result. A second call with other content fails with
    ///     `.identifierInUse`. After the result was returned, the same identifier begins a new transfer. A new transfer
    ///     of the same content has the same `Idempotency-Key`.
    /// - Returns: the result. Failures are results, too; this never throws.
    public func networkResponse(
        from request: HTTPRequest, uploading file: FilePath, with identifier: Identifier
    ) async -> UploadResponse {
        do {
            return UploadResponse(try await result(request, file, identifier))
        } catch {
            return .failed(error)
        }
    }

    /// Uploads like ``networkResponse(from:uploading:with:)``, and returns the answer whatever its status.
    ///
    /// - Parameters:
    ///   - file: a regular file, not a symbolic link.
    ///   - request: an absolute http or https request, without its body.
    ///   - identifier: the name of the transfer.
    /// - Returns: the head of the server's answer, whatever its status.
    /// - Throws: ``NetworkResponseError`` when there is no answer, and a further attempt by the engine would bring
    ///   none.
    public func uploadFile(
        at file: FilePath, with request: HTTPRequest, identifier: Identifier
    ) async throws -> HTTPResponse {
        try await result(request, file, identifier).answer()
    }

    /// Uploads like ``uploadFile(at:with:identifier:)`` in a task of its own, and returns immediately.
    ///
    /// The handler is lost when the process ends. In a later launch, call this with the same identifier again: the
    /// upload continues, or the handler gets its result.
    ///
    /// - Parameters:
    ///   - file: a regular file, not a symbolic link.
    ///   - request: an absolute http or https request, without its body.
    ///   - identifier: the name of the transfer.
    ///   - handler: called once, on any thread.
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

    /// Continues all unfinished transfers until the task is cancelled, also those that no caller waits for.
    ///
    /// The results are stored until a caller asks for them. Transfers of earlier launches need the configuration's
    /// ``BackgroundSessionConfiguration/requestProvider``. This call drives the whole session, including its downloads.
    /// It returns when the task is cancelled or the uploader shuts down.
    ///
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or its ledger fails.
    public func run() async throws {
        try await handle.run()
    }

    /// Continues the uploads that earlier launches left unfinished. Returns when each of them has ended, or can
    /// continue only after a caller asks for it.
    ///
    /// The results are stored until a caller asks with the identifiers. Without a
    /// ``BackgroundSessionConfiguration/requestProvider`` no upload can continue by itself, and this returns
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

    /// The uploads that are unfinished, or whose results no caller has asked for, in the order in which they were
    /// enqueued.
    ///
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or its ledger fails.
    public func pendingTransfers() async throws -> [PendingTransfer] {
        try await handle.pending()
    }

    /// A stream of an upload's progress, from now until the upload ends. A reader that is slow gets only the newest
    /// value.
    ///
    /// - Parameter identifier: the upload's name. The upload need not have begun.
    /// - Returns: the number of the file's bytes that the connection has taken in the current attempt, in steps of at
    ///   most 128 KiB. A file of up to 256 KiB is reported in one step, when the answer has come. The stream finishes
    ///   when the upload ends or the uploader shuts down.
    public nonisolated func progress(of identifier: Identifier) -> AsyncStream<TransferProgress> {
        handle.progress(of: identifier)
    }

    /// Cancels an unfinished upload and the attempt that is under way.
    ///
    /// Calls that wait for the upload return `.failed`, code `.cancelled`. The file stays. When this call has returned,
    /// the cancellation survives a power cut.
    ///
    /// - Parameter identifier: the upload's name.
    /// - Returns: `true` if an unfinished upload was cancelled; `false` if there was none, or if it ended first.
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or its ledger fails.
    @discardableResult
    public func cancel(_ identifier: Identifier) async throws -> Bool {
        try await handle.cancel(identifier)
    }

    /// Ends all waiting calls of this uploader with `.failed`, code `.cancelled`, and stops its uploads, which a later
    /// launch continues.
    ///
    /// When the last uploader or downloader that uses the session has shut down, the session is closed. Using the
    /// uploader again opens the session again.
    public func shutdown() async {
        await handle.shutdown()
    }
}
