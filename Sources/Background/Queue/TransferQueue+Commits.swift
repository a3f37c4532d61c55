import Logging

/// Commits on a disk that may be full.
extension TransferQueue {
    /// Runs one transaction, with the retries of ``retryingOnFullDisk(_:)``.
    func committing<Result>(_ body: (TransferStore) throws -> Result) async throws -> Result {
        try await retryingOnFullDisk {
            try store.transaction { () throws in try body(store) }
        }
    }

    /// Runs a piece of work that commits, and frees space and tries again when the disk is full.
    ///
    /// The first retry uses the space that the ledger's log has taken. The second retry frees the ledger's reserve,
    /// too. Deliveries free more space later.
    ///
    /// A try runs without a suspension. Between two tries other tasks may change the ledger and the plan, so each try
    /// has to look at both anew.
    func retryingOnFullDisk<Result>(_ body: () throws -> Result) async throws -> Result {
        do {
            return try body()
        } catch let error as SQLiteError where error.isOutOfSpace {
            store.giveBackLog()
        }
        do {
            return try body()
        } catch let error as SQLiteError where error.isOutOfSpace {
            guard await client.freeLedgerSpace() else { throw error }
            logger.notice("Ledger's disk is full; its reserve was freed")
            store.giveBackLog()
            return try body()
        }
    }
}
