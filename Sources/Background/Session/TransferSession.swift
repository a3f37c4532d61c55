import DurableIO
import Synchronization

/// The session behind one root directory, shared by all handles of this process that name it.
///
/// The session is opened at its first use, and closed when the last handle that used it has shut down. The queue is
/// driven while a caller waits.
actor TransferSession {
    /// A session in use. Touched only on this actor.
    private final class Open {
        let session: OpenSession
        /// The number of callers that want the queue driven.
        var interest = 0
        var driver: Task<Void, Never>?
        /// Whether the session was given up. Then nothing may drive it any more.
        var isClosed = false

        init(_ session: OpenSession) {
            self.session = session
        }
    }

    private final class WeakHandle {
        weak var handle: SessionHandle?

        init(_ handle: SessionHandle) {
            self.handle = handle
        }
    }

    nonisolated let progress = ProgressWatchers()
    private var open: Open?
    private var opening: Task<Result<OpenSession, NetworkResponseError>, Never>?
    /// The handles that wait until the session is open.
    private var openers: Set<ObjectIdentifier> = []
    private var closing: Task<Void, Never>?
    private var damage = LedgerDamage.none
    /// The handles that have used the session since it was opened and still exist.
    private var handles: [WeakHandle] = []

    // MARK: - Requests of handles

    /// Begins a transfer, or joins it, and waits for its end.
    func result(of work: TransferWork, for handle: SessionHandle) async throws(NetworkResponseError) -> TransferResult {
        let open = try await opened(for: handle)
        let (session, rowName) = (open.session, work.transfer.identifier)
        let waiter = session.client.waiters.add(for: rowName, holder: ObjectIdentifier(handle))
        defer { session.client.waiters.remove(waiter) }
        switch try await using(
            session,
            { session throws(NetworkResponseError) in
                try await session.findOrInsert(work, waiter)
            })
        {
        case .inUse:
            throw NetworkResponseError(
                .identifierInUse,
                "\(handle.kind.identifier(ofRow: rowName)) is an unfinished transfer of something else")
        case .ended(let record):
            return TransferResult(record) ?? .failed(NetworkResponseError(.storage, "its outcome was lost"))
        case .live:
            guard let result = await driving(open, { await waiter.wait() }) else {
                throw NetworkResponseError(.cancelled, "the task was cancelled")
            }
            let isKept = result.isSuccess && work.keepsResult != nil
            if result.isSettled, !isKept { try await session.acknowledge(rowName) }
            return result
        }
    }

    /// Has the queue driven until the task is cancelled or the handle shuts down.
    func run(for handle: SessionHandle) async throws(NetworkResponseError) {
        let open = try await opened(for: handle)
        let waiter = open.session.client.waiters.add(for: nil, holder: ObjectIdentifier(handle))
        defer { open.session.client.waiters.remove(waiter) }
        guard case .failed(let error) = await driving(open, { await waiter.wait() }) else { return }
        if error.code != .cancelled { throw error }
    }

    /// Has the queue driven until the transfers that an earlier process left unfinished have ended, or rest.
    func waitForEarlierTransfers(for handle: SessionHandle) async throws(NetworkResponseError) {
        let open = try await opened(for: handle)
        let earlier = open.session.client.earlier
        await driving(open) { await earlier.wait(for: handle.kind) }
        if Task.isCancelled { throw NetworkResponseError(.cancelled, "the task was cancelled") }
    }

    func pending(for handle: SessionHandle) async throws(NetworkResponseError) -> [PendingTransfer] {
        try await using(opened(for: handle).session) { session throws(NetworkResponseError) in
            try await session.pending(handle.kind)
        }
    }

    func acknowledge(
        _ rowName: String, for handle: SessionHandle, _ prepare: @Sendable @escaping () throws -> Void
    ) async throws(NetworkResponseError) {
        try await using(opened(for: handle).session) { session throws(NetworkResponseError) in
            try await session.acknowledge(rowName, prepare)
        }
    }

    func cancel(_ rowName: String, for handle: SessionHandle) async throws(NetworkResponseError) -> Bool {
        let session = try await opened(for: handle).session
        let waiter = session.client.waiters.add(for: rowName, holder: ObjectIdentifier(handle))
        defer { session.client.waiters.remove(waiter) }
        return try await using(session) { session throws(NetworkResponseError) in
            try await session.cancel(rowName, waiter)
        }
    }

    /// Ends the waits of a handle that leaves. With the last handle, closes the session.
    func leave(_ handle: SessionHandle) async {
        handles.removeAll { $0.handle == nil || $0.handle === handle }
        let error = NetworkResponseError(.cancelled, "it was shut down")
        if let open {
            open.session.client.waiters.endAll(of: ObjectIdentifier(handle), error)
            open.session.client.setProvider(nil, for: handle.kind)
            if handles.isEmpty { close(open, error) }
        }
        // To check a large ledger may take long, and no handle waits for it now.
        if openers.remove(ObjectIdentifier(handle)) != nil, openers.isEmpty, let opening {
            opening.cancel()
            _ = await opening.value
        }
        progress.endAll(handles.contains { $0.handle?.kind == handle.kind } ? .none : handle.kind)
        await closing?.value
    }

    // MARK: - Opening and closing

    private func opened(for handle: SessionHandle) async throws(NetworkResponseError) -> Open {
        let open = try await opened(by: handle)
        guard !handles.contains(where: { $0.handle === handle }) else { return open }
        handles.append(WeakHandle(handle))
        guard let provider = handle.configuration.requestProvider else { return open }
        open.session.client.setProvider(provider, for: handle.kind)
        try await open.session.goOn(handle.kind)
        return open
    }

    private func opened(by handle: SessionHandle) async throws(NetworkResponseError) -> Open {
        while let closing {
            await closing.value
            if self.closing == closing { self.closing = nil }
        }
        if let open { return open }
        openers.insert(ObjectIdentifier(handle))
        let task: Task<Result<OpenSession, NetworkResponseError>, Never>
        if let opening, !opening.isCancelled {
            task = opening
        } else {
            task = Task(executorPreference: OwnThreads.shared) { [progress, damage, earlier = opening] in
                // An opening that was called off may have come to its end all the same. Nobody uses that session, and its
                // lock would keep this one out.
                if case .success(let unused)? = await earlier?.value { await unused.close() }
                do throws(NetworkResponseError) {
                    return .success(try await OpenSession.open(for: handle, progress: progress, damage: damage))
                } catch {
                    return .failure(error)
                }
            }
        }
        opening = task
        let result = await task.value
        if task.isCancelled, case .failure(let error) = result {
            if opening == task { opening = nil }
            throw error
        }
        // If several handles wait for the session, the first of them to get here puts it to use.
        guard opening == task else { return try await opened(by: handle) }
        opening = nil
        openers = []
        let open = Open(try result.get())
        // A ledger that was found damaged twice has been set aside.
        if case .metAgain = damage { damage = .none }
        self.open = open
        return open
    }

    private func close(_ open: Open, _ error: NetworkResponseError) {
        if self.open === open { self.open = nil }
        open.isClosed = true
        handles = []
        closing = Task(executorPreference: OwnThreads.shared) {
            [earlier = closing, session = open.session, driver = open.driver] in
            await earlier?.value
            driver?.cancel()
            await driver?.value
            session.client.waiters.endAll(of: nil, error)
            session.client.earlier.endAll()
            await session.close()
        }
    }

    // MARK: - Driving

    /// Has the queue driven while the body lasts.
    @discardableResult
    private func driving<Result: Sendable>(_ open: Open, _ body: @Sendable () async -> Result) async -> Result {
        open.interest += 1
        if open.interest == 1, !open.isClosed { startDriver(of: open) }
        let result = await body()
        open.interest -= 1
        if open.interest == 0 { open.driver?.cancel() }
        return result
    }

    private func startDriver(of open: Open) {
        let session = open.session
        // There is one drive at a time. An earlier drive that was told to end may still be giving its claims back.
        open.driver = Task(executorPreference: OwnThreads.shared) { [earlier = open.driver] in
            await earlier?.value
            guard !Task.isCancelled else { return }
            do {
                try await session.queue.drive(.waiting(until: nil), isExplicit: true)
            } catch {
                await self.fail(session, error)
            }
        }
    }

    /// Runs work on the session's ledger. Damage in the ledger ends the session.
    private func using<Result: Sendable>(
        _ session: OpenSession, _ body: (OpenSession) async throws(NetworkResponseError) -> Result
    ) async throws(NetworkResponseError) -> Result {
        do {
            return try await body(session)
        } catch {
            if session.damage != nil { fail(session, error) }
            throw error
        }
    }

    /// A ledger that failed once is not trusted: its session ends, and the next use opens it anew.
    private func fail(_ session: OpenSession, _ error: any Error) {
        session.note(error)
        let error = NetworkResponseError(.storage, "\(error)")
        session.client.waiters.endAll(of: nil, error)
        session.client.earlier.endAll()
        guard let open, open.session === session else { return }
        damage = damage.afterMeeting(session.damage)
        open.driver = nil
        close(open, error)
    }
}

/// The sessions of this process, by root directory.
enum SessionRegistry {
    private final class WeakSession: Sendable {
        private let reference: Mutex<Reference>

        private struct Reference: @unchecked Sendable {
            /// - Safety: read and written under the mutex only.
            weak var session: TransferSession?
        }

        init(_ session: TransferSession) {
            reference = Mutex(Reference(session: session))
        }

        var session: TransferSession? { reference.withLock { $0.session } }
    }

    private static let sessions = Mutex<[String: WeakSession]>([:])

    /// The session of a root directory: the session that other handles have, or else a new session.
    ///
    /// The handle that opens the session brings the settings. Another handle that joins brings only its request
    /// provider.
    static func session(for configuration: BackgroundSessionConfiguration) -> TransferSession {
        guard let root = configuration.resolvedRootDirectory?.lexicallyNormalized().string else {
            return TransferSession()
        }
        return sessions.withLock { sessions in
            sessions = sessions.filter { $0.value.session != nil }
            if let session = sessions[root]?.session { return session }
            let session = TransferSession()
            sessions[root] = WeakSession(session)
            return session
        }
    }
}
