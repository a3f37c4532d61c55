/// A part of the ledger whose transfers an index gives in the order of a listing: the one that was seen first comes
/// last.
package enum ListingWalk: Hashable, Sendable {
    case state(TransferState)
    /// The transfers of one signature that are in one of these states, of which there is at least one.
    case signature(String, states: [TransferState])
}

/// The conditions that a transfer must meet to be listed; `nil` and an empty list are no condition.
package struct ListingFilter: Hashable, Sendable {
    package var label: String?
    package var lane: Lane?
    /// The transfer was seen first at this time or later, in milliseconds since the epoch.
    package var sinceWall: Int64?
    /// The transfer's signature begins with these hexadecimal digits.
    package var signaturePrefix: String?
    /// The client's JSON contains each of these texts, somewhere. The client must read the JSON to be sure.
    package var metadataTexts: [String] = []

    package init() {}
}

/// What a group of transfers needs to know of each of them.
package struct TransferSketch: Sendable {
    package let rowID: Int64
    package let signature: String?
    package let lane: Lane
    package let label: String
    package let state: TransferState
    package let reason: TransferReason?
    package let seen: Int64
    package let firstSeenWall: Int64
    package let lastSeenWall: Int64
    /// The client's own JSON; `nil` where it was not asked for.
    package let metadata: String?
}

extension LedgerQueries {
    /// The place at which a page of a walk ended.
    package struct Cursor: Hashable, Sendable {
        let firstSeen: Int64
        let rowID: Int64

        package init(after record: TransferRecord) {
            (firstSeen, rowID) = (record.firstSeenWall, record.rowID)
        }

        package init(after sketch: TransferSketch) {
            (firstSeen, rowID) = (sketch.firstSeenWall, sketch.rowID)
        }
    }

    /// One page of a walk. Each page is a transaction of its own, so no reader pins the WAL.
    package func page(
        of walk: ListingWalk, _ filter: ListingFilter = ListingFilter(), after cursor: Cursor?, limit: Int
    ) throws -> [TransferRecord] {
        let (sql, values) = Self.page(of: walk, filter, after: cursor, limit: limit)
        return try connection.rows("SELECT \(TransferRecord.columns) " + sql, values, TransferRecord.init)
    }

    /// One page of a walk, of which only what a group needs is read. The client's JSON is read for each transfer without
    /// a signature, and for all others if `includesMetadata` is true.
    package func sketches(
        of walk: ListingWalk, _ filter: ListingFilter, after cursor: Cursor?, limit: Int, includesMetadata: Bool
    ) throws -> [TransferSketch] {
        let (sql, values) = Self.page(of: walk, filter, after: cursor, limit: limit)
        let metadata = includesMetadata ? "metadata" : "CASE WHEN signature IS NULL THEN metadata END"
        return try connection.rows(
            "SELECT id, signature, label, state, reason, seen, first_seen_wall, last_seen_wall, \(metadata), lane "
                + sql,
            values
        ) { row in
            TransferSketch(
                rowID: row.integer(at: 0), signature: row.text(at: 1), lane: Lane(row.text(at: 9) ?? ""),
                label: row.text(at: 2) ?? "",
                // The table's CHECK admits no other word.
                state: row.text(at: 3).flatMap(TransferState.init) ?? .queued,
                reason: row.text(at: 4).flatMap(TransferReason.init), seen: row.integer(at: 5),
                firstSeenWall: row.integer(at: 6), lastSeenWall: row.integer(at: 7), metadata: row.text(at: 8))
        }
    }

    /// The statement of a page behind its columns. `INDEXED BY` keeps SQLite from sorting all transfers for each page.
    static func page(
        of walk: ListingWalk, _ filter: ListingFilter, after cursor: Cursor?, limit: Int
    ) -> (sql: String, values: [SQLiteValue]) {
        var conditions: [String] = []
        var values: [SQLiteValue] = []
        let index: String
        switch walk {
        case .state(let state):
            index = "transfer_state"
            conditions.append("state = ?")
            values.append(.text(state.rawValue))
        case .signature(let signature, let states):
            index = "transfer_signature"
            conditions.append("signature = ?")
            values.append(.text(signature))
            if states.count < TransferState.allCases.count {
                conditions.append("(\(states.map { _ in "state = ?" }.joined(separator: " OR ")))")
                values += states.map { .text($0.rawValue) }
            }
        }
        if let cursor {
            conditions.append("(first_seen_wall, id) < (?, ?)")
            values += [.integer(cursor.firstSeen), .integer(cursor.rowID)]
        }
        for (condition, value) in filter.conditions {
            conditions.append(condition)
            values.append(value)
        }
        let sql = """
            FROM transfer INDEXED BY \(index) WHERE \(conditions.joined(separator: " AND "))
            ORDER BY first_seen_wall DESC, id DESC LIMIT ?
            """
        return (sql, values + [.integer(Int64(limit))])
    }

    /// The signatures that begin with these hexadecimal digits, in order, at most `limit`. Walks from signature to
    /// signature in their index.
    package func signatures(prefix: String, limit: Int) throws -> [String] {
        let end = SQLiteValue.text(ListingFilter.end(ofPrefix: prefix))
        return try connection.rows(
            """
            WITH RECURSIVE found(signature) AS (
              SELECT min(signature) FROM transfer WHERE signature >= ? AND signature < ?
              UNION ALL
              SELECT (SELECT min(signature) FROM transfer WHERE signature > found.signature AND signature < ?)
              FROM found WHERE found.signature IS NOT NULL)
            SELECT signature FROM found WHERE signature IS NOT NULL LIMIT ?
            """, [.text(prefix), end, end, .integer(Int64(limit))]
        ) { $0.text(at: 0) ?? "" }
    }
}

extension ListingFilter {
    /// Each condition has one parameter.
    fileprivate var conditions: [(String, SQLiteValue)] {
        var conditions: [(String, SQLiteValue)] = []
        if let label { conditions.append(("label = ?", .text(label))) }
        if let lane { conditions.append(("lane = ?", .text(lane.name))) }
        if let sinceWall { conditions.append(("first_seen_wall >= ?", .integer(sinceWall))) }
        if let signaturePrefix {
            conditions.append(("signature >= ?", .text(signaturePrefix)))
            conditions.append(("signature < ?", .text(Self.end(ofPrefix: signaturePrefix))))
        }
        return conditions + metadataTexts.map { ("instr(metadata, ?) > 0", .text($0)) }
    }

    /// A text behind every text that begins with these hexadecimal digits.
    fileprivate static func end(ofPrefix prefix: String) -> String { prefix + "g" }
}
