/// The sums over all transfers. Every commit keeps them right, so that a query for them looks at no transfer.
package struct Tally: Hashable, Sendable {
    package struct Sum: Hashable, Sendable {
        package var count = 0
        /// The size of the bodies, in bytes.
        package var byteCount: Int64 = 0

        package init(count: Int = 0, byteCount: Int64 = 0) {
            self.count = count
            self.byteCount = byteCount
        }

        package static func + (left: Sum, right: Sum) -> Sum {
            Sum(count: left.count + right.count, byteCount: left.byteCount + right.byteCount)
        }
    }

    private var sums: [TransferState: Sum]

    package init(_ sums: [TransferState: Sum] = [:]) {
        self.sums = sums
    }

    package subscript(state: TransferState) -> Sum { sums[state] ?? Sum() }

    /// Transfers that will be sent or are being sent.
    package var waiting: Sum { self[.queued] + self[.waiting] + self[.sending] }
    /// Transfers that rest until something changes.
    package var held: Sum { self[.held] }
    /// Transfers that were rejected or given up, and whose bytes are kept.
    package var parked: Sum { self[.rejected] + self[.exhausted] }
    /// All transfers whose bytes are kept.
    package var stored: Sum { waiting + held + parked }
}

/// How many times something has happened since the ledger was made. The number only grows.
package struct EventCount: Hashable, Sendable {
    package enum Event: String, Sendable {
        case delivered
        case evicted
    }

    package let event: Event
    package let lane: Lane
    /// For an eviction, the limit that the eviction kept.
    package let reason: EndReason?
    package let sum: Tally.Sum
}

extension LedgerQueries {
    /// The sums of all lanes together.
    package func tally() throws -> Tally {
        try sums("SELECT state, sum(count), sum(byte_count) FROM tally GROUP BY state")
    }

    /// Whether the sums agree with the rows. Looks at each row.
    package func isTallyTrue() throws -> Bool {
        try together {
            try tally() == sums("SELECT state, count(*), sum(byte_count) FROM transfer GROUP BY state")
        }
    }

    private func sums(_ sql: String) throws -> Tally {
        var sums: [TransferState: Tally.Sum] = [:]
        let rows = try connection.rows(sql) { row in
            (row.text(at: 0) ?? "", Tally.Sum(count: Int(row.integer(at: 1)), byteCount: row.integer(at: 2)))
        }
        for (word, sum) in rows {
            // The tables' CHECK admits no other word.
            guard let state = TransferState(rawValue: word) else { throw SQLiteError.damage("\"\(word)\" is no state") }
            if sum.count != 0 { sums[state] = sum }
        }
        return Tally(sums)
    }

    /// The lanes that have transfers with a due time, or held transfers.
    ///
    /// Walks from lane to lane in the indexes of those rows, so that sending does not depend on the sums.
    package func liveLanes() throws -> [Lane] {
        let names = try ["due_at IS NOT NULL", "state='held'"].flatMap { condition in
            try connection.rows(
                """
                WITH RECURSIVE found(lane) AS (
                  SELECT min(lane) FROM transfer WHERE \(condition)
                  UNION ALL
                  SELECT (SELECT min(lane) FROM transfer WHERE \(condition) AND lane > found.lane) FROM found
                  WHERE found.lane IS NOT NULL)
                SELECT lane FROM found WHERE lane IS NOT NULL
                """
            ) { $0.text(at: 0) ?? "" }
        }
        return Set(names).sorted().map { Lane($0) }
    }

    package func events() throws -> [EventCount] {
        try connection.rows(
            "SELECT event, lane, reason, count, byte_count FROM counter ORDER BY event, lane, reason"
        ) { row in
            row.text(at: 0).flatMap(EventCount.Event.init).map { event in
                EventCount(
                    event: event, lane: Lane(row.text(at: 1) ?? ""),
                    reason: row.text(at: 2).flatMap(EndReason.init),
                    sum: Tally.Sum(count: Int(row.integer(at: 3)), byteCount: row.integer(at: 4)))
            }
        }.compactMap(\.self)
    }
}

extension TransferStore {
    /// Computes the sums again from the rows. Looks at each row.
    package func recountTally() throws {
        try connection.execute("DELETE FROM tally")
        try connection.execute(
            """
            INSERT INTO tally(lane, state, count, byte_count)
            SELECT lane, state, count(*), sum(byte_count) FROM transfer GROUP BY lane, state
            """)
    }
}
