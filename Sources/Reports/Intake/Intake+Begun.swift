import Background
import DurableIO

/// The collecting of single drops: large drops, and drops that may have killed a process.
///
/// The intake writes into the ledger that such a drop is begun, before it reads the drop's first byte. So after a crash
/// the next owner knows which drop was being collected.
extension Intake {
    /// Collects and enrols one drop by itself.
    /// - Returns: whether the intake has begun to read the drop.
    func bringIn(begun entry: DropOrder.Entry, _ summary: inout Summary) async throws -> Bool {
        guard let taken = open(entry, &summary) else { return false }
        let drop = taken.drop
        do {
            try await queue.change { try $0.begin(drop: drop.mark) }
        } catch {
            guard SpoolErrors.isOutOfSpace(error) else { throw error }
            summary.isOutOfSpace = true
            leave(Source(drop), .notTaken("cannot be begun: \(error)"), &summary)
            return false
        }
        if let candidate = try await collectAlone(taken, &summary) {
            try await enrolGroup([candidate], syncing: .oneByOne, &summary)
        }
        // The collecting of this drop has failed, so the drop is not under way any more. If the task was cancelled, the
        // owner records at its orderly end that the drop is not under way.
        if summary.broughtInCount == 0, !Task.isCancelled {
            do {
                try await queue.change { try $0.failed(drop: drop.mark) }
            } catch {
                guard SpoolErrors.isOutOfSpace(error) else { throw error }
            }
        }
        return true
    }

    /// Collects a drop on a thread of this package, because the program may have only one thread for all its tasks.
    /// - Returns: the candidate; `nil` when the drop was not collected and stays in `taken/`.
    private func collectAlone(
        _ taken: consuming DropZone.Taken, _ summary: inout Summary
    ) async throws -> Enrolment.Candidate? {
        do {
            let size = taken.drop.facts.size
            let header = try? DropHeader.read(of: taken.file, size: size, files: spool.files)
            let slot = try await spool.slots.slot(for: max(size, header?.payloadByteCount ?? 0))
            var source = Optional(taken)
            return await OwnThreads.run {
                guard let taken = source.take() else { return nil }
                return candidate(of: taken, isBegun: true, betweenBlocks: { slot.pause() }, &summary)
            }
        } catch is CancellationError {
            return nil
        }
    }
}
