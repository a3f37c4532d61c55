/// What can be asked of a ledger without changing it: by the owner on its own connection, by readers on theirs.
package struct LedgerQueries {
    let connection: SQLiteConnection

    package struct StateCount: Hashable, Sendable {
        package let state: TransferState
        package let count: Int
        /// Of the bodies.
        package let byteCount: Int64
    }

    package func counts() throws -> [StateCount] {
        try connection.rows("SELECT state, count(*), sum(byte_count) FROM transfer GROUP BY state") { row in
            StateCount(
                state: row.text(at: 0).flatMap(TransferState.init) ?? .queued, count: Int(row.integer(at: 1)),
                byteCount: row.integer(at: 2))
        }
    }

    package func record(_ identifier: String) throws -> TransferRecord? {
        try connection.rows(
            "SELECT \(TransferRecord.columns) FROM transfer WHERE identifier=?", [.text(identifier)],
            TransferRecord.init
        ).first
    }

    /// Identifiers with a prefix, in order, at most `limit`.
    package func identifiers(prefix: String, limit: Int) throws -> [String] {
        try connection.rows(
            "SELECT identifier FROM transfer WHERE identifier >= ? AND identifier < ? ORDER BY identifier LIMIT ?",
            [.text(prefix), .text(prefix + "\u{7f}"), .integer(Int64(limit))]
        ) { $0.text(at: 0) ?? "" }
    }

    /// Several questions to one standing of the ledger, which costs less than as many of them alone.
    package func together<Result>(_ body: () throws -> Result) throws -> Result {
        try connection.snapshot { () throws in try body() }
    }

    /// Whether there is a row for it, whatever its state.
    package func isRecorded(_ identifier: String) throws -> Bool {
        try connection.value("SELECT 1 FROM transfer WHERE identifier=?", .text(identifier)) != nil
    }

    package func exists(_ states: [TransferState]) throws -> Bool {
        try states.contains { state in
            try connection.value("SELECT 1 FROM transfer WHERE state=? LIMIT 1", .text(state.rawValue)) != nil
        }
    }

    /// Whether a request has had its effect already.
    package func isApplied(request nonce: String) throws -> Bool {
        try connection.value("SELECT 1 FROM applied_request WHERE nonce=?", .text(nonce)) != nil
    }

    /// The nonces of all requests that are remembered.
    package func appliedRequests() throws -> [String] {
        try connection.rows("SELECT nonce FROM applied_request ORDER BY nonce") { $0.text(at: 0) ?? "" }
    }

    /// Sums over transfers, without a look at each.
    package struct Tally: Hashable, Sendable {
        package struct Sum: Hashable, Sendable {
            package var count = 0
            /// Of the bodies.
            package var byteCount: Int64 = 0
        }

        /// To be sent, or being sent.
        package var waiting = Sum()
        /// Resting until something changes.
        package var held = Sum()
        /// Rejected or given up, their bytes kept.
        package var parked = Sum()

        package init() {}
    }

    package func tally() throws -> Tally {
        var tally = Tally()
        // A reader may come before the first owner that has made the sums.
        guard try connection.value("SELECT 1 FROM sqlite_schema WHERE name='tally'") != nil else {
            for found in try counts() { tally.add(found) }
            return tally
        }
        let sums = try connection.rows("SELECT standing, count, byte_count FROM tally") { row in
            (standing: row.text(at: 0), sum: Tally.Sum(count: Int(row.integer(at: 1)), byteCount: row.integer(at: 2)))
        }
        for (standing, sum) in sums {
            switch standing {
            case "waiting": tally.waiting = sum
            case "held": tally.held = sum
            default: tally.parked = sum
            }
        }
        return tally
    }

    /// Where a page of the listing ended.
    package struct Cursor: Hashable, Sendable {
        let firstSeen: Int64
        let rowID: Int64

        package init(after record: TransferRecord) {
            firstSeen = record.firstSeenWall
            rowID = record.rowID
        }
    }

    /// One page of the listing, last seen first. Each page is a transaction of its own, so no reader pins the WAL.
    package func page(
        state: TransferState?, label: String?, after cursor: Cursor?, limit: Int
    ) throws -> [TransferRecord] {
        var conditions: [String] = []
        var values: [SQLiteValue] = []
        if let state {
            conditions.append("state = ?")
            values.append(.text(state.rawValue))
        }
        if let label {
            conditions.append("label = ?")
            values.append(.text(label))
        }
        if let cursor {
            conditions.append("(first_seen_wall, id) < (?, ?)")
            values += [.integer(cursor.firstSeen), .integer(cursor.rowID)]
        }
        let condition = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        return try connection.rows(
            """
            SELECT \(TransferRecord.columns) FROM transfer \(condition)
            ORDER BY first_seen_wall DESC, id DESC LIMIT ?
            """, values + [.integer(Int64(limit))], TransferRecord.init)
    }

    /// A transfer's tries, oldest first; the last twenty are kept.
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
        var earliest: Int64?
        for isSuspect in [false, true] {
            let due = try connection.value(
                "SELECT due_at FROM transfer WHERE due_at IS NOT NULL AND is_suspect=? ORDER BY due_at LIMIT 1",
                SQLiteValue(isSuspect)
            )?.integer
            if let due { earliest = min(earliest ?? due, due) }
        }
        return earliest
    }

    /// The earliest due time of an origin's rows, on the ledger's axis.
    package func nextDue(origin: String?) throws -> Int64? {
        var earliest: Int64?
        for isSuspect in [false, true] {
            let due = try connection.value(
                """
                SELECT due_at FROM transfer WHERE due_at IS NOT NULL AND is_suspect=? AND origin IS ?
                ORDER BY due_at, id LIMIT 1
                """, SQLiteValue(isSuspect), SQLiteValue(origin)
            )?.integer
            if let due { earliest = min(earliest ?? due, due) }
        }
        return earliest
    }

    /// Whether anything is due by a time on the ledger's axis.
    package func hasDue(by time: Int64, origin: String?) throws -> Bool {
        for isSuspect in [false, true] {
            let row = try connection.value(
                TransferStore.dueQuery, SQLiteValue(isSuspect), .integer(time), SQLiteValue(origin), 1)
            if row != nil { return true }
        }
        return false
    }

    package func origins() throws -> [OriginRecord] {
        try connection.rows("SELECT \(OriginRecord.columns) FROM origin ORDER BY name", [], OriginRecord.init)
    }

    /// The steps SQLite takes for a statement, for tests that pin an index.
    package func plan(of sql: String) throws -> [String] {
        try connection.rows("EXPLAIN QUERY PLAN " + sql) { $0.text(at: 3) ?? "" }
    }

    /// The instructions SQLite runs for a statement, those of its triggers included, for tests.
    package func instructions(of sql: String) throws -> [String] {
        try connection.rows("EXPLAIN " + sql) { "\($0.text(at: 1) ?? "") \($0.text(at: 5) ?? "")" }
    }

    /// The steps SQLite takes to find what is due.
    package func planOfDueQuery() throws -> [String] {
        try plan(of: TransferStore.dueQuery)
    }

    /// A setting of this connection, for tests that assert it.
    package func pragma(_ name: String) throws -> String? {
        try connection.value("PRAGMA \(name)")?.text
    }
}

extension TransferStore {
    package var queries: LedgerQueries { LedgerQueries(connection: connection) }
}

extension LedgerQueries.Tally {
    /// Adds one of the sums that were made by looking at each row.
    package mutating func add(_ found: LedgerQueries.StateCount) {
        let sum: WritableKeyPath<Self, Sum>
        switch found.state {
        case .queued, .waiting, .sending: sum = \.waiting
        case .held: sum = \.held
        case .rejected, .exhausted: sum = \.parked
        case .delivered, .evicted, .removed: return
        }
        self[keyPath: sum].count += found.count
        self[keyPath: sum].byteCount += found.byteCount
    }
}
