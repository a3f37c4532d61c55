/// Texts that a client of the ledger wants to find again, by name.
extension TransferStore {
    /// Replaces all texts whose names begin with the prefix by the given texts.
    package func replaceMemories(prefix: String, with texts: [String: String]) throws {
        try connection.run(
            "DELETE FROM memory WHERE name >= ? AND name < ?", .text(prefix), .text(prefix + "\u{7f}"))
        try Self.remember(texts, in: connection)
    }

    /// Adds texts under names that the ledger does not have.
    static func remember(_ texts: [String: String], in connection: SQLiteConnection) throws(SQLiteError) {
        for (name, text) in texts {
            try connection.run("INSERT INTO memory(name, text) VALUES(?, ?)", .text(name), .text(text))
        }
    }
}

extension LedgerQueries {
    /// The texts whose names begin with the prefix.
    package func memories(prefix: String) throws -> [String: String] {
        let rows = try connection.rows(
            "SELECT name, text FROM memory WHERE name >= ? AND name < ?", [.text(prefix), .text(prefix + "\u{7f}")]
        ) { ($0.text(at: 0) ?? "", $0.text(at: 1) ?? "") }
        return Dictionary(rows, uniquingKeysWith: { $1 })
    }
}
