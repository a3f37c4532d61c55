/// Sums over transfers, kept in every commit, so that asking for them looks at no transfer.
package struct Tally: Hashable, Sendable {
    package struct Sum: Hashable, Sendable {
        package var count = 0
        /// Of the bodies, in bytes.
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

    /// To be sent, or being sent.
    package var waiting: Sum { self[.queued] + self[.waiting] + self[.sending] }
    /// Resting until something changes.
    package var held: Sum { self[.held] }
    /// Rejected or given up, their bytes kept.
    package var parked: Sum { self[.rejected] + self[.exhausted] }
    /// All whose bytes are kept.
    package var stored: Sum { waiting + held + parked }
}

/// How often something has happened since the ledger was made; it only grows.
package struct EventCount: Hashable, Sendable {
    package enum Event: String, Sendable {
        case delivered
        case evicted
    }

    package let event: Event
    package let lane: Lane
    /// Of an eviction: the limit it kept.
    package let reason: EndReason?
    package let sum: Tally.Sum
}

extension LedgerQueries {
    /// All lanes together.
    package func tally() throws -> Tally {
        Tally(
            Dictionary(
                uniqueKeysWithValues: try connection.rows(
                    "SELECT state, sum(count), sum(byte_count) FROM tally GROUP BY state"
                ) { row in
                    // The table's CHECK admits no other word.
                    (
                        row.text(at: 0).flatMap(TransferState.init) ?? .queued,
                        Tally.Sum(count: Int(row.integer(at: 1)), byteCount: row.integer(at: 2))
                    )
                }))
    }

    /// The lanes that have transfers which the engine will send.
    package func liveLanes() throws -> [Lane] {
        try connection.rows(
            """
            SELECT DISTINCT lane FROM tally
            WHERE count > 0 AND (state='queued' OR state='sending' OR state='waiting' OR state='held') ORDER BY lane
            """
        ) { Lane($0.text(at: 0) ?? "") }
    }

    package func events() throws -> [EventCount] {
        try connection.rows(
            "SELECT event, lane, reason, count, byte_count FROM counter ORDER BY event, lane, reason"
        ) { row in
            EventCount(
                event: row.text(at: 0).flatMap(EventCount.Event.init) ?? .delivered,
                lane: Lane(row.text(at: 1) ?? ""), reason: row.text(at: 2).flatMap(EndReason.init),
                sum: Tally.Sum(count: Int(row.integer(at: 3)), byteCount: row.integer(at: 4)))
        }
    }

    /// When the oldest transfer that the engine will send was seen first, in milliseconds since the epoch.
    package func oldestLive() throws -> Int64? {
        try TransferState.allCases.filter(\.isLive).compactMap { state in
            try connection.value(
                "SELECT first_seen_wall FROM transfer WHERE state=? ORDER BY first_seen_wall, id LIMIT 1",
                .text(state.rawValue)
            )?.integer
        }.min()
    }
}
