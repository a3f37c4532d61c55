import DurableIO
import Synchronization

/// The session behind one root directory, shared by all faces of this process that name it.
///
/// It is opened at its first use and closed when the last face that used it has shut down. The queue is driven while
/// somebody waits.
actor TransferSession {
    /// A session in use. Touched only on this actor.
    private final class Open {
        let session: OpenSession
        /// How many want the queue driven.
        var interest = 0
        var driver: Task<Void, Never>?
        /// Set once the session is given up; nothing may drive it any more.
        var isClosed = false

        init(_ session: OpenSession) {
            self.session = session
        }
    }

    private final class WeakSeat {
        weak var seat: SessionSeat?

        init(_ seat: SessionSeat) {
            self.seat = seat
        }
    }

    nonisolated let progress = ProgressBoard()
    private var open: Open?
    private var opening: Task<Result<OpenSession, NetworkResponseError>, Never>?
    private var closing: Task<Void, Never>?
    private var doubt = LedgerDoubt.none
    /// The faces that have used the session since it was opened, those that went without a word left out.
    private var seats: [WeakSeat] = []

    // MARK: - What faces ask for

    /// Begins a transfer, or joins it, and waits for its end.
    func outcome(of work: TransferWork, for seat: SessionSeat) async throws(NetworkResponseError) -> TransferOutcome {
        let open = try await opened(for: seat)
        let (session, rowName) = (open.session, work.transfer.identifier)
        let ticket = session.client.tickets.ticket(for: rowName, holder: ObjectIdentifier(seat))
        defer { session.client.tickets.giveBack(ticket) }
        switch try await using(
            session,
            { session throws(NetworkResponseError) in
                try await session.enrol(work, ticket)
            })
        {
        case .inUse:
            throw NetworkResponseError(
                .identifierInUse,
                "\(seat.kind.identifier(ofRow: rowName)) is an unfinished transfer of something else")
        case .ended(let record):
            return TransferOutcome(record) ?? .failed(NetworkResponseError(.storage, "its outcome was lost"))
        case .live:
            guard let outcome = await driving(open, { await ticket.wait() }) else {
                throw NetworkResponseError(.cancelled, "the task was cancelled")
            }
            let isKept = outcome.isSuccess && work.keepsOutcome != nil
            if outcome.isSettled, !isKept { try await session.acknowledge(rowName) }
            return outcome
        }
    }

    /// Has the queue driven until the task is cancelled or the face shuts down.
    func run(for seat: SessionSeat) async throws(NetworkResponseError) {
        let open = try await opened(for: seat)
        let ticket = open.session.client.tickets.ticket(for: nil, holder: ObjectIdentifier(seat))
        defer { open.session.client.tickets.giveBack(ticket) }
        guard case .failed(let error) = await driving(open, { await ticket.wait() }) else { return }
        if error.code != .cancelled { throw error }
    }

    /// Has the queue driven until what an earlier life left has ended, or rests.
    func waitForEarlierTransfers(for seat: SessionSeat) async throws(NetworkResponseError) {
        let open = try await opened(for: seat)
        let earlier = open.session.client.earlier
        await driving(open) { await earlier.wait(for: seat.kind) }
        if Task.isCancelled { throw NetworkResponseError(.cancelled, "the task was cancelled") }
    }

    func pending(for seat: SessionSeat) async throws(NetworkResponseError) -> [PendingTransfer] {
        try await using(opened(for: seat).session) { session throws(NetworkResponseError) in
            try await session.pending(seat.kind)
        }
    }

    func acknowledge(
        _ rowName: String, for seat: SessionSeat, _ prepare: @Sendable @escaping () throws -> Void
    ) async throws(NetworkResponseError) {
        try await using(opened(for: seat).session) { session throws(NetworkResponseError) in
            try await session.acknowledge(rowName, prepare)
        }
    }

    func cancel(_ rowName: String, for seat: SessionSeat) async throws(NetworkResponseError) -> Bool {
        let session = try await opened(for: seat).session
        let ticket = session.client.tickets.ticket(for: rowName, holder: ObjectIdentifier(seat))
        defer { session.client.tickets.giveBack(ticket) }
        return try await using(session) { session throws(NetworkResponseError) in
            try await session.cancel(rowName, ticket)
        }
    }

    /// A face leaves: its waits end, and with the last face the session is closed.
    func leave(_ seat: SessionSeat) async {
        seats.removeAll { $0.seat == nil || $0.seat === seat }
        let error = NetworkResponseError(.cancelled, "it was shut down")
        if let open {
            open.session.client.tickets.endAll(of: ObjectIdentifier(seat), error)
            open.session.client.setProvider(nil, for: seat.kind)
            if seats.isEmpty { close(open, error) }
        }
        progress.endAll(seats.contains { $0.seat?.kind == seat.kind } ? .none : seat.kind)
        await closing?.value
    }

    // MARK: - Opening and closing

    private func opened(for seat: SessionSeat) async throws(NetworkResponseError) -> Open {
        let open = try await opened(as: seat)
        guard !seats.contains(where: { $0.seat === seat }) else { return open }
        seats.append(WeakSeat(seat))
        guard let provider = seat.configuration.requestProvider else { return open }
        open.session.client.setProvider(provider, for: seat.kind)
        try await open.session.goOn(seat.kind)
        return open
    }

    private func opened(as seat: SessionSeat) async throws(NetworkResponseError) -> Open {
        while let closing {
            await closing.value
            if self.closing == closing { self.closing = nil }
        }
        if let open { return open }
        let task =
            opening
            ?? Task { [progress, doubt, configuration = seat.configuration, seams = seat.seams, kind = seat.kind] in
                do throws(NetworkResponseError) {
                    return .success(
                        try await OpenSession.open(configuration, seams, for: kind, progress: progress, doubt: doubt))
                } catch {
                    return .failure(error)
                }
            }
        opening = task
        let result = await task.value
        // Of several who wait for it, the first puts it to use.
        guard opening == task else { return try await opened(as: seat) }
        opening = nil
        let open = Open(try result.get())
        // Set aside, if it was that bad.
        if case .certainty = doubt { doubt = .none }
        self.open = open
        return open
    }

    private func close(_ open: Open, _ error: NetworkResponseError) {
        if self.open === open { self.open = nil }
        open.isClosed = true
        seats = []
        closing = Task { [earlier = closing, session = open.session, driver = open.driver] in
            await earlier?.value
            driver?.cancel()
            await driver?.value
            session.client.tickets.endAll(of: nil, error)
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

    /// Does something with a session's ledger, whose damage ends the session.
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
        session.client.tickets.endAll(of: nil, error)
        session.client.earlier.endAll()
        guard let open, open.session === session else { return }
        doubt = doubt.afterMeeting(session.damage)
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

    /// The session of a root directory: another face's if there is one, else a new one.
    ///
    /// Whoever opens it says how it works; another face that joins brings only its requests.
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
