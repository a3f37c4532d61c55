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

extension LedgerQueries {
    /// Whether a request has had its effect already.
    package func isApplied(request nonce: String) throws -> Bool {
        try connection.value("SELECT 1 FROM applied_request WHERE nonce=?", .text(nonce)) != nil
    }

    /// How many transfers wait for a time, and how many for something to change.
    package func openCounts() throws -> (waiting: Int, held: Int) {
        let counts = try connection.rows(
            """
            SELECT state, count(*) FROM transfer WHERE state IN ('queued', 'waiting', 'sending', 'held') GROUP BY state
            """
        ) { (state: $0.text(at: 0) ?? "", count: Int($0.integer(at: 1))) }
        let held = counts.filter { $0.state == "held" }.reduce(0) { $0 + $1.count }
        return (counts.reduce(0) { $0 + $1.count } - held, held)
    }
}

extension LedgerReader {
    /// Whether something is under way, or due at an origin whose gate is open.
    package func hasSendable() throws -> Bool {
        if try queries.exists([.sending]) { return true }
        guard try queries.hasDue(by: now, origin: nil) else { return false }
        let gates = try queries.origins().map(\.gate)
        return gates.allSatisfy { ($0.opensAt ?? now) <= now }
    }
}
