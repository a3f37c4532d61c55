/// What the ledger admitted lately.
extension TransferQueue {
    /// Reads the ledger in one transaction.
    /// - Parameters:
    ///   - age: a length of time, in milliseconds.
    ///   - body: the reading. Its second argument is the time on the ledger's axis (``LedgerClock``) that is `age` ago.
    /// - Returns: the result of the body.
    /// - Throws: the errors of the body, or ``SQLiteError``.
    package func look<Result: Sendable>(
        back age: Int64, _ body: @Sendable (LedgerQueries, _ time: Int64) throws -> Result
    ) throws -> Result {
        let time = store.now - age
        return try store.queries.together { try body(store.queries, time) }
    }
}
