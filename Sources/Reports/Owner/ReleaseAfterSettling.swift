package import Background
package import DurableIO
import Logging

/// The last step of a report: its file is unlinked or parked, only after the commit that settled the report.
///
/// An owner that dies between the commit and the step leaves a file that the next owner finds (``Reconciliation``).
extension ReportSender {
    func didSettle(_ settlements: [Settlement]) async {
        let ended = settlements.filter { !$0.verdict.state.isLive }
        await moveFiles(afterSettling: ended.map { ($0.claim.record.identifier, $0.verdict.state) })
        for settlement in ended {
            requests.callerRequests.forget(settlement.claim.record.identifier)
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

    /// Moves or removes files after a commit. A row that has another state by now came anew, and its file is not
    /// touched.
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

    /// To be called while the caller has the reports' locks, with states that the ledger has now.
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
}

extension ReportSpool {
    /// Puts a report's file where its settled state wants it: away, or into `parked/`.
    ///
    /// Called only after the commit that settled the report has returned (``ReportSender/didSettle(_:)``), evicted it
    /// (``LimitKeeper``) or carried out a person's order to remove it (``OrderActions``). The caller has the report's
    /// lock, and has looked at the row under it. After a crash in between, the next owner does it
    /// (``Reconciliation``).
    package func release(_ id: ContentHash, as state: TransferState) throws(FileSystemError) {
        let name = StoredReport.name(of: id)
        if state.isParked {
            guard try files.metadata(of: name, in: queued) != nil else { return }
            try files.renameReplacing(name, in: queued, to: name, in: parked)
        } else {
            // Both: a damaged copy may lie in the one while sound bytes came into the other.
            try files.remove(name, in: queued)
            try files.remove(name, in: parked)
        }
    }
}
