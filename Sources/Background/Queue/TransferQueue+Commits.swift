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
    /// Before the first retry, the queue moves the content of the ledger's write-ahead log into the ledger's file, so
    /// that the log's space can be written again. Before the second retry, the client also frees the ledger's reserve.
    /// Deliveries free more space later.
    ///
    /// A try runs without a suspension. Between two tries other tasks may change the ledger and the plan, so each try
    /// has to read both again.
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
