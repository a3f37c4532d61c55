import Background
import DurableIO
import Logging
import Synchronization

/// Works for the engine on the reports' behalf: makes each request, and moves files once the ledger says so.
final class ReportSender: TransferClient {
    /// Keeps those apart who enrol a report and who move its file.
    let turns = ReportTurns()
    private let spool: ReportSpool
    private let requests: RequestMaker
    private let logger: Logger
    private let state = Mutex(State())
    /// Whether this process still is the owner.
    private let isOwner: @Sendable () -> Bool
    private let onSettled: @Sendable (SubmissionProgress) -> Void

    private struct State {
        var progress = SubmissionProgress()
        var hasMovedFiles = false
        var hasMisplacedFiles = false
        var isKeepingLimits = false
        /// The queue this works for, which holds this.
        weak var queue: TransferQueue?
    }

    /// Names the queue that this works for. To be called before the queue is driven.
    func work(for queue: TransferQueue) {
        state.withLock { $0.queue = queue }
    }

    init(
        spool: ReportSpool, destination: Destination?, book: CallerRequests, logger: Logger,
        isOwner: @escaping @Sendable () -> Bool,
        onSettled: @escaping @Sendable (SubmissionProgress) -> Void = { _ in }
    ) {
        self.spool = spool
        requests = RequestMaker(spool: spool, destination: destination, book: book, host: CurrentProcess.hostName)
        self.logger = logger
        self.isOwner = isOwner
        self.onSettled = onSettled
    }

    /// What the attempts of this run came to.
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
            // The proof is the destination's to give; a report with a request of its own goes elsewhere.
            let rule = record.request == nil ? requests.destination?.acknowledgement : nil
            return AttemptReport(result, at: wall, keepsAnswer: record.request != nil) { answer in
                ReportAnswers.judge(answer, demanding: rule, isSecure: request.endpoint.isSecure, at: wall)
            }
        } catch {
            return AttemptReport(error)
        }
    }

    // MARK: - Files

    func didSettle(_ settlements: [Settlement]) async {
        let ended = settlements.filter { !$0.verdict.state.isLive }
        await moveFiles(afterSettling: ended.map { ($0.claim.record.identifier, $0.verdict.state) })
        for settlement in ended {
            requests.book.forget(settlement.claim.record.identifier)
            guard settlement.verdict.state == .delivered else { continue }
            let record = settlement.claim.record
            logger.info(
                "Report delivered",
                metadata: ["report.id": "\(record.identifier)", "attempts": "\(record.attempts)"])
        }
        let progress = state.withLock { state in
            for settlement in settlements { state.progress.count(settlement) }
            return state.progress
        }
        onSettled(progress)
    }

    /// A report, and the state whose commit allows its file to be moved or removed.
    typealias Settled = (identifier: String, state: TransferState)

    /// Moves or removes files after a commit. A row that has another state by now came anew, and its file is not touched.
    private func moveFiles(afterSettling settled: [Settled]) async {
        guard !settled.isEmpty, let queue = state.withLock(\.queue) else { return }
        let identifiers = settled.map(\.identifier)
        await turns.alone(with: Set(identifiers)) {
            do {
                let states = try await queue.look { queries in
                    try queries.together { try identifiers.map { try queries.state(of: $0) } }
                }
                moveFiles(of: zip(settled, states).filter { $0.state == $1 }.map(\.0))
            } catch {
                noteMisplaced("reports", error)
            }
        }
    }

    /// To be called in the reports' turn, with states that the ledger has now.
    func moveFiles(of settled: [Settled]) {
        for (identifier, verdict) in settled {
            guard let id = ContentHash(hex: identifier) else { continue }
            do {
                try spool.release(id, as: verdict)
                state.withLock { $0.hasMovedFiles = true }
            } catch {
                noteMisplaced(identifier, error)
            }
        }
    }

    /// The verdict is durable; the next owner moves the file.
    private func noteMisplaced(_ subject: String, _ error: any Error) {
        state.withLock { $0.hasMisplacedFiles = true }
        logger.warning("Report's file not moved", metadata: ["report.id": "\(subject)", "error": "\(error)"])
    }

    /// Nothing more can be sent now, so that what is beyond the spool's limits may go.
    func didRunDry() async throws {
        guard let queue = state.withLock(\.queue) else { return }
        try await LimitKeeper(spool: spool, queue: queue, sender: self, logger: logger).keep()
    }

    /// - Returns: whether nobody else is at it.
    func beginKeepingLimits() -> Bool {
        state.withLock { state in
            defer { state.isKeepingLimits = true }
            return !state.isKeepingLimits
        }
    }

    func endKeepingLimits() { state.withLock { $0.isKeepingLimits = false } }

    /// One was parked before it was ever sent.
    func countRejected() {
        state.withLock { $0.progress.rejected += 1 }
    }

    func countEvicted(_ count: Int) {
        state.withLock { $0.progress.evicted += count }
    }

    /// Makes durable where files went. To be called before the ledger is closed in order, because after an orderly end
    /// nobody looks for files in the wrong room.
    func syncRooms() throws {
        guard state.withLock(\.hasMovedFiles) else { return }
        try spool.files.syncDirectory(spool.queued)
        try spool.files.syncDirectory(spool.parked)
        state.withLock { $0.hasMovedFiles = false }
    }

    /// Whether a file could not be put where its verdict wants it.
    var hasMisplacedFiles: Bool { state.withLock(\.hasMisplacedFiles) }

    func noteMovedFiles() {
        state.withLock { $0.hasMovedFiles = true }
    }

    func freeLedgerSpace() async -> Bool {
        (try? spool.ledger.freeReserve()) ?? false
    }
}
