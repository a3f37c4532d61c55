/// Work on a large part of the ledger that ends early when a run is told to end.
extension TransferQueue {
    /// Reads the ledger, and stops reading soon after a condition holds.
    /// - Parameters:
    ///   - isCalledOff: the condition. It is asked at least a hundred times a second, on the thread that reads.
    ///   - body: the reading.
    /// - Returns: the result of the body.
    /// - Throws: `CancellationError` when the condition held before the body's end, or any error of the body.
    package func look<Result: Sendable>(
        interruptedWhen isCalledOff: @Sendable () -> Bool, _ body: @Sendable (LedgerQueries) throws -> Result
    ) throws -> Result {
        try store.interruptible(when: isCalledOff) { try body(store.queries) }
    }

    /// Changes the ledger in one transaction, which is durable on return, and wakes the drive. Changes nothing when the
    /// condition holds before the body's end.
    /// - Throws: `CancellationError` when the condition held before the body's end, or any error of the body.
    package func change<Result: Sendable>(
        interruptedWhen isCalledOff: @Sendable () -> Bool, _ body: @Sendable (TransferStore) throws -> Result
    ) async throws -> Result {
        try await change { store in
            try store.interruptible(when: isCalledOff) { try body(store) }
        }
    }

    /// Transfers that still have bytes, and that were enrolled longer ago than an age, in milliseconds on the ledger's
    /// axis (``LedgerClock``).
    ///
    /// When this finds none, it notes in the ledger when the oldest transfer was enrolled. A later call returns none
    /// without reading the transfers, until the noted time is longer ago than the age.
    /// - Throws: `CancellationError` when the condition held before the end of the reading.
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
