/// A drop whose collecting was begun and is not known to be finished.
///
/// A row is written before the first byte of such a drop is read, and deleted when the drop is a report. So after a
/// crash the next owner knows which drops were begun, how often, and during which of them a process died.
package struct BegunDrop: Hashable, Sendable {
    /// The mark by which an owner recognises the drop, as long as it is the same file.
    package let name: String
    /// How often its collecting was begun without being finished.
    package let tries: Int
    /// How many processes have died, in the boot that went on afterwards, while it was being collected.
    package let deaths: Int
    /// Whether the drop is being collected, or was being collected when its process ended without order.
    package let isOpen: Bool
    /// When it was begun last, in milliseconds since the epoch.
    package let begunWall: Int64

    package init(name: String, tries: Int, deaths: Int, isOpen: Bool, begunWall: Int64) {
        self.name = name
        self.tries = tries
        self.deaths = deaths
        self.isOpen = isOpen
        self.begunWall = begunWall
    }
}

extension LedgerQueries {
    /// The drops that were begun and are not finished, by their marks.
    package func begunDrops() throws -> [String: BegunDrop] {
        // A reader may look at a ledger whose owner is an earlier release.
        let isOld = try (connection.value("PRAGMA user_version")?.integer ?? 0) < 6
        let drops = try connection.rows(
            "SELECT name, tries, begun_wall, \(isOld ? "0, 0" : "deaths, is_open") FROM begun"
        ) { row in
            BegunDrop(
                name: row.text(at: 0) ?? "", tries: Int(row.integer(at: 1)), deaths: Int(row.integer(at: 3)),
                isOpen: row.integer(at: 4) != 0, begunWall: row.integer(at: 2))
        }
        return Dictionary(drops.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    }
}

extension TransferStore {
    /// Records that a drop is about to be collected: its row counts the try and is open.
    package func begin(drop name: String) throws {
        try connection.run(
            """
            INSERT INTO begun(name, tries, begun_wall, is_open) VALUES(?, 1, ?, 1)
            ON CONFLICT(name) DO UPDATE SET tries=tries+1, begun_wall=excluded.begun_wall, is_open=1
            """, .text(name), .integer(wallNow))
    }

    /// Records that a drop was refused or could not be read. This try did not lack time, so it is not counted.
    package func failed(drop name: String) throws {
        try connection.run("UPDATE begun SET is_open=0, tries=max(0, tries-1) WHERE name=?", .text(name))
        try connection.run("DELETE FROM begun WHERE name=? AND tries=0 AND deaths=0", .text(name))
    }

    /// Forgets a drop's tries, because the drop has become a report, is gone, or a person wants it tried anew.
    package func forget(drop name: String) throws {
        try connection.run("DELETE FROM begun WHERE name=?", .text(name))
    }

    /// The drops of these marks that may have been under way when the earlier owner ended: drops without a row, because
    /// groups of small drops have none, and drops whose row is open.
    func underWay(among marks: Set<String>) throws -> Set<String> {
        guard !marks.isEmpty else { return [] }
        let begun = try queries.begunDrops()
        return marks.filter { begun[$0]?.isOpen ?? true }
    }

    /// Counts a death after an unclean end in the same boot, because one of the drops in `taken/` may have killed the
    /// process.
    ///
    /// A drop that has no row, or an open row, may have been under way: its row counts the death and is closed. A drop
    /// with a closed row was not under way, and its row stays as it is. The rows of other drops are deleted.
    ///
    /// `marks` are the marks of the drops in `taken/`.
    package func noteDeaths(among marks: Set<String>) throws {
        for name in try queries.begunDrops().keys where !marks.contains(name) { try forget(drop: name) }
        for name in marks.sorted() {
            try connection.run(
                """
                INSERT INTO begun(name, tries, begun_wall, deaths) VALUES(?, 1, ?, 1)
                ON CONFLICT(name) DO UPDATE SET deaths=deaths+is_open, is_open=0
                """, .text(name), .integer(wallNow))
        }
    }

    /// Closes the rows of all drops at the end of an owner that is no death: no drop under way has killed the process.
    package func closeDrops() throws(SQLiteError) {
        try connection.run("UPDATE begun SET is_open=0 WHERE is_open <> 0")
    }
}
