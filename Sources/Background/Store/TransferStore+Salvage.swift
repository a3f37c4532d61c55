extension TransferStore {
    /// Writes a reason's note on a settled transfer without settling it again.
    package func note(_ reason: EndReason, on identifier: String) throws {
        try connection.run(
            "UPDATE transfer SET reason=?, note=NULL WHERE identifier=?", .text(reason.rawValue), .text(identifier))
    }

    /// Copies all that can still be read of a damaged ledger, or of a ledger from before the first release: rows, their
    /// history, the gates and the clock.
    ///
    /// The rows are read from both ends, so that one bad page in the middle costs only the rows on it. No other
    /// connection opens the new ledger before it is complete. The new ledger is written in many commits, none of which
    /// takes long. After an error the new ledger is of no use.
    /// - Parameters:
    ///   - path: the path of the ledger to be copied, which will be set aside.
    ///   - lane: the lane of rows that have no request of their own, if the ledger knew no lanes.
    ///   - rank: the rank of a row by its label and its metadata, if the ledger knew no ranks.
    /// - Returns: the number of transfers saved.
    /// - Throws: ``SQLiteError`` when the new ledger cannot be written, or the task is cancelled meanwhile.
    package func salvage(
        from path: String, lane: Lane, rank: @escaping (_ label: String, _ metadata: String) -> Int
    ) throws -> Int {
        guard let source = try? SQLiteConnection(path: path, mode: .readOnly) else { return 0 }
        if let life = try? Self.lastLife(source) { continueAxis(of: life.clock) }
        var saved = 0
        try transaction { () throws in
            let completing = RowCompletion(lane: lane, rank: rank, now: now)
            saved = try salvage("transfer", from: source, completing.transfer)
            for table in ["attempt", "lane", "counter", "memory", "consumed_token"] {
                _ = try salvage(table, from: source)
            }
            _ = try salvage("begun", from: source, completing.begun)
            _ = try salvage("consumed_token", from: source, of: "applied_request", completing.token)
            _ = try salvage("origin", from: source, completing.origin)
            // The noted time belongs to an axis that may not have been readable.
            try connection.run("DELETE FROM memory WHERE name=?", .text(LedgerQueries.oldestEnrolmentName))
            // The note that no row is to be blamed names an owner of the other ledger.
            try blameAgain()
            // The owner that copies the rows ends without order, and this is no death.
            try blameNothing()
            // If the clock cannot be read, the newest row shows which time the clock had reached at least.
            let newest = try connection.cancellable { () throws(SQLiteError) in
                try connection.value(
                    "SELECT max(ifnull(max(enrolled_at), 0), ifnull(max(settled_at), 0)) FROM transfer")
            }
            continueAxis(from: newest?.integer ?? 0)
            try markEpoch(isClean: false)
            // Rows under way belonged to an owner that has ended.
            try connection.run(
                """
                UPDATE transfer SET state='waiting', reason='interrupted', due_at=?, epoch=NULL WHERE state='sending'
                """, .integer(now))
        }
        return saved
    }

    func transferCount() throws(SQLiteError) -> Int {
        Int(try connection.value("SELECT count(*) FROM transfer")?.integer ?? 0)
    }

    /// Whether an owner has ever used this ledger. Nobody has the ledger open.
    static func hasLife(at path: String) throws(SQLiteError) -> Bool {
        try lastLife(SQLiteConnection(path: path, mode: .readOnly)) != nil
    }

    /// The version of a ledger that was never released; `nil` for any other ledger, or if nothing can be read.
    static func unreleasedVersion(at path: String) -> Int64? {
        guard let connection = try? SQLiteConnection(path: path, mode: .readOnly),
            let version = try? connection.value("PRAGMA user_version")?.integer, version != 0
        else { return nil }
        do {
            try Schema.check(version)
            return nil
        } catch {
            return if case .unreleasedVersion = error { version } else { nil }
        }
    }

    private typealias Row = [String: SQLiteValue]

    private func salvage(
        _ table: String, from source: SQLiteConnection, of sourceTable: String? = nil,
        _ complete: (inout Row) -> Void = { _ in }
    ) throws -> Int {
        let sourceTable = sourceTable ?? table
        let columns = try Self.columns(of: table, in: connection)
        let found = (try? Self.columns(of: sourceTable, in: source)) ?? []
        let read = found.isEmpty ? columns : found
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        let insert = "INSERT OR IGNORE INTO \(table)(\(columns.joined(separator: ", "))) VALUES(\(marks))"
        var (saved, seen) = (0, 0)
        for order in ["ASC", "DESC"] {
            let query = "SELECT \(read.joined(separator: ", ")) FROM \(sourceTable) ORDER BY 1 \(order)"
            let isWhole = try source.forEachReadableRow(query) { statement throws(SQLiteError) in
                if Task.isCancelled { throw .interrupted }
                var row = Row(
                    uniqueKeysWithValues: read.indices.map { (read[$0], statement.value(at: Int32($0))) })
                complete(&row)
                saved += try insertIfPossible(insert, columns.map { row[$0] ?? .null })
                seen += 1
                if seen % Self.salvageCommitCount == 0 { try connection.commitSoFar() }
            }
            if isWhole { break }
        }
        return saved
    }

    /// The number of rows that are looked at between two commits.
    private static let salvageCommitCount = 10_000

    /// - Returns: the number of rows that the statement made.
    private func insertIfPossible(_ insert: String, _ values: [SQLiteValue]) throws(SQLiteError) -> Int {
        do throws(SQLiteError) {
            try connection.run(insert, values)
            return connection.changedRowCount
        } catch {
            // A row that breaks a constraint, or is there already, does not stop the copying.
            if error.isOutOfSpace { throw error }
            return 0
        }
    }

    private static func columns(of table: String, in connection: SQLiteConnection) throws(SQLiteError) -> [String] {
        try connection.rows("SELECT name FROM pragma_table_info('\(table)')") { $0.text(at: 0) ?? "" }
    }
}

/// Gives the rows of a ledger from before the first release the values that such a ledger did not have.
private struct RowCompletion {
    let lane: Lane
    let rank: (_ label: String, _ metadata: String) -> Int
    let now: Int64

    func transfer(_ row: inout [String: SQLiteValue]) {
        if row["lane"] == nil { row["lane"] = .text((row["origin"]?.text.map(Lane.own) ?? lane).name) }
        if row["rank"] == nil {
            row["rank"] = SQLiteValue(rank(row["label"]?.text ?? "", row["metadata"]?.text ?? ""))
        }
        if row["cuts"] == nil { row["cuts"] = .integer(0) }
        guard row["note"] == nil, let text = row["reason"]?.text, TransferReason(rawValue: text) == nil else { return }
        row["note"] = .text(text)
        row["reason"] = SQLiteValue(
            Self.reason(for: text, state: row["state"]?.text.flatMap(TransferState.init))?.rawValue)
    }

    /// The beginnings of the sentences in such ledgers, which stored the reason and the note in one text.
    private static let sentences: [(prefix: String, reason: EndReason)] = [
        ("the stored bytes are damaged", .damaged), ("the stored file is damaged", .unsendable),
        ("not accepted for ", .notAccepted), ("limit: kept at most ", .ageLimit),
    ]

    private static func reason(for text: String, state: TransferState?) -> EndReason? {
        if let found = sentences.first(where: { text.hasPrefix($0.prefix) }) { return found.reason }
        return switch state {
        case .rejected: .rejected
        case .exhausted: .failedTooOften
        case .evicted: text.hasSuffix(" reports") ? .countLimit : .byteLimit
        case .removed: .removedByPerson
        case .queued, .sending, .waiting, .held, .delivered, nil: nil
        }
    }

    func token(_ row: inout [String: SQLiteValue]) {
        row["token"] = row["nonce"]
        row["consumed_at"] = row["applied_at"]
    }

    /// Completes a row of `begun` from version 5, which did not store which drops processes died over.
    func begun(_ row: inout [String: SQLiteValue]) {
        for column in ["is_open", "deaths"] where row[column] == nil { row[column] = .integer(0) }
    }

    func origin(_ row: inout [String: SQLiteValue]) {
        if row["used_at"] == nil { row["used_at"] = .integer(now) }
    }
}

extension SQLiteConnection {
    /// Visits rows until the end, or until the first row that cannot be read.
    /// - Returns: whether the end was reached.
    /// - Throws: the errors of the body.
    func forEachReadableRow(
        _ sql: String, _ body: (SQLiteStatement) throws(SQLiteError) -> Void
    ) throws(SQLiteError) -> Bool {
        guard let statement = try? prepared(sql) else { return false }
        defer { statement.reset() }
        while let hasRow = try? statement.step() {
            guard hasRow else { return true }
            try body(statement)
        }
        return false
    }
}
