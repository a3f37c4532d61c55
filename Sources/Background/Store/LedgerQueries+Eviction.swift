extension LedgerQueries {
    /// What may be evicted, what matters least first: parked, then the oldest that are no crashes, then the oldest
    /// crashes; never what is being sent.
    package func evictionCandidates(limit: Int) throws -> [TransferRecord] {
        var candidates: [TransferRecord] = []
        for condition in [
            "state IN ('rejected', 'exhausted')",
            "state IN ('queued', 'waiting', 'held') AND label <> 'crash'",
            "state IN ('queued', 'waiting', 'held') AND label = 'crash'",
        ] where candidates.count < limit {
            candidates += try connection.rows(
                """
                SELECT \(TransferRecord.columns) FROM transfer WHERE \(condition)
                ORDER BY first_seen_wall, id LIMIT ?
                """, [.integer(Int64(limit - candidates.count))], TransferRecord.init)
        }
        return candidates
    }

    /// Unfinished transfers enrolled before a time on the ledger's axis, and not being sent.
    package func enrolled(before time: Int64, limit: Int) throws -> [TransferRecord] {
        try connection.rows(
            """
            SELECT \(TransferRecord.columns) FROM transfer
            WHERE state IN ('queued', 'waiting', 'held', 'rejected', 'exhausted') AND enrolled_at < ?
            ORDER BY id LIMIT ?
            """, [.integer(time), .integer(Int64(limit))], TransferRecord.init)
    }
}
