/// Which rows of a lane are claimed next.
extension TransferStore {
    /// Due transfers, the one due longest first; suspects or the others, and only those cut less often.
    package static let dueQuery = """
        SELECT \(TransferRecord.columns) FROM transfer
        WHERE due_at IS NOT NULL AND is_suspect = ? AND due_at <= ? AND lane = ? AND cuts < ?
        ORDER BY due_at, id LIMIT ?
        """

    /// Due transfers of the first rank, the newest first.
    ///
    /// Written out as the index has it: SQLite does not use a partial index for a bound value.
    package static let firstRankQuery = """
        SELECT \(TransferRecord.columns) FROM transfer INDEXED BY transfer_first
        WHERE rank = 0 AND due_at IS NOT NULL AND is_suspect = 0 AND cuts < 2 AND due_at <= ? AND lane = ?
        ORDER BY first_seen_wall DESC, id DESC LIMIT ?
        """

    /// Transfers whose bodies are known to be slow, due or not, the one due longest first; those that have gone by
    /// parts, and of the others only such as are due, or go out in a time.
    package static let slowQuery = """
        SELECT \(TransferRecord.columns) FROM transfer INDEXED BY transfer_slow
        WHERE cuts > 1 AND due_at IS NOT NULL AND is_suspect = 0 AND lane = ?
          AND (due_at <= ? OR progress IS NOT NULL OR byte_count * cut_ms <= ? * cut_byte_count)
        ORDER BY due_at, id LIMIT 64
        """

    /// The slow transfer of a lane that has been due longest, of those that were put off and have rested, or have been
    /// due for as long.
    package static let restedQuery = """
        SELECT \(TransferRecord.columns) FROM transfer INDEXED BY transfer_slow
        WHERE cuts > 1 AND due_at IS NOT NULL AND is_suspect = 0 AND lane = ? AND due_at <= ?
          AND (reason = 'deadline' OR due_at <= ?)
        ORDER BY due_at, id LIMIT 1
        """

    /// Which bodies that are known to be slow go beside the others, when they are due.
    package enum SlowRows: Hashable, Sendable {
        case none
        /// One that has waited for ``CutAttempts/pause``, so that a lane with something always due passes none over.
        case rested
        case all
    }

    /// Claims a lane's due transfers, the one due longest first: counted as attempts before their first byte leaves.
    package func claimDue(
        limit: Int, suspects: Bool, lane: Lane, slow: SlowRows = .all, acceptedMark: Int64
    ) throws -> [Claim] {
        try due(limit: limit, suspects: suspects, lane: lane, slow: slow).map {
            try claim($0, acceptedMark: acceptedMark)
        }
    }

    /// Claims a lane's due transfers that are no suspects, in the order of ``ClaimOrder``.
    /// - Parameters:
    ///   - limit: how many, at most.
    ///   - count: how many the lane has claimed before.
    ///   - lane: where they go.
    ///   - slow: which bodies that are known to be slow go beside the others.
    ///   - acceptedMark: of the lane's gate.
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

    /// Transfers of a lane whose bodies are known to be slow, the one due longest first, 64 at most: those that are
    /// due, those that go by parts, and those that go out within a time in milliseconds.
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

    /// There is all the time that is needed: what was put off for its slow body is due.
    func wakePutOff(lane: Lane) throws {
        try connection.run(
            """
            UPDATE transfer INDEXED BY transfer_slow SET due_at=?
            WHERE cuts > 1 AND due_at IS NOT NULL AND lane = ? AND due_at > ? AND reason = 'deadline'
            """, .integer(now), .text(lane.name), .integer(now))
    }
}

extension TransferRecord: Identifiable {
    /// The row's.
    package var id: Int64 { rowID }
}
