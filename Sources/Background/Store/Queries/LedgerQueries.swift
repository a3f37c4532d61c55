/// The queries of a ledger that change nothing. The owner makes them on its own connection, and readers on theirs.
package struct LedgerQueries {
    let connection: SQLiteConnection

    package func record(_ identifier: String) throws -> TransferRecord? {
        try connection.rows(
            "SELECT \(TransferRecord.columns) FROM transfer WHERE identifier=?", [.text(identifier)],
            TransferRecord.init
        ).first
    }

    func record(row: Int64) throws -> TransferRecord? {
        try connection.rows(
            "SELECT \(TransferRecord.columns) FROM transfer WHERE id=?", [.integer(row)], TransferRecord.init
        ).first
    }

    /// Identifiers with a prefix, in order, at most `limit`.
    package func identifiers(prefix: String, limit: Int) throws -> [String] {
        try connection.rows(
            "SELECT identifier FROM transfer WHERE identifier >= ? AND identifier < ? ORDER BY identifier LIMIT ?",
            [.text(prefix), .text(prefix + "\u{7f}"), .integer(Int64(limit))]
        ) { $0.text(at: 0) ?? "" }
    }

    /// Makes several queries of one state of the ledger. This costs less than as many queries one by one.
    package func together<Result>(_ body: () throws -> Result) throws -> Result {
        try connection.snapshot { () throws in try body() }
    }

    package func state(of identifier: String) throws -> TransferState? {
        try connection.value("SELECT state FROM transfer WHERE identifier=?", .text(identifier))?.text
            .flatMap(TransferState.init)
    }

    /// Whether there is a row with this identifier, whatever its state.
    package func isRecorded(_ identifier: String) throws -> Bool {
        try connection.value("SELECT 1 FROM transfer WHERE identifier=?", .text(identifier)) != nil
    }

    package func exists(_ states: [TransferState]) throws -> Bool {
        try states.contains { state in
            try connection.value("SELECT 1 FROM transfer WHERE state=? LIMIT 1", .text(state.rawValue)) != nil
        }
    }

    /// Whether the order or the source with this token has had its effect already.
    package func isConsumed(token: String) throws -> Bool {
        try connection.value("SELECT 1 FROM consumed_token WHERE token=?", .text(token)) != nil
    }

    /// Whether any order or source whose token has this prefix has had its effect already.
    package func isConsumed(tokenWithPrefix prefix: String) throws -> Bool {
        try connection.value(
            "SELECT 1 FROM consumed_token WHERE token >= ? AND token < ? LIMIT 1", .text(prefix),
            .text(prefix + "\u{7f}")) != nil
    }

    /// A transfer's attempts, the oldest first. The last twenty are kept.
    package func attempts(of record: TransferRecord) throws -> [AttemptRecord] {
        try connection.rows(
            """
            SELECT number, started_wall, ended_wall, status, error, bytes_sent, retry_after_ms FROM attempt
            WHERE transfer=? ORDER BY number
            """, [.integer(record.rowID)]
        ) { row in
            AttemptRecord(
                number: Int(row.integer(at: 0)), startedWall: row.integer(at: 1),
                endedWall: row.optionalInteger(at: 2), status: row.optionalInteger(at: 3).map { Int($0) },
                error: row.text(at: 4), bytesSent: row.optionalInteger(at: 5),
                retryAfter: row.optionalInteger(at: 6))
        }
    }

    /// The earliest due time of all, on the ledger's axis.
    package func nextDue() throws -> Int64? {
        try liveLanes().compactMap { try nextDue(lane: $0) }.min()
    }

    /// The earliest due time of a lane's rows, on the ledger's axis.
    package func nextDue(lane: Lane) throws -> Int64? {
        try [false, true].compactMap { isSuspect in
            try connection.value(
                """
                SELECT due_at FROM transfer WHERE due_at IS NOT NULL AND is_suspect=? AND lane=?
                ORDER BY due_at, id LIMIT 1
                """, SQLiteValue(isSuspect), .text(lane.name)
            )?.integer
        }.min()
    }

    /// Whether anything is due by a time on the ledger's axis.
    package func hasDue(by time: Int64, lane: Lane, suspects: [Bool] = [false, true]) throws -> Bool {
        try suspects.contains { isSuspect in
            try connection.value(
                TransferStore.dueQuery, SQLiteValue(isSuspect), .integer(time), .text(lane.name), .integer(.max), 1)
                != nil
        }
    }

    /// The suspect of a lane that has been due longest, or is due first.
    func firstSuspect(lane: Lane) throws -> (row: Int64, due: Int64)? {
        try connection.rows(
            """
            SELECT id, due_at FROM transfer WHERE due_at IS NOT NULL AND is_suspect=1 AND lane=?
            ORDER BY due_at, id LIMIT 1
            """, [.text(lane.name)]
        ) { (row: $0.integer(at: 0), due: $0.integer(at: 1)) }.first
    }

    /// When a suspect is due, and its lane.
    package func suspect(row: Int64) throws -> (due: Int64, lane: Lane)? {
        try connection.rows(
            "SELECT due_at, lane FROM transfer WHERE id=? AND is_suspect=1 AND due_at IS NOT NULL", [.integer(row)]
        ) { (due: $0.integer(at: 0), lane: Lane($0.text(at: 1) ?? "")) }.first
    }

    /// A setting of this connection, for tests that assert it.
    package func pragma(_ name: String) throws -> String? {
        try connection.value("PRAGMA \(name)")?.text
    }
}

extension TransferStore {
    package var queries: LedgerQueries { LedgerQueries(connection: connection) }
}
