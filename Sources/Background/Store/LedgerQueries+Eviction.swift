extension LedgerQueries {
    /// What may be evicted, what matters least first: parked, then the last rank before the others, in each the oldest
    /// first; never what is being sent.
    package func evictionCandidates(limit: Int) throws -> [TransferRecord] {
        var candidates = try [TransferState.rejected, .exhausted].flatMap { state in
            try oldest("state='\(state.rawValue)'", limit: limit)
        }.sorted { ($0.firstSeenWall, $0.rowID) < ($1.firstSeenWall, $1.rowID) }
        for rank in [2, 1, 0] where candidates.count < limit {
            candidates += try oldest(
                "settled_at IS NULL AND rank=\(rank) AND state<>'sending'", limit: limit - candidates.count)
        }
        return Array(candidates.prefix(limit))
    }

    private func oldest(_ condition: String, limit: Int) throws -> [TransferRecord] {
        try connection.rows(
            """
            SELECT \(TransferRecord.columns) FROM transfer WHERE \(condition) ORDER BY first_seen_wall, id LIMIT ?
            """, [.integer(Int64(limit))], TransferRecord.init)
    }

    /// Transfers that take more bytes than all of them may, and are not being sent: none of the others would make room
    /// for one of these.
    package func larger(than byteCount: Int64, limit: Int) throws -> [TransferRecord] {
        var found: [TransferRecord] = []
        for state in [TransferState.rejected, .exhausted, .queued, .waiting, .held] where found.count < limit {
            guard try tally()[state].byteCount > byteCount else { continue }
            found += try connection.rows(
                "SELECT \(TransferRecord.columns) FROM transfer WHERE state=? AND byte_count > ? LIMIT ?",
                [.text(state.rawValue), .integer(byteCount), .integer(Int64(limit - found.count))],
                TransferRecord.init)
        }
        return found
    }

    /// Transfers with bytes that were enrolled before a time on the ledger's axis, and are not being sent.
    package func enrolled(before time: Int64, limit: Int) throws -> [TransferRecord] {
        let live = try connection.rows(
            """
            SELECT \(TransferRecord.columns) FROM transfer
            WHERE settled_at IS NULL AND enrolled_at < ? AND state<>'sending' ORDER BY enrolled_at LIMIT ?
            """, [.integer(time), .integer(Int64(limit))], TransferRecord.init)
        return try [TransferState.rejected, .exhausted].reduce(into: live) { found, state in
            guard found.count < limit else { return }
            found += try connection.rows(
                "SELECT \(TransferRecord.columns) FROM transfer WHERE state=? AND enrolled_at < ? LIMIT ?",
                [.text(state.rawValue), .integer(time), .integer(Int64(limit - found.count))], TransferRecord.init)
        }
    }
}
