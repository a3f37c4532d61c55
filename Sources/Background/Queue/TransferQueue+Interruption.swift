/// Work on much of the ledger, which a run that is told to end does not wait for.
extension TransferQueue {
    /// Looks at the ledger; the look ends soon after the condition holds.
    /// - Parameters:
    ///   - isCalledOff: is asked a hundred times in a second or more, on the thread of the look.
    ///   - body: the look.
    /// - Returns: what the look found.
    /// - Throws: `CancellationError` when it was ended, or what the body throws.
    package func look<Result: Sendable>(
        interruptedWhen isCalledOff: @Sendable () -> Bool, _ body: @Sendable (LedgerQueries) throws -> Result
    ) throws -> Result {
        try store.interruptible(when: isCalledOff) { try body(store.queries) }
    }

    /// Changes the ledger: all of it or nothing, durable on return; nothing, when the condition holds before the end.
    /// Wakes the drive.
    /// - Throws: `CancellationError` when it was ended, or what the body throws.
    package func change<Result: Sendable>(
        interruptedWhen isCalledOff: @Sendable () -> Bool, _ body: @Sendable (TransferStore) throws -> Result
    ) async throws -> Result {
        try await change { store in
            try store.interruptible(when: isCalledOff) { try body(store) }
        }
    }

    /// Transfers with bytes older than an age in milliseconds, counted on the ledger's own axis.
    ///
    /// Looks at every such transfer only when the oldest of the last such look may be that old by now.
    /// - Throws: `CancellationError` when the condition held before the end of that look.
    package func enrolled(
        longerAgoThan age: Int64, limit: Int, interruptedWhen isCalledOff: @Sendable () -> Bool = { false }
    ) async throws -> [TransferRecord] {
        let time = store.now - age
        if let oldest = try store.queries.oldestEnrolmentNoted(), oldest >= time { return [] }
        let (found, oldest) = try store.interruptible(when: isCalledOff) {
            let found = try store.queries.enrolled(before: time, limit: limit)
            return (found, found.isEmpty ? try store.queries.oldestEnrolment() : nil)
        }
        guard let oldest else { return found }
        try await committing { store in try store.note(oldestEnrolment: oldest) }
        return []
    }
}
