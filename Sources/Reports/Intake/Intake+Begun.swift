import Background
import DurableIO

/// Drops whose beginning is written down before their first byte is read: large ones, and those that may have killed
/// the process. After a crash the next owner knows which of them was under way.
extension Intake {
    /// Collects and enrols one drop by itself.
    /// - Returns: whether it was read, or its reading was begun.
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
        // It goes on in this life without this drop. An orderly end closes what was cut by it.
        if summary.broughtInCount == 0, !Task.isCancelled {
            do {
                try await queue.change { try $0.failed(drop: drop.mark) }
            } catch {
                guard SpoolErrors.isOutOfSpace(error) else { throw error }
            }
        }
        return true
    }

    /// On a thread of the package's own: the program may have one thread for all its tasks.
    /// - Returns: `nil` for a drop that stays in `taken/`.
    private func collectAlone(
        _ taken: consuming DropZone.Taken, _ summary: inout Summary
    ) async throws -> Enrolment.Candidate? {
        do {
            let slot = try await spool.slots.slot(for: taken.drop.facts.size)
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
