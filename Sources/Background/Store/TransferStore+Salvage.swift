extension TransferStore {
    /// Writes a reason on a settled transfer without settling it again.
    package func note(_ reason: String, on identifier: String) throws {
        try connection.run("UPDATE transfer SET reason=? WHERE identifier=?", .text(reason), .text(identifier))
    }

    /// Copies what can still be read of a damaged ledger: rows, their history, the gates and the clock.
    ///
    /// Read from both ends, so that one bad page in the middle costs only what lies on it.
    /// - Returns: the number of transfers saved.
    package func salvage(from path: String) throws -> Int {
        guard let damaged = try? SQLiteConnection(path: path, mode: .readOnly) else { return 0 }
        if let life = try? Self.lastLife(damaged) { continueAxis(of: life.clock) }
        var saved = 0
        try transaction { () throws in
            for table in ["transfer", "attempt", "origin", "applied_request"] {
                let count = try salvage(table, from: damaged)
                if table == "transfer" { saved = count }
            }
            // Where the clock cannot be read, the newest row tells how far it had come at least.
            let newest = try connection.value(
                "SELECT max(ifnull(max(enrolled_at), 0), ifnull(max(settled_at), 0)) FROM transfer")
            continueAxis(from: newest?.integer ?? 0)
            // Rows under way belonged to a life that is over.
            try connection.run(
                """
                UPDATE transfer SET state='waiting', reason='interrupted', due_at=?, epoch=NULL WHERE state='sending'
                """, .integer(now))
        }
        return saved
    }

    private func salvage(_ table: String, from damaged: SQLiteConnection) throws -> Int {
        let columns = try connection.rows("SELECT name FROM pragma_table_info('\(table)')") { $0.text(at: 0) ?? "" }
        let list = columns.joined(separator: ", ")
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        var saved = 0
        for order in ["ASC", "DESC"] {
            let isWhole = damaged.forEachReadableRow("SELECT \(list) FROM \(table) ORDER BY 1 \(order)") { row in
                let values = columns.indices.map { row.value(at: Int32($0)) }
                // A row that breaks a constraint, or is there already, is not worth stopping for.
                guard (try? connection.run("INSERT OR IGNORE INTO \(table)(\(list)) VALUES(\(marks))", values)) != nil
                else { return }
                saved += connection.changedRowCount
            }
            if isWhole { break }
        }
        return saved
    }
}

extension SQLiteConnection {
    /// Visits rows until the end or the first that cannot be read.
    /// - Returns: whether the end was reached.
    func forEachReadableRow(_ sql: String, _ body: (SQLiteStatement) -> Void) -> Bool {
        do {
            _ = try rows(sql, []) { row throws(SQLiteError) in body(row) }
            return true
        } catch {
            return false
        }
    }
}
