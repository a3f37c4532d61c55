/// What monitoring asks of a ledger every minute, also of one with a million rows.
extension LedgerQueries {
    /// How many transfers of a lane are in a state.
    package struct LaneSum: Hashable, Sendable {
        package let lane: Lane
        package let state: TransferState
        package let sum: Tally.Sum
    }

    /// The sums of each lane. A state in which a lane has no transfer may be left out.
    package func laneSums() throws -> [LaneSum] {
        let rows = try connection.rows("SELECT lane, state, count, byte_count FROM tally ORDER BY lane, state") { row in
            (
                lane: Lane(row.text(at: 0) ?? ""), state: row.text(at: 1).flatMap(TransferState.init),
                sum: Tally.Sum(count: Int(row.integer(at: 2)), byteCount: row.integer(at: 3))
            )
        }
        return try rows.map { lane, state, sum in
            // The table's CHECK admits no other word.
            guard let state else { throw SQLiteError.damage("a sum is of no state") }
            return LaneSum(lane: lane, state: state, sum: sum)
        }
    }

    /// How many transfers of a lane are held for a reason.
    package struct HeldCount: Hashable, Sendable {
        package let lane: Lane
        package let reason: HoldReason
        package let count: Int
    }

    /// Counts held transfers by their reasons. The index alone answers.
    package func heldCounts() throws -> [HeldCount] {
        try connection.rows(
            """
            SELECT lane, reason, count(*) FROM transfer INDEXED BY transfer_held WHERE state='held'
            GROUP BY lane, reason ORDER BY lane, reason
            """
        ) { row in
            row.text(at: 1).flatMap(HoldReason.init).map { reason in
                HeldCount(lane: Lane(row.text(at: 0) ?? ""), reason: reason, count: Int(row.integer(at: 2)))
            }
        }.compactMap(\.self)
    }

    /// Up to so many transfers of a state are looked at one by one. Beyond, the transfers that were settled last are.
    private static let rowLookCount = 10_000
    /// So many of the transfers that were settled last are looked at.
    private static let settledLookCount: Int64 = 100_000

    /// How many transfers were evicted since a time on the ledger's axis.
    ///
    /// It takes long only where 10,000 were evicted in 90 days, and 100,000 transfers were settled since the last of them.
    package func evictionCount(since time: Int64) throws -> Int {
        let known = try tally()[.evicted].count
        if known > Self.rowLookCount {
            let recent = try count(
                """
                SELECT count(*) FROM (
                  SELECT state FROM transfer INDEXED BY transfer_settled WHERE settled_at >= ?
                  ORDER BY settled_at DESC LIMIT \(Self.settledLookCount))
                WHERE state='evicted'
                """, since: time)
            if recent > 0 { return recent }
        }
        guard known > 0 else { return 0 }
        return try count(
            "SELECT count(*) FROM transfer INDEXED BY transfer_state WHERE state='evicted' AND settled_at >= ?",
            since: time)
    }

    private func count(_ sql: String, since time: Int64) throws -> Int {
        Int(try connection.value(sql, .integer(time))?.integer ?? 0)
    }

    /// When the last transfer came to a final state, on the ledger's axis.
    /// - Returns: `nil` when none did, or when more than 10,000 did and 100,000 others have been settled since.
    package func lastSettled(as state: TransferState) throws -> Int64? {
        let known = try tally()[state].count
        guard known > 0 else { return nil }
        let sql =
            known <= Self.rowLookCount
            ? "SELECT max(settled_at) FROM transfer INDEXED BY transfer_state WHERE state=?"
            : """
            SELECT settled_at FROM (
              SELECT settled_at, state FROM transfer INDEXED BY transfer_settled WHERE settled_at IS NOT NULL
              ORDER BY settled_at DESC LIMIT \(Self.settledLookCount))
            WHERE state=? LIMIT 1
            """
        return try connection.value(sql, .text(state.rawValue))?.integer
    }
}
