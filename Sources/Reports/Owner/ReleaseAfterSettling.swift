package import Background
package import DurableIO
import Logging

/// The last step of a report: its file is unlinked or parked, after the commit that settled the report.
///
/// If the owner dies between the commit and this step, the next owner finds the file (``Reconciliation``).
extension ReportSender {
    func didSettle(_ settlements: [Settlement]) async {
        let ended = settlements.filter { !$0.verdict.state.isLive }
        await moveFiles(afterSettling: ended.map { ($0.claim.record.identifier, $0.verdict.state) })
        for settlement in ended {
            callerRequests.forget(settlement.claim.record.identifier)
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
        for settlement in settlements { tell(settlement) }
    }

    private func tell(_ settlement: Settlement) {
        let (record, verdict) = (settlement.claim.record, settlement.verdict)
        let (id, reason) = (record.identifier, verdict.reason?.rawValue ?? "")
        switch verdict.state {
        case .delivered: onEvent(.delivered(id: id, attempts: record.attempts))
        case .held: onEvent(.held(id: id, reason: reason, error: settlement.error))
        case .waiting where record.attempts == 1 && !verdict.isInterruption:
            onEvent(.putOff(id: id, reason: reason, error: settlement.error))
        case .rejected, .exhausted, .removed:
            onEvent(.ended(id: id, state: verdict.state, reason: reason, error: settlement.error))
        default: break
        }
    }

    /// A report's identifier, and the committed state that allows its file to be moved or unlinked.
    typealias Settled = (identifier: String, state: TransferState)

    /// Moves or unlinks files after a commit. When a row has another state by now, the report was enrolled again, and
    /// its file is left alone.
    private func moveFiles(afterSettling settled: [Settled]) async {
        guard !settled.isEmpty, let queue = state.withLock(\.queue) else { return }
        let identifiers = settled.map(\.identifier)
        await locks.alone(with: Set(identifiers)) {
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

    /// Moves or unlinks files. The caller holds the reports' locks, and passes the states that the ledger has now.
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

    /// Records that a file was not moved. The verdict is durable, so the next owner moves the file.
    private func noteMisplaced(_ subject: String, _ error: any Error) {
        state.withLock { $0.hasMisplacedFiles = true }
        tell(trouble: "its file is not moved as its row says: \(error)", at: subject)
        logger.warning("Report's file not moved", metadata: ["report.id": "\(subject)", "error": "\(error)"])
    }
}

extension ReportSpool {
    /// Releases a report's file by its settled state: moves it to `parked/`, or unlinks it.
    ///
    /// The caller has committed the change that allows this: it settled the report (``ReportSender/didSettle(_:)``),
    /// evicted it (``LimitKeeper``) or carried out a person's order to remove it (``OrderActions``). The caller holds
    /// the report's lock, and has read the row under that lock. If the process dies before this step, the next owner
    /// carries the step out (``Reconciliation``).
    package func release(_ id: ContentHash, as state: TransferState) throws(FileSystemError) {
        let name = StoredReport.name(of: id)
        if state.isParked {
            guard try files.metadata(of: name, in: queued) != nil else { return }
            try files.renameReplacing(name, in: queued, to: name, in: parked)
        } else {
            // Both files go: one directory may hold a damaged copy, and the other the sound bytes that came later.
            try files.remove(name, in: queued)
            try files.remove(name, in: parked)
        }
    }
}
