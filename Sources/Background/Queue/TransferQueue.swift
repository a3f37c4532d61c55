package import DurableIO
package import Logging
import Synchronization

/// The queue of the transfer engine: it alone decides which transfer of a ledger is sent when, and what becomes of the
/// transfer afterwards.
///
/// A *drive* is one call of ``drive(_:isExplicit:until:deadline:)``. The queue sends only during a drive. A drive takes
/// one *turn* after another. A turn is one commit: in it the queue judges the attempts that have ended, and claims the
/// rows to be sent next. A *claim* is the ledger's note that this process makes the next attempt of a row.
///
/// The queue claims a transfer and counts the attempt before the first byte leaves. It settles the transfer before
/// anything acts on the result. The decisions of a committed turn survive a crash. After a crash, the next queue on the
/// same ledger sends again the transfers that were under way.
///
/// While deliveries succeed, one turn serves many transfers: rows are claimed a few milliseconds ahead of their
/// attempts, and judged a few milliseconds after them (``SendingPlan``).
package actor TransferQueue {
    /// The party that decides when a transfer that the server put off is sent again.
    package enum RetryOwner: Sendable {
        case engine
        /// The queue hands the answer to the caller. The transfer rests until the caller asks for it again.
        case caller
    }

    /// How long a drive lasts.
    package enum Persistence: Sendable, Hashable {
        /// Until no due transfer can be sent now.
        case whileDue
        /// Also waits for transfers that are due later, until a time on the boot clock in milliseconds; `nil` means for
        /// ever.
        case waiting(until: Int64?)
    }

    package struct Configuration: Sendable {
        /// The origin to which each destination's lane leads in this run. The queue sends the rows of these lanes and
        /// of own lanes (``Lane``). It leaves all other rows alone.
        package var destinations: [Lane: String]
        package var retryOwner: RetryOwner = .engine
        package var policy = RetryPolicy()
        /// Whether rows of rank 0 are sent before the other rows of their lane, by ``ClaimOrder``. The default is
        /// `false`: the row due longest is sent first.
        package var prefersFirstRank = false
        /// The clock that measures the pace of a body, in milliseconds since any fixed time. The threads of the
        /// transport call it, so the default does not use the ledger's clock.
        package var stopwatch: @Sendable () -> Int64 = {
            let time = ContinuousClock.now - MeteredTransport.beginning
            return time.components.seconds * 1_000 + time.components.attoseconds / 1_000_000_000_000_000
        }
        /// How long the queue waits for further ends after an attempt has ended, so that one commit judges them
        /// together. It does not wait when there is something to send meanwhile. The default is 5 ms.
        package var gatheringTime = Duration.milliseconds(5)
        /// How long attempts under way may go on after the task of a drive is cancelled, in milliseconds. An attempt that
        /// is stopped is made again, so its server gets the transfer twice. The default is 0: they are stopped at once.
        package var grace: Int64 = 0
        /// The clock that measures how long an attempt takes, and so how far ahead rows are claimed.
        package var attemptClock: @Sendable () -> ContinuousClock.Instant = { .now }

        package init(destinations: [Lane: String] = [:]) {
            self.destinations = destinations
        }
    }

    typealias Plan = SendingPlan<Claim, AttemptReport>

    /// The state that the queue shares with the tasks of its attempts, so that an attempt reports its end without
    /// waiting for the queue.
    struct Shared: Sendable {
        var plan: Plan
        /// The tasks of the attempts under way, by row. The queue cancels one of them to end that attempt.
        var attempts: [Int64: Task<AttemptReport, Never>] = [:]
        /// A latch for the tasks that wait until the process is free. The queue opens and replaces it at each change
        /// that may let these tasks go on.
        var release = Latch()
    }

    let store: TransferStore
    let configuration: Configuration
    package nonisolated let client: any TransferClient
    let transport: any Transport
    let clock: any SystemClock
    let logger: Logger
    var generator: any RandomNumberGenerator & Sendable

    let shared: Mutex<Shared>
    let signal = DriveSignal()
    /// The origin to which each lane leads, as the ledger has it.
    var storedLanes: [Lane: String]
    var isDriven = false
    /// When this queue was made, on the boot clock in milliseconds.
    let begun: Int64
    /// When the first drive began, on the boot clock in milliseconds.
    private(set) var firstDriveBegun = Int64.max / 2
    var driveEnd: Int64?
    /// When the run of the latest drive with a deadline began, on the boot clock in milliseconds. Before such a drive,
    /// this is ``begun``.
    private(set) var runBegun: Int64

    // MARK: - The beginning

    /// Makes a queue on a store that has just been opened, and makes the rows due again that an earlier queue left in
    /// flight (``TransferStore/recover(drops:)``).
    package init(
        store: sending TransferStore, configuration: Configuration, client: any TransferClient,
        transport: any Transport, clock: any SystemClock, logger: Logger,
        generator: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) throws {
        try store.recover()
        let plan = Plan(origins: try store.queries.origins(), maximumWindow: configuration.policy.maximumWindow)
        shared = Mutex(Shared(plan: plan))
        storedLanes = try store.queries.lanes()
        self.store = store
        self.configuration = configuration
        self.client = client
        self.transport = transport
        self.clock = clock
        self.logger = logger
        self.generator = generator
        begun = clock.bootMilliseconds
        runBegun = begun
    }

    /// Makes durable that files are being moved from now on; see ``TransferStore/begin()``.
    package func begin() async throws {
        try await retryingOnFullDisk { try store.begin() }
    }

    // MARK: - The ledger

    package func look<Result: Sendable>(_ body: @Sendable (LedgerQueries) throws -> Result) throws -> Result {
        try body(store.queries)
    }

    /// Changes the ledger in one transaction, which is durable on return, and wakes the drive.
    package func change<Result: Sendable>(
        _ body: @Sendable (TransferStore) throws -> Result
    ) async throws -> Result {
        let result = try await committing { store in try body(store) }
        wake()
        return result
    }

    /// Changes the ledger like ``change(_:)``. With `ifDry`, does nothing in two cases: a row can be claimed, or a row
    /// may be waiting for the end of a stop.
    /// - Returns: `nil` when nothing was done.
    package func change<Result: Sendable>(
        ifDry: Bool, _ body: @Sendable (TransferStore) throws -> Result
    ) async throws -> Result? {
        let now = clock.bootMilliseconds
        if ifDry, try shared.withLock({ $0.plan.solitude.stop(at: now) }) != nil || mayClaim() { return nil }
        return try await change(body)
    }

    // MARK: - Sending

    /// Sends the due transfers until the drive is over. A queue has one drive at a time.
    ///
    /// When the task is cancelled, the queue stops the attempts under way, after their grace if the configuration has
    /// one, and settles them before this function returns. A stopped transfer is due immediately, unless its body is slow (``CutAttempts``). The attempt does not
    /// count as a failure.
    /// - Parameters:
    ///   - persistence: how long the drive lasts.
    ///   - isExplicit: whether a person or program asks for a try now. If so, each closed gate is probed once, except a
    ///     gate that is closed until a time that the server named.
    ///   - end: when the caller will cancel the drive, on the boot clock in milliseconds. The default, `nil`, means
    ///     never.
    ///   - deadline: the length of the run, in milliseconds, as a person has set it. If it is given, the run began at
    ///     `end` minus `deadline`. If it is `nil`, which is the default, the beginning of the run stays as it was: at
    ///     first, the time at which this queue was made.
    /// - Throws: the errors of the ledger or of the client. The caller must then abandon the queue.
    package func drive(
        _ persistence: Persistence, isExplicit: Bool, until end: Int64? = nil, deadline: Int64? = nil
    ) async throws {
        precondition(!isDriven, "a queue has one drive at a time")
        isDriven = true
        driveEnd = end
        let left = end.map { $0 - clock.bootMilliseconds }
        shared.withLock { $0.plan.solitude.driveBegan(with: left) }
        if let end, let deadline { runBegun = end - deadline }
        firstDriveBegun = min(firstDriveBegun, clock.bootMilliseconds)
        defer {
            isDriven = false
            endStop(for: .row)
        }
        try await saveLanes()
        if end == nil { try await wakePutOff() }
        if isExplicit { try await allowExplicitProbes() }
        try await turnUntilDone(persistence)
        // Attempts that were cancelled reported their ends while the drive waited for them.
        await client.didSettle(try await turn(isStopping: true).settlements)
    }

    /// Tells the drive to take its next turn now.
    package nonisolated func wake() {
        signal.raise(.now)
    }

    /// The earliest time at which a transfer may be tried, on the wall clock in milliseconds; `nil` when no transfer
    /// has a due time.
    package func nextAttemptWall() throws -> Int64? {
        var earliest: Int64?
        for route in try routes() {
            guard let due = try store.queries.nextDue(lane: route.lane) else { continue }
            let opens = gate(of: route.origin).opensAt ?? due
            earliest = min(earliest ?? .max, max(due, opens))
        }
        return earliest.map { max(store.wall(of: $0), store.wallNow) }
    }

    nonisolated func gate(of origin: String) -> OriginGate {
        shared.withLock { $0.plan.gate(of: origin) }
    }

    // MARK: - Requests about one transfer

    /// Asks for one transfer by its name. If the transfer is a suspect, it is sent next and alone, instead of after all
    /// others.
    /// - Returns: how many processes died while only this transfer was under way; `nil` when it is no suspect.
    package func attend(to identifier: String) throws -> Int? {
        guard let record = try store.queries.record(identifier), record.isSuspect, record.state == .waiting else {
            return nil
        }
        shared.withLock { $0.plan.askedFor(suspect: record.rowID) }
        wake()
        return record.strikes
    }

    /// Stores how far a transfer under way has come; durable on return.
    package func note(
        progress: String?, byteCount: Int64?, hasAdvanced: Bool, of identifier: String
    ) async throws {
        let row = try await change { store in
            try store.note(progress: progress, byteCount: byteCount, hasAdvanced: hasAdvanced, of: identifier)
            return hasAdvanced ? try store.queries.record(identifier)?.rowID : nil
        }
        guard let row else { return }
        let now = clock.bootMilliseconds
        signal.raise(shared.withLock { $0.plan.advanced(row, at: now) })
        // The stop for this row may have ended, so tasks that wait to collect drops may go on.
        releaseWaiting()
    }

    /// The result of a cancellation.
    package enum Cancellation: Hashable, Sendable {
        /// There is no unfinished transfer of that name.
        case nothingToCancel
        case removed
        /// The transfer is under way and was told to end. It is removed unless the server has accepted it by then.
        case ending
    }

    /// Takes an unfinished transfer out of the queue.
    package func cancel(_ identifier: String) async throws -> Cancellation {
        guard let record = try store.queries.record(identifier), record.state.isLive else { return .nothingToCancel }
        let (action, attempt) = shared.withLock {
            ($0.plan.cancelled(record.rowID), $0.attempts[record.rowID])
        }
        switch action {
        case .changeLedger: return try await remove(identifier)
        case .endAttempt: attempt?.cancel()
        case .wakeQueue: wake()
        case .none: break
        }
        return .ending
    }

    private func remove(_ identifier: String) async throws -> Cancellation {
        try await change { store in
            guard try store.queries.record(identifier)?.state.isLive == true else { return .nothingToCancel }
            try store.end(identifier, as: .removed, reason: .cancelled)
            try store.acknowledge(identifier)
            return .removed
        }
    }

    // MARK: - The end

    /// Makes the next queue on this ledger reconcile files and rows, even after an orderly close of this queue. The
    /// caller knows that files and rows may disagree.
    package func distrustFiles() {
        store.distrustFiles()
    }

    /// Whether the next queue on this ledger reconciles files and rows because of ``distrustFiles()``.
    package var distrustsFiles: Bool { store.isDistrusted }

    /// Deletes tokens with this prefix from the ledger at an orderly close. If there are very many, it deletes only a
    /// part of them.
    ///
    /// A token is the ledger's note that a source or an order has had its effect, so that it has none a second time.
    /// The caller knows that the sources or orders of these tokens are gone for good.
    package func forgetTokensAtClose(withPrefix prefix: String) {
        store.forgetTokensAtClose(withPrefix: prefix)
    }

    /// Closes the ledger in order. The caller must not use the queue afterwards.
    package func close() throws {
        try store.close()
    }

    /// Closes the ledger without order after an error, so that the next queue on it reconciles.
    ///
    /// An error is not a death of the process. As long as this process is the owner, the ledger is told that nothing is
    /// to be blamed for the error.
    package func abandon(isOwner: Bool = false) {
        if isOwner { store.tryToBlameNothing() }
        store.abandon()
    }
}
