package import Background
import DurableIO
package import Logging

/// This process as the owner of a spool: from having the lock to giving it back.
///
/// There is one owner at a time, and only it moves reports on. A life that ends in order leaves nothing to look for;
/// after any other end the next owner reconciles files and ledger before it does anything else.
package final class SpoolOwner: Sendable {
    package let spool: ReportSpool
    package let queue: TransferQueue
    let sender: ReportSender
    let marks = SourceMarks()
    let left = LeftSources()
    let logger: Logger
    private let host: LedgerHost
    private let transport: any Transport
    /// What had to be mended at the start, in words; empty after an orderly end.
    package let repairs: [String]
    /// Whether the task was cancelled before files and ledger were brought together, so that the next owner does it.
    let isCutShort: Bool

    /// What an owner needs besides the spool.
    package struct Configuration: Sendable {
        /// `nil` for an owner that only carries out requests.
        package var destination: Destination?
        /// The requests of reports that have one of their own; `nil` for a process that knows none, which sends those
        /// only that need no header.
        package var callerRequests: CallerRequests?
        package var maximumConcurrent = 16
        package var connection = ConnectionSettings()
        package var policy = RetryPolicy()
        package var logger = Logger(label: "reports", factory: { _ in SwiftLogNoOpLogHandler() })
        /// For tests; `nil` is the real one.
        package var transport: (any Transport)?
        /// For how long ends of transfers are gathered; `nil` is the queue's default.
        package var gatheringTime: Duration?
        /// What this process has found wrong with the ledger in the middle of the work.
        package var ledgerDamage = LedgerDamage.none
        package var onSettled: @Sendable (SubmissionProgress) -> Void = { _ in }

        package init(destination: Destination?) {
            self.destination = destination
        }

        /// Whether anything is sent at all.
        var sends: Bool { destination != nil || callerRequests != nil }
    }

    /// Tries to become the owner.
    ///
    /// When the task is cancelled while the ledger is opened, no owner comes of it; when it is cancelled while files
    /// and ledger are brought together, the owner has still to end in order. The next owner does either anew.
    /// - Returns: `nil` when another process is.
    /// - Throws: `CancellationError` among others.
    package static func become(of spool: ReportSpool, _ configuration: Configuration) async throws -> SpoolOwner? {
        guard let host = try LedgerHost.become(ownerOf: spool.ledger) else { return nil }
        var transport: (any Transport)?
        do {
            let chosen = try configuration.transport ?? IdleTransport.unlessSending(configuration, files: spool.files)
            transport = chosen
            return try await SpoolOwner(spool, host, chosen, configuration)
        } catch {
            await transport?.shutdown()
            await host.abandon()
            throw error
        }
    }

    private init(
        _ spool: ReportSpool, _ host: LedgerHost, _ transport: any Transport, _ configuration: Configuration
    ) async throws {
        self.spool = spool
        self.host = host
        logger = configuration.logger
        sender = ReportSender(
            spool: spool, destination: configuration.destination,
            callerRequests: configuration.callerRequests ?? CallerRequests(),
            logger: configuration.logger, isOwner: { [weak host] in host?.isCurrent ?? false },
            onSettled: configuration.onSettled)
        var repairs: [String] = []
        let store = try await SpoolLedger.open(spool, host, configuration.ledgerDamage, repairs: &repairs)
        let end = store.earlierEnd
        let origin = try configuration.destination?.validate().origin
        self.transport = transport
        var queueConfiguration = TransferQueue.Configuration(destinations: origin.map { [.main: $0] } ?? [:])
        queueConfiguration.policy = configuration.policy
        queueConfiguration.policy.maximumWindow = configuration.maximumConcurrent
        queueConfiguration.prefersFirstRank = true
        configuration.gatheringTime.map { queueConfiguration.gatheringTime = $0 }
        queue = try TransferQueue(
            store: store, configuration: queueConfiguration, client: sender, transport: transport,
            clock: spool.clock, logger: configuration.logger)
        host.hold(queue)
        sender.work(for: queue)
        var mended = Reconciliation.Result()
        if end != .clean {
            mended = try await Reconciliation(spool: spool, queue: queue).run()
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
            try await wake(configuration.callerRequests)
        } catch is CancellationError {
            // Nothing was woken; the next owner does it.
            return
        }
        try TemporaryCleaner(files: spool.files, directory: spool.temporary).clean()
        spool.ledger.layReserve()
    }

    /// How many files are to be sent that got no row, because bringing files and ledger together was cut short.
    func filesWithoutRows(_ tally: Tally) -> Int {
        guard isCutShort else { return 0 }
        let files = ((try? spool.files.entries(of: spool.queued)) ?? []).count { StoredReport.id(in: $0) != nil }
        return max(0, files - (tally.waiting + tally.held).count)
    }

    /// What rests for want of its request has somebody to ask again: another owner, who knew none, may have laid it
    /// down.
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

    /// Whether this process still holds the lock that the spool's path names.
    var isCurrent: Bool { host.isCurrent }

    /// Keeps those apart who enrol a report and who move its file.
    package var locks: ReportLocks { sender.locks }

    /// Evicts what is beyond the spool's limits.
    /// - Parameter ifDry: whether nothing is evicted while the queue has something to claim. The default is `false`.
    /// - Throws: when the ledger or the disk cannot be asked.
    package func keepLimits(ifDry: Bool = false) async throws {
        try await LimitKeeper(spool: spool, queue: queue, sender: sender, logger: logger, ifDry: ifDry).keep()
    }

    /// Gives the lock back after an error, without a word in the ledger: the next owner reconciles.
    package func abandon() async {
        await transport.shutdown()
        await host.abandon()
    }

    /// Ends this life in order and gives the lock back, or, where that fails, as ``abandon()`` does.
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
        // What is left to come in may have been counted by a life that died; its mark has to outlive this one.
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
