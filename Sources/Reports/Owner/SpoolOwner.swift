package import Background
import DurableIO
package import Logging

/// This process as the owner of a spool, from taking the lock to giving it back.
///
/// A spool has one owner at a time, and only the owner sends, settles and moves reports. An owner that ends in order
/// leaves nothing to be repaired. After any other end, the next owner reconciles files and ledger before it does
/// anything else.
package final class SpoolOwner: Sendable {
    package let spool: ReportSpool
    package let queue: TransferQueue
    let sender: ReportSender
    let marks = SourceMarks()
    let left = LeftSources()
    let logger: Logger
    private let host: LedgerHost
    private let transport: any Transport
    /// The repairs made at the start, and what keeps destinations from being reached, as sentences for people; empty
    /// after an orderly end of the previous owner where all can be reached.
    package let repairs: [String]
    /// Whether the task was cancelled before files and ledger were reconciled. The next owner then reconciles them.
    let isCutShort: Bool

    /// The settings of an owner, besides the spool.
    package struct Configuration: Sendable {
        /// The destinations of reports. With `nil`, the owner sends only reports that have requests of their own, or
        /// nothing.
        package var routing: Routing?
        /// The requests of callers, for reports that have requests of their own. With `nil`, the owner sends such a
        /// report only if the report's request needs no header fields.
        package var callerRequests: CallerRequests?
        package var maximumConcurrent = 16
        package var connection = ConnectionSettings()
        package var policy = RetryPolicy()
        package var logger = Logger(label: "reports", factory: { _ in SwiftLogNoOpLogHandler() })
        /// The transport that tests use; `nil` for the real one.
        package var transport: (any Transport)?
        /// The transport that tests use besides ``transport``, for services beside the destinations; `nil` for none.
        package var side: (any Transport)?
        /// How long the queue waits for further ends of attempts before it commits; `nil` for the queue's default.
        package var gatheringTime: Duration?
        /// How long attempts under way may go on when the owner is told to end, in milliseconds. The default is 0.
        package var grace: Int64 = 0
        /// The damage in the ledger that this process has met during its work.
        package var ledgerDamage = LedgerDamage.none
        package var onSettled: @Sendable (SubmissionProgress) -> Void = { _ in }
        /// Gets what the owner has done and found. It has to return soon.
        package var onEvent: @Sendable (SpoolEvent) -> Void = { _ in }

        /// The settings of an owner with destinations and routes, or with no destination.
        package init(routing: Routing?) {
            self.routing = routing
        }

        /// The settings of an owner with one destination, or with none.
        package init(destination: Destination?) {
            self.init(routing: destination.map { Routing($0) })
        }

        /// Whether this owner sends anything at all.
        var sends: Bool { routing != nil || callerRequests != nil }

        /// Whether this owner would send the reports of a lane.
        func sends(in lane: Lane) -> Bool {
            if lane.ownOrigin != nil { return true }
            guard let routing else { return false }
            return lane == .undecided || routing.destinations.contains { $0.name == lane.name }
        }
    }

    /// Tries to become the owner.
    ///
    /// When the task is cancelled while the ledger is being opened, this process does not become the owner. When the
    /// task is cancelled during the reconciliation, it becomes the owner and has to resign in order. In both cases the
    /// next owner does that work again.
    /// - Returns: the owner; `nil` when another process is the owner.
    /// - Throws: `CancellationError`, and the errors of the lock, the ledger and the settings.
    package static func become(of spool: ReportSpool, _ configuration: Configuration) async throws -> SpoolOwner? {
        guard let host = try LedgerHost.become(ownerOf: spool.ledger) else { return nil }
        var opened: OwnerTransports?
        do {
            let transports = try OwnerTransports.open(configuration, files: spool.files)
            opened = transports
            return try await SpoolOwner(spool, host, transports, configuration)
        } catch {
            await opened?.reports.shutdown()
            await host.abandon()
            throw error
        }
    }

    private init(
        _ spool: ReportSpool, _ host: LedgerHost, _ transports: OwnerTransports, _ configuration: Configuration
    ) async throws {
        self.spool = spool
        self.host = host
        logger = configuration.logger
        let router = try configuration.routing.map { try Router($0) }
        try router?.checkSurroundings()
        sender = ReportSender(
            spool: spool, router: router,
            callerRequests: configuration.callerRequests ?? CallerRequests(), side: transports.side,
            logger: configuration.logger, isOwner: { [weak host] in host?.isCurrent ?? false },
            onSettled: configuration.onSettled, onEvent: configuration.onEvent)
        var repairs = transports.problems
        let store = try await SpoolLedger.open(spool, host, configuration.ledgerDamage, repairs: &repairs)
        let end = store.earlierEnd
        transport = transports.reports
        var queueConfiguration = TransferQueue.Configuration(destinations: router?.gateKeys ?? [:])
        queueConfiguration.policy = configuration.policy
        queueConfiguration.policy.maximumWindow = configuration.maximumConcurrent
        queueConfiguration.prefersFirstRank = true
        queueConfiguration.grace = configuration.grace
        configuration.gatheringTime.map { queueConfiguration.gatheringTime = $0 }
        queue = try TransferQueue(
            store: store, configuration: queueConfiguration, client: sender, transport: transport,
            clock: spool.clock, logger: configuration.logger)
        host.hold(queue)
        sender.work(for: queue)
        var mended = Reconciliation.Result()
        if end != .clean {
            mended = try await Reconciliation(spool: spool, queue: queue, router: router).run()
            repairs += mended.messages
            if mended.isIncomplete { await queue.distrustFiles() }
            if mended.isCutShort {
                repairs.append("the run ended before all files and rows were compared: the next run goes on with it")
            }
            sender.noteMovedFiles()
        }
        self.repairs = repairs
        isCutShort = mended.isCutShort
        guard !isCutShort else { return }
        do {
            if let router { try await Rerouting(queue: queue, router: router).run() }
            try await wake(configuration.callerRequests)
        } catch is CancellationError {
            // The change was cancelled and woke no row. The next owner does it again.
            return
        }
        try TemporaryCleaner(files: spool.files, directory: spool.temporary).clean()
        spool.cleanDropZone()
        spool.ledger.layReserve()
    }

    /// How many files in `queued/` have no row because the reconciliation was cut short.
    func filesWithoutRows(_ tally: Tally) -> Int {
        guard isCutShort else { return 0 }
        let files = ((try? spool.files.entries(of: spool.queued)) ?? []).count { StoredReport.id(in: $0) != nil }
        return max(0, files - (tally.waiting + tally.held).count)
    }

    /// Makes the rows due that rest because an earlier owner did not have the callers' requests for them. This owner
    /// has the requests.
    private func wake(_ callerRequests: CallerRequests?) async throws {
        guard let callerRequests else { return }
        let known = callerRequests.known
        if callerRequests.knowsAll {
            let isCancelled = { @Sendable in Task.isCancelled }
            try await queue.change(interruptedWhen: isCancelled) { try $0.wakeResting() }
        } else if !known.isEmpty {
            try await queue.change { store in
                for identifier in known { try store.wakeResting(identifier: identifier) }
            }
        }
    }

    /// Whether this process still holds the lock at the spool's path.
    var isCurrent: Bool { host.isCurrent }

    /// Evicts reports beyond the spool's limits.
    /// - Parameter ifDry: whether nothing is evicted while the queue has something to claim. The default is `false`.
    /// - Throws: the errors of the ledger or the disk.
    package func keepLimits(ifDry: Bool = false) async throws {
        try await LimitKeeper(spool: spool, queue: queue, sender: sender, logger: logger, ifDry: ifDry).keep()
    }

    /// Gives the lock back after an error. The ledger stays marked as not closed in order, so the next owner
    /// reconciles.
    package func abandon() async {
        await transport.shutdown()
        await host.abandon()
    }

    /// Closes the ledger in order and gives the lock back. When that fails, gives the lock back like ``abandon()``.
    package func resign() async throws {
        await transport.shutdown()
        do {
            try await prepareForEnd()
        } catch {
            await host.abandon()
            throw error
        }
        try await host.close()
    }

    /// Leaves nothing in the ledger that the next owner would have to look for.
    private func prepareForEnd() async throws {
        try sender.syncRooms()
        if sender.hasMisplacedFiles { await queue.distrustFiles() }
        // An owner that died may have enrolled a source that is still there. The ledger keeps the mark of such a source
        // until the source is unlinked.
        var forgotten = marks.takeUnlinked()
        if hasNoSources, marks.mayBeForgotten {
            await queue.forgetTokensAtClose(withPrefix: SourceMark.prefix)
            forgotten.removeAll { $0.hasPrefix(SourceMark.prefix) }
        }
        if !forgotten.isEmpty {
            try await queue.change { [forgotten] in for mark in forgotten { try $0.forget(token: mark) } }
        }
    }

    private var hasNoSources: Bool {
        guard let taken = try? DropZone(spool: spool).takenNames(), taken.isEmpty,
            let entries = try? spool.files.entries(of: spool.collected)
        else { return false }
        return entries.allSatisfy { StoredReport.id(in: $0) == nil }
    }
}
