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
/// power cut. Ask again with the same identifier in any later launch: an upload that is not finished goes on, one that
/// ended while nobody listened hands its outcome over, once. The server can get the same upload twice, after a crash
/// between sending and writing down; every try of it carries the same `Idempotency-Key`.
///
/// The engine sends only while somebody waits in ``networkResponse(from:uploading:with:)`` or ``run()``. Call
/// ``shutdown()`` before the program exits: an upload that was alone under way at three unclean ends in a row is taken
/// for what kills the program, and put off for an hour or more.
///
/// ## Topics
/// - ``init(sessionConfiguration:)``
/// - ``networkResponse(from:uploading:with:)``
/// - ``run()``
/// - ``cancel(_:)``
/// - ``shutdown()``
public actor Uploader {
    /// Names a transfer, stable over the launches of a program. Any text.
    public typealias Identifier = String

    /// A session in use. Touched only on this actor.
    private final class Open {
        let session: UploadSession
        /// How many want the queue driven.
        var interest = 0
        var driver: Task<Void, Never>?
        /// Set once the session is given up; nothing may drive it any more.
        var isClosed = false

        init(_ session: UploadSession) {
            self.session = session
        }
    }

    private let configuration: BackgroundSessionConfiguration
    private let seams: UploaderSeams
    private var open: Open?
    private var closing: Task<Void, Never>?

    /// An uploader that does nothing yet: the session is opened at its first use.
    ///
    /// - Parameter sessionConfiguration: its name, and where its ledger is.
    public init(sessionConfiguration: BackgroundSessionConfiguration) {
        self.init(sessionConfiguration: sessionConfiguration, seams: UploaderSeams())
    }

    package init(sessionConfiguration: BackgroundSessionConfiguration, seams: UploaderSeams) {
        configuration = sessionConfiguration
        self.seams = seams
    }

    /// Uploads a file, or goes on with the upload of that name, and returns how it ended.
    ///
    /// Failures of the network are tried again, with growing waits from 5 seconds to an hour, for as long as this call
    /// lasts. What the server answers is handed back: after `.retry`, ask again when its time has come.
    ///
    /// The file is hashed before this goes on, checked before each try, and never moved or changed; it has to stay
    /// as it is until the transfer ends. The request is sent as it is, with `Content-Length` and, where they are
    /// missing, `Idempotency-Key` and `Repr-Digest` (SHA-256). The URL is written to the ledger, query included, so
    /// secrets belong in header fields.
    ///
    /// Cancelling the task ends the wait with `.failed`, code `.cancelled`. The transfer stays, and goes on when
    /// somebody waits again.
    ///
    /// - Parameters:
    ///   - request: the request without its body; absolute, http or https.
    ///   - file: a regular file, not a symbolic link.
    ///   - identifier: names the transfer. While it is unfinished a second call joins it, and both return the same; with
    ///     other content the call fails with `.identifierInUse`. After its outcome was returned, the same identifier
    ///     begins a new transfer.
    /// - Returns: the outcome; it never throws.
    public func networkResponse(
        from request: HTTPRequest, uploading file: FilePath, with identifier: Identifier
    ) async -> NetworkResponse<Void> {
        do {
            return try await upload(request, file, identifier).networkResponse
        } catch let error as NetworkResponseError {
            return .failed(error)
        } catch {
            return .failed(NetworkResponseError(.storage, "\(error)"))
        }
    }

    /// Goes on with everything unfinished until the task is cancelled, without anybody waiting for a single transfer.
    ///
    /// Outcomes are written down for whoever asks. Transfers of earlier launches need the configuration's
    /// `requestProvider`.
    ///
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or its ledger fails.
    public func run() async throws {
        let open = try await opened()
        let ticket = open.session.client.ticket(for: nil)
        defer { open.session.client.giveBack(ticket) }
        guard case .failed(let error) = await driving(open, { await ticket.wait() }) else { return }
        if error.code != .cancelled { throw error }
    }

    /// Takes an unfinished transfer out of the queue. Calls that wait for it return `.failed`, code `.cancelled`.
    ///
    /// - Parameter identifier: the transfer's name.
    /// - Returns: whether there was one; `false` also when it is being sent right now.
    /// - Throws: ``NetworkResponseError`` when the session cannot be opened or its ledger fails.
    @discardableResult
    public func cancel(_ identifier: Identifier) async throws -> Bool {
        try await opened().session.cancel(identifier)
    }

    /// Gives back what is under way, ends all waits with `.failed`, code `.cancelled`, and closes the session.
    ///
    /// Using the uploader again opens it anew.
    public func shutdown() async {
        if let open {
            self.open = nil
            open.isClosed = true
            closing = Task { [earlier = closing, session = open.session, driver = open.driver] in
                await earlier?.value
                driver?.cancel()
                await driver?.value
                session.client.endAll(NetworkResponseError(.cancelled, "the uploader was shut down"))
                await session.close()
            }
        }
        await closing?.value
    }

    // MARK: - Steps of an upload

    private func upload(
        _ request: HTTPRequest, _ file: FilePath, _ identifier: Identifier
    ) async throws -> UploadOutcome {
        let open = try await opened()
        let session = open.session
        let upload = try await session.prepare(request, file, identifier)
        let ticket = session.client.ticket(for: identifier)
        defer { session.client.giveBack(ticket) }
        switch try await session.enrol(upload, ticket) {
        case .inUse:
            throw NetworkResponseError(.identifierInUse, "\(identifier) is an unfinished transfer of other content")
        case .ended(let record):
            return UploadOutcome(record) ?? .failed(NetworkResponseError(.storage, "its outcome was lost"))
        case .live:
            guard let outcome = await driving(open, { await ticket.wait() }) else {
                throw NetworkResponseError(.cancelled, "the task was cancelled")
            }
            if outcome.isSettled { try await session.acknowledge(identifier) }
            return outcome
        }
    }

    // MARK: - Session

    private func opened() async throws -> Open {
        while let closing {
            await closing.value
            if self.closing == closing { self.closing = nil }
        }
        if let open { return open }
        let open = Open(try UploadSession.open(configuration, seams))
        self.open = open
        return open
    }

    /// Has the queue driven while the body lasts.
    private func driving(_ open: Open, _ body: @Sendable () async -> UploadOutcome?) async -> UploadOutcome? {
        open.interest += 1
        if open.interest == 1, !open.isClosed { startDriver(of: open) }
        let outcome = await body()
        open.interest -= 1
        if open.interest == 0 { open.driver?.cancel() }
        return outcome
    }

    private func startDriver(of open: Open) {
        let session = open.session
        // One drive at a time: an earlier one that was told to end may still be giving its transfers back.
        open.driver = Task { [earlier = open.driver] in
            await earlier?.value
            guard !Task.isCancelled else { return }
            do {
                try await session.queue.drive(.waiting(until: nil), isExplicit: true)
            } catch {
                self.fail(session, error)
            }
        }
    }

    /// A ledger that failed once is not trusted: its session ends, and the next use opens it anew.
    private func fail(_ session: UploadSession, _ error: any Error) {
        let isCurrent = open?.session === session
        if isCurrent {
            open?.isClosed = true
            open = nil
        }
        session.client.endAll(NetworkResponseError(.storage, "\(error)"))
        guard isCurrent else { return }
        let earlier = closing
        closing = Task {
            await earlier?.value
            await session.close()
        }
    }
}
