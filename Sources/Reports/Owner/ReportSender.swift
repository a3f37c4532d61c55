import Background
import DurableIO
import Logging
import Synchronization

/// The queue's client for reports: it makes the request of each attempt, and releases files after each commit
/// (`ReleaseAfterSettling`).
final class ReportSender: TransferClient {
    /// The locks that let one party at a time enrol a report or move its file.
    let locks = ReportLocks()
    let spool: ReportSpool
    let requests: RequestMaker
    let logger: Logger
    let state = Mutex(State())
    /// Whether this process is still the owner.
    private let isOwner: @Sendable () -> Bool
    let onSettled: @Sendable (SubmissionProgress) -> Void

    struct State {
        var progress = SubmissionProgress()
        var hasMovedFiles = false
        var hasMisplacedFiles = false
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
        spool: ReportSpool, destination: Destination?, callerRequests: CallerRequests, logger: Logger,
        isOwner: @escaping @Sendable () -> Bool,
        onSettled: @escaping @Sendable (SubmissionProgress) -> Void = { _ in }
    ) {
        self.spool = spool
        requests = RequestMaker(
            spool: spool, destination: destination, callerRequests: callerRequests, host: CurrentProcess.hostName)
        self.logger = logger
        self.isOwner = isOwner
        self.onSettled = onSettled
    }

    /// The results of this owner's attempts so far.
    var progress: SubmissionProgress { state.withLock(\.progress) }

    func mayGoOn() throws {
        guard spool.isInPlace else { throw spool.goneError }
        guard isOwner() else {
            throw ReportsError(.spoolNotUsable, "owner.lock was replaced: another process may own the spool now")
        }
    }

    // MARK: - Requests

    func attempt(_ claim: Claim, over transport: any Transport) async -> AttemptReport {
        let record = claim.record
        do {
            var request = try await requests.request(for: record)
            request.growPatience(attempts: record.attempts)
            let queue = state.withLock(\.queue)
            let identifier = record.identifier
            let result = await request.sendInParts(saved: record.progress, over: transport) { progress, hasAdvanced in
                try await queue?.note(progress: progress, byteCount: nil, hasAdvanced: hasAdvanced, of: identifier)
            }
            let wall = spool.clock.wallMilliseconds
            // Only the destination gives the proof of receipt. A report with a request of its own is sent to another
            // place.
            let rule = record.request == nil ? requests.destination?.acknowledgement : nil
            return AttemptReport(result, at: wall, keepsAnswer: record.request != nil) { answer in
                ReportAnswers.judge(answer, demanding: rule, isSecure: request.endpoint.isSecure, at: wall)
            }
        } catch {
            return AttemptReport(error)
        }
    }

    // MARK: - Afterwards

    /// Evicts reports beyond the spool's limits, because nothing more can be sent now.
    func didRunDry() async throws {
        guard let queue = state.withLock(\.queue) else { return }
        try await LimitKeeper(spool: spool, queue: queue, sender: self, logger: logger, ifDry: true).keep()
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
