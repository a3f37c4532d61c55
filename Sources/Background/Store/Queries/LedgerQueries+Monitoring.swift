/// The queries that monitoring makes every minute, also for a ledger with a million rows.
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

    /// Any transfer of a lane that is held for a reason.
    package func held(for reason: HoldReason, in lane: Lane) throws -> TransferRecord? {
        try connection.rows(
            """
            SELECT \(TransferRecord.columns) FROM transfer INDEXED BY transfer_held
            WHERE state='held' AND lane=? AND reason=? LIMIT 1
            """, [.text(lane.name), .text(reason.rawValue)], TransferRecord.init
        ).first
    }

    /// How many transfers are held for a reason, in all lanes.
    package func heldCount(for reason: HoldReason) throws -> Int {
        try heldCounts().filter { $0.reason == reason }.reduce(0) { $0 + $1.count }
    }

    /// If a state has at most this number of transfers, a query looks at each of them. If it has more, the query first
    /// looks at the transfers of all states that were settled last.
    private static let rowLookCount = 10_000
    /// The number of last settled transfers that a query looks at.
    private static let settledLookCount: Int64 = 100_000

    /// How many transfers were evicted for a limit since a time on the ledger's axis.
    package func evictionCount(for limit: EndReason, since time: Int64) throws -> Int {
        Int(try connection.value(Self.evictionCountQuery, .text(limit.rawValue), .integer(time))?.integer ?? 0)
    }

    /// Names no index: a reader may look at a ledger whose owner is an earlier release, which has no index for this.
    package static let evictionCountQuery =
        "SELECT count(*) FROM transfer WHERE state='evicted' AND reason=? AND settled_at >= ?"

    /// When the last transfer was evicted for a limit, on the ledger's axis; `nil` when the ledger has none.
    package func lastEviction(for limit: EndReason) throws -> Int64? {
        try connection.value(
            "SELECT max(settled_at) FROM transfer WHERE state='evicted' AND reason=?", .text(limit.rawValue))?.integer
    }

    /// When the last transfer came to a final state, on the ledger's axis.
    /// - Returns: `nil` when no transfer has that state. Also `nil` when more than 10,000 transfers have it and 100,000
    ///   others were settled after the last of them.
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
