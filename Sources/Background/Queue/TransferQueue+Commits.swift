import Logging

/// Commits on a disk that may be full.
extension TransferQueue {
    /// A transaction; see ``retryingOnFullDisk(_:)``.
    func committing<Result>(_ body: (TransferStore) throws -> Result) async throws -> Result {
        try await retryingOnFullDisk {
            try store.transaction { () throws in try body(store) }
        }
    }

    /// When the disk is full, makes do with the space the ledger's log has taken, and frees the ledger's reserve only
    /// when that is not enough. What is delivered meanwhile frees more.
    ///
    /// A try runs without a suspension. Between two tries others may change the ledger and the plan, so that each try
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
