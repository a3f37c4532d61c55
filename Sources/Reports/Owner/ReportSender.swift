import Background
import DurableIO
import Logging
import Synchronization

/// The queue's client for reports: it has each attempt made by the destination of the report's lane, and releases files
/// after each commit (`ReleaseAfterSettling`).
final class ReportSender: TransferClient {
    /// The locks that let one party at a time enrol a report or move its file.
    let locks = ReportLocks()
    let spool: ReportSpool
    /// The destinations of this run; `nil` when only reports with requests of their own are sent.
    let router: Router?
    let callerRequests: CallerRequests
    private let side: any Transport
    /// The name of this machine.
    private let host = CurrentProcess.hostName
    let logger: Logger
    let state = Mutex(State())
    /// Whether this process is still the owner.
    private let isOwner: @Sendable () -> Bool
    let onSettled: @Sendable (SubmissionProgress) -> Void
    let onEvent: @Sendable (SpoolEvent) -> Void

    struct State {
        var progress = SubmissionProgress()
        var hasMovedFiles = false
        var hasMisplacedFiles = false
        /// The trouble that was told of last for each path.
        var troubles: [String: String] = [:]
        var isKeepingLimits = false
        /// When a keeper first kept the limits after the run was told to end, on the boot clock in milliseconds.
        var lastMomentsBegan: Int64?
        /// The queue of this client. The reference is weak because the queue holds its client.
        weak var queue: TransferQueue?
    }

    /// Sets the queue of this client. The owner calls this before it drives the queue.
    func work(for queue: TransferQueue) {
        state.withLock { $0.queue = queue }
    }

    init(
        spool: ReportSpool, router: Router?, callerRequests: CallerRequests, side: any Transport = IdleTransport(),
        logger: Logger, isOwner: @escaping @Sendable () -> Bool,
        onSettled: @escaping @Sendable (SubmissionProgress) -> Void = { _ in },
        onEvent: @escaping @Sendable (SpoolEvent) -> Void = { _ in }
    ) {
        self.spool = spool
        self.router = router
        self.callerRequests = callerRequests
        self.side = side
        self.logger = logger
        self.isOwner = isOwner
        self.onSettled = onSettled
        self.onEvent = onEvent
    }

    /// The results of this owner's attempts so far.
    var progress: SubmissionProgress { state.withLock(\.progress) }

    func mayGoOn() throws {
        guard spool.isInPlace else { throw spool.goneError }
        guard isOwner() else {
            throw ReportsError(.spoolNotUsable, "owner.lock was replaced: another process may own the spool now")
        }
    }

    // MARK: - Attempts

    func attempt(_ claim: Claim, over transport: any Transport) async -> AttemptReport {
        let record = claim.record
        do {
            guard let id = ContentHash(hex: record.identifier) else {
                throw NoAnswer.unsendable("its row holds no report id")
            }
            guard record.request == nil else { return try await attemptOwn(record, id, over: transport) }
            // The claim is given back: the queue claims only rows of lanes that this run has.
            guard let kind = router?.kinds[record.lane] else { throw NoAnswer.interrupted }
            let report = try OutgoingReport(id, in: spool)
            if case .no(let reason) = kind.admits(ReportOutline(report.stored)) {
                throw NoAnswer.notAdmitted(Router.note(record.lane, reason))
            }
            return try await attempt(record, of: report, to: kind, over: transport)
        } catch let error as NoAnswer {
            return AttemptReport(error)
        } catch {
            return AttemptReport(.localTrouble("\(error)"))
        }
    }

    private func attempt(
        _ record: TransferRecord, of report: OutgoingReport, to kind: any DestinationKind,
        over transport: any Transport
    ) async throws(NoAnswer) -> AttemptReport {
        let context = AttemptContext(
            wall: spool.clock.wallMilliseconds, host: host, side: side)
        return try await kind.attempt(report, context, clock: spool.clock) { request in
            var request = request
            request.connection = record.lane.name
            return await result(of: request, record, inParts: kind.goesInParts, over: transport)
        }
    }

    private func attemptOwn(
        _ record: TransferRecord, _ id: ContentHash, over transport: any Transport
    ) async throws(NoAnswer) -> AttemptReport {
        guard let stored = record.request else { throw NoAnswer.interrupted }
        let own = OwnRequest(stored: stored, record: record, callerRequests: callerRequests)
        let request = try await own.request(for: OutgoingReport(id, in: spool))
        let result = await result(of: request, record, inParts: true, over: transport)
        let wall = spool.clock.wallMilliseconds
        return AttemptReport(result, at: wall, keepsAnswer: true) { own.judge($0, to: request, at: wall) }
    }

    private func result(
        of request: TransferRequest, _ record: TransferRecord, inParts: Bool, over transport: any Transport
    ) async -> TransportResult {
        var request = request
        request.growPatience(attempts: record.attempts)
        guard inParts else { return await transport.send(request) }
        let queue = state.withLock(\.queue)
        let identifier = record.identifier
        return await request.sendInParts(saved: record.progress, over: transport) { progress, hasAdvanced in
            try await queue?.note(progress: progress, byteCount: nil, hasAdvanced: hasAdvanced, of: identifier)
        }
    }

    // MARK: - Afterwards

    /// Evicts reports beyond the spool's limits, because nothing more can be sent now.
    func didRunDry() async throws {
        guard let queue = state.withLock(\.queue) else { return }
        try await LimitKeeper(spool: spool, queue: queue, sender: self, logger: logger, ifDry: true).keep()
        await tellStanding()
    }

    /// Tells how many reports wait and are held, and when the next attempt may be made.
    func tellStanding() async {
        guard let queue = state.withLock(\.queue), let tally = try? await queue.look({ try $0.tally() }) else { return }
        let next = (try? await queue.nextAttemptWall()) ?? nil
        onEvent(.standing(waiting: tally.waiting.count, held: tally.held.count, nextAttempt: next))
    }

    /// Tells of trouble with something in the spool, once for each path and reason.
    /// - Returns: whether it was told of now.
    @discardableResult
    func tell(trouble reason: String, at path: String) -> Bool {
        let isNew = state.withLock { state in
            // Nobody reads more than this.
            if state.troubles.count > 1_000 { state.troubles = [:] }
            defer { state.troubles[path] = reason }
            return state.troubles[path] != reason
        }
        if isNew { onEvent(.trouble(path: path, reason: reason)) }
        return isNew
    }

    /// Begins to keep the limits.
    /// - Returns: whether no other task is keeping them.
    func beginKeepingLimits() -> Bool {
        state.withLock { state in
            defer { state.isKeepingLimits = true }
            return !state.isKeepingLimits
        }
    }

    func endKeepingLimits() { state.withLock { $0.isKeepingLimits = false } }

    /// When a keeper of the limits first found that the run was told to end, on the boot clock in milliseconds. The
    /// first call sets this to `now`. From then on keepers go on only for a short time (``LimitKeeper``).
    func lastMomentsBegan(at now: Int64) -> Int64 {
        state.withLock { state in
            let began = state.lastMomentsBegan ?? now
            state.lastMomentsBegan = began
            return began
        }
    }

    /// Counts a report that was parked before it was ever sent.
    func countRejected() {
        state.withLock { $0.progress.rejected += 1 }
    }

    func countEvicted(_ count: Int) {
        state.withLock { $0.progress.evicted += count }
    }

    /// Counts reports that were evicted at once, to keep the limit of a signature.
    func countBraked(_ count: Int) {
        state.withLock { state in
            state.progress.evicted += count
            state.progress.braked += count
        }
    }

    /// Makes the moves of files durable. The owner calls this before it closes the ledger in order, because after an
    /// orderly end no owner looks for files in the wrong directory.
    func syncRooms() throws {
        guard state.withLock(\.hasMovedFiles) else { return }
        try spool.files.syncDirectory(spool.queued)
        try spool.files.syncDirectory(spool.parked)
        state.withLock { $0.hasMovedFiles = false }
    }

    /// Whether a file could not be moved as the verdict on its report demands.
    var hasMisplacedFiles: Bool { state.withLock(\.hasMisplacedFiles) }

    func noteMovedFiles() {
        state.withLock { $0.hasMovedFiles = true }
    }

    func freeLedgerSpace() async -> Bool {
        (try? spool.ledger.freeReserve()) ?? false
    }
}
