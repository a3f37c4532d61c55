/// The choice of the rows of a lane that are claimed next.
extension TransferStore {
    /// Due transfers, the one due longest first: either suspects or other rows, and only rows with fewer cuts than a
    /// limit.
    package static let dueQuery = """
        SELECT \(TransferRecord.columns) FROM transfer
        WHERE due_at IS NOT NULL AND is_suspect = ? AND due_at <= ? AND lane = ? AND cuts < ?
        ORDER BY due_at, id LIMIT ?
        """

    /// Due transfers of rank 0, the newest first.
    ///
    /// The conditions are written out as in the index, because SQLite does not use a partial index for a bound value.
    package static let firstRankQuery = """
        SELECT \(TransferRecord.columns) FROM transfer INDEXED BY transfer_first
        WHERE rank = 0 AND due_at IS NOT NULL AND is_suspect = 0 AND cuts < 2 AND due_at <= ? AND lane = ?
        ORDER BY first_seen_wall DESC, id DESC LIMIT ?
        """

    /// Transfers with slow bodies, the one due longest first. Transfers that go in parts are found whether they are due
    /// or not. Other transfers are found only if they are due, or if their bodies fit into a given time.
    package static let slowQuery = """
        SELECT \(TransferRecord.columns) FROM transfer INDEXED BY transfer_slow
        WHERE cuts > 1 AND due_at IS NOT NULL AND is_suspect = 0 AND lane = ?
          AND (due_at <= ? OR progress IS NOT NULL OR byte_count * cut_ms <= ? * cut_byte_count)
        ORDER BY due_at, id LIMIT 64
        """

    /// Of a lane's transfers with slow bodies, the one that has been due longest. Only these transfers count: those
    /// that were put off and have rested, and those that have been due for as long as such a rest.
    package static let restedQuery = """
        SELECT \(TransferRecord.columns) FROM transfer INDEXED BY transfer_slow
        WHERE cuts > 1 AND due_at IS NOT NULL AND is_suspect = 0 AND lane = ? AND due_at <= ?
          AND (reason = 'deadline' OR due_at <= ?)
        ORDER BY due_at, id LIMIT 1
        """

    /// Which due rows with slow bodies may be claimed together with the other rows.
    package enum SlowRows: Hashable, Sendable {
        case none
        /// One row that has waited for ``CutAttempts/pause``. So a lane that always has something due does not pass
        /// over a slow body for ever.
        case rested
        case all
    }

    /// Claims a lane's due transfers, the one due longest first. A claim counts the attempt before its first byte
    /// leaves.
    package func claimDue(
        limit: Int, suspects: Bool, lane: Lane, slow: SlowRows = .all, acceptedMark: Int64
    ) throws -> [Claim] {
        try due(limit: limit, suspects: suspects, lane: lane, slow: slow).map {
            try claim($0, acceptedMark: acceptedMark)
        }
    }

    /// Claims a lane's due transfers that are no suspects, in the order of ``ClaimOrder``.
    /// - Parameters:
    ///   - limit: the largest number of claims.
    ///   - count: how many rows the lane has claimed before.
    ///   - lane: the lane.
    ///   - slow: which rows with slow bodies may be claimed together with the other rows.
    ///   - acceptedMark: the count of accepted transfers of the lane's gate.
    /// - Returns: the claims, in the order in which they are to be sent.
    /// - Throws: ``SQLiteError``.
    package func claimInOrder(
        limit: Int, after count: Int, lane: Lane, slow: SlowRows, acceptedMark: Int64
    ) throws -> [Claim] {
        let newest = try connection.rows(
            Self.firstRankQuery, [.integer(now), .text(lane.name), .integer(Int64(limit))], TransferRecord.init)
        let dueLongest = try due(limit: limit, suspects: false, lane: lane, slow: slow)
        return try ClaimOrder.merged(newest: newest, dueLongest: dueLongest, after: count, limit: limit).map {
            try claim($0, acceptedMark: acceptedMark)
        }
    }

    /// Claims one transfer, if it is due.
    package func claimDue(row: Int64, acceptedMark: Int64) throws -> Claim? {
        let record = try connection.rows(
            "SELECT \(TransferRecord.columns) FROM transfer WHERE id=? AND due_at <= ?",
            [.integer(row), .integer(now)], TransferRecord.init
        ).first
        return try record.map { try claim($0, acceptedMark: acceptedMark) }
    }

    private func due(limit: Int, suspects: Bool, lane: Lane, slow: SlowRows) throws -> [TransferRecord] {
        let cutLimit = slow == .all ? Int.max : CutAttempts.limit
        var records = try connection.rows(
            Self.dueQuery,
            [
                SQLiteValue(suspects), .integer(now), .text(lane.name), SQLiteValue(cutLimit), .integer(Int64(limit)),
            ], TransferRecord.init)
        guard slow == .rested, !records.isEmpty, let rested = try restedTransfer(lane: lane) else { return records }
        let place = records.firstIndex { ($0.due ?? 0, $0.rowID) > (rested.due ?? 0, rested.rowID) }
        records.insert(rested, at: place ?? records.endIndex)
        return Array(records.prefix(limit))
    }

    // MARK: - Slow bodies

    /// Of a lane's transfers with slow bodies, at most 64, the one due longest first: transfers that are due, transfers
    /// that go in parts, and transfers whose bodies fit into a time in milliseconds.
    func slowTransfers(lane: Lane, within time: Int64) throws -> [TransferRecord] {
        try connection.rows(
            Self.slowQuery, [.text(lane.name), .integer(now), .integer(max(0, time))], TransferRecord.init)
    }

    private func restedTransfer(lane: Lane) throws -> TransferRecord? {
        try connection.rows(
            Self.restedQuery, [.text(lane.name), .integer(now), .integer(now - CutAttempts.pause)],
            TransferRecord.init
        ).first
    }

    /// Whether a lane has a transfer that is put off for its slow body.
    func hasPutOff(lane: Lane) throws -> Bool {
        try connection.value(
            """
            SELECT 1 FROM transfer INDEXED BY transfer_slow
            WHERE cuts > 1 AND due_at IS NOT NULL AND lane = ? AND due_at > ? AND reason = 'deadline' LIMIT 1
            """, .text(lane.name), .integer(now)) != nil
    }

    /// Makes the transfers due that were put off for their slow bodies, because this run has as much time as they need.
    func wakePutOff(lane: Lane) throws {
        try connection.run(
            """
            UPDATE transfer INDEXED BY transfer_slow SET due_at=?
            WHERE cuts > 1 AND due_at IS NOT NULL AND lane = ? AND due_at > ? AND reason = 'deadline'
            """, .integer(now), .text(lane.name), .integer(now))
    }
}

extension TransferRecord: Identifiable {
    /// The number of the row.
    package var id: Int64 { rowID }
}
