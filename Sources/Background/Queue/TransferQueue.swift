package import DurableIO
package import Logging
import Synchronization

/// The engine: the only one that decides which transfer is sent when, and what becomes of it.
///
/// A transfer is claimed and counted before its first byte leaves, and settled before anybody acts on the result. All
/// decisions fall in one loop, each turn of which is one commit; between two turns everything known survives a crash,
/// and the next life sends again what was under way. While things go well a turn serves many transfers: they are
/// claimed a few milliseconds ahead, and judged a few behind (``SendingPlan``). Nothing runs unless somebody drives the
/// queue.
package actor TransferQueue {
    /// Who decides when a transfer that the server put off is sent again.
    package enum RetryOwner: Sendable {
        case engine
        /// The answer is handed back; the transfer rests until it is asked for again.
        case caller
    }

    /// How long a drive lasts.
    package enum Persistence: Sendable, Hashable {
        /// Until nothing that is due can be sent now.
        case whileDue
        /// Waits for what is due later, until a time on the boot clock in milliseconds, or for ever.
        case waiting(until: Int64?)
    }

    package struct Configuration: Sendable {
        /// To which origin each lane leads in this run. Rows of other lanes are left alone, but for those whose lane
        /// names its origin itself.
        package var destinations: [Lane: String]
        package var retryOwner: RetryOwner = .engine
        package var policy = RetryPolicy()
        /// Whether rows of the first rank go before the others of their lane, by ``ClaimOrder``. The default is
        /// `false`: the row due longest goes first.
        package var prefersFirstRank = false
        /// What the pace of a body is taken with, in milliseconds from any beginning. Asked on any thread, so that the
        /// default is no system clock of the ledger's.
        package var stopwatch: @Sendable () -> Int64 = {
            let time = ContinuousClock.now - MeteredTransport.beginning
            return time.components.seconds * 1_000 + time.components.attoseconds / 1_000_000_000_000_000
        }
        /// What ends within this time of another is judged with it, unless there is nothing to send meanwhile. The
        /// default is 5 ms.
        package var gatheringTime = Duration.milliseconds(5)

        package init(destinations: [Lane: String] = [:]) {
            self.destinations = destinations
        }
    }

    typealias Plan = SendingPlan<Claim, AttemptReport>

    /// What the queue and the tasks of its attempts share: no attempt waits for the queue to report its end.
    struct Shared: Sendable {
        var plan: Plan
        /// The attempts under way, by row, for the queue to end one of them.
        var attempts: [Int64: Task<AttemptReport, Never>] = [:]
        /// Opened, and replaced, at each change that those may wait for who want the process free.
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
    /// To which origin the ledger says that lanes lead.
    var storedLanes: [Lane: String]
    var isDriven = false
    /// When this began, and when the caller of the drive will end it, on the boot clock in milliseconds.
    let begun: Int64
    /// When the first drive began.
    private(set) var firstDriveBegun = Int64.max / 2
    var driveEnd: Int64?
    /// When the run began whose deadline the drive's end is, or this did.
    private(set) var runBegun: Int64

    // MARK: - The beginning

    /// Takes a store freshly opened; rows an earlier life left in flight are given back here.
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

    /// Makes it durable that this life moves files; see ``TransferStore/begin()``.
    package func begin() async throws {
        try await retryingOnFullDisk { try store.begin() }
    }

    // MARK: - The ledger

    package func look<Result: Sendable>(_ body: @Sendable (LedgerQueries) throws -> Result) throws -> Result {
        try body(store.queries)
    }

    /// Changes the ledger: all of it or nothing, durable on return. Wakes the drive.
    package func change<Result: Sendable>(
        _ body: @Sendable (TransferStore) throws -> Result
    ) async throws -> Result {
        let result = try await committing { store in try body(store) }
        wake()
        return result
    }

    /// The same, unless it is to be done only while there is nothing to claim, and there is something, or may be
    /// something that waits for the end of a stop.
    /// - Returns: `nil` when nothing was done.
    package func change<Result: Sendable>(
        ifDry: Bool, _ body: @Sendable (TransferStore) throws -> Result
    ) async throws -> Result? {
        let now = clock.bootMilliseconds
        if ifDry, try shared.withLock({ $0.plan.solitude.stop(at: now) }) != nil || mayClaim() { return nil }
        return try await change(body)
    }

    // MARK: - Sending

    /// Sends what is due until the drive is over, then returns. One drive at a time.
    ///
    /// Cancelling the task gives the transfers under way back, due at once and uncharged, before this returns.
    /// - Parameters:
    ///   - persistence: how long it lasts.
    ///   - isExplicit: whether somebody asked for this: gates closed by failure or for a reason are probed once.
    ///   - end: when the caller will cancel it, on the boot clock in milliseconds; `nil`, the default, is never.
    ///   - deadline: the length of the run that has this end, in milliseconds, which people have named; `nil`, the
    ///     default, counts from this queue's beginning.
    /// - Throws: what the ledger or the client throws; the queue is then to be abandoned.
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
        // Attempts that were cut short have reported their ends while the drive waited for them.
        await client.didSettle(try await turn(isStopping: true).settlements)
    }

    /// Tells the drive to look again.
    package nonisolated func wake() {
        signal.raise(.now)
    }

    /// When an origin with due transfers may be tried again, on the wall's clock in milliseconds.
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

    // MARK: - Wishes for one transfer

    /// Somebody asks for a transfer by its name: if it is a suspect it goes next, alone, instead of after all others.
    /// - Returns: how often the process died while it alone was under way; `nil` when it is no suspect.
    package func attend(to identifier: String) throws -> Int? {
        guard let record = try store.queries.record(identifier), record.isSuspect, record.state == .waiting else {
            return nil
        }
        shared.withLock { $0.plan.askedFor(suspect: record.rowID) }
        wake()
        return record.strikes
    }

    /// Writes down how far a transfer under way has come; durable on return.
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
        // Those who wait to collect may go on, too.
        releaseWaiting()
    }

    /// What a wish to take a transfer out came to.
    package enum Cancellation: Hashable, Sendable {
        /// There is no unfinished transfer of that name.
        case nothingToCancel
        case removed
        /// It is under way and was told to end; unless the server has accepted it by then, it is removed.
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

    /// Files and rows may disagree: the next life reconciles, even after an orderly end of this one.
    package func distrustFiles() {
        store.distrustFiles()
    }

    /// At an orderly close, forgets the tokens that begin so: they cannot come again.
    package func forgetTokensAtClose(withPrefix prefix: String) {
        store.forgetTokensAtClose(withPrefix: prefix)
    }

    /// Ends the life in order. The queue must not be driven any more.
    package func close() throws {
        try store.close()
    }

    /// Ends the life without order, after an error: the next one reconciles. An error is no death: as long as this
    /// process is the owner, the ledger is told that nobody is to be blamed for it.
    package func abandon(isOwner: Bool = false) {
        if isOwner { store.tryToBlameNothing() }
        store.abandon()
    }
}
