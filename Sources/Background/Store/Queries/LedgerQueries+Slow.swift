extension LedgerQueries {
    /// At most `limit` transfers that wait because their bodies do not fit the deadline, in the order of their due
    /// times.
    package func slowRows(limit: Int) throws -> [TransferRecord] {
        // A reader may look at a ledger whose owner is an earlier release, which has no such transfers.
        guard try (connection.value("PRAGMA user_version")?.integer ?? 0) >= 6 else { return [] }
        return try connection.rows(
            """
            SELECT \(TransferRecord.columns) FROM transfer INDEXED BY transfer_slow
            WHERE cuts > 1 AND due_at IS NOT NULL AND state='waiting' AND reason='deadline' ORDER BY due_at, id LIMIT ?
            """, [.integer(Int64(limit))], TransferRecord.init)
    }
}
