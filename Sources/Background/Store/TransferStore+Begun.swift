/// A drop whose collecting was begun and is not known to be finished.
///
/// A row is written before the first byte of such a drop is read, and deleted when the drop is a report. So after a
/// crash the next owner knows which drops were begun, how often, and during which of them a process died.
package struct BegunDrop: Hashable, Sendable {
    /// The drop's mark, by which it is known again as long as it is the same file.
    package let name: String
    /// How often its collecting was begun without being finished.
    package let tries: Int
    /// How many processes have died, in the boot that went on afterwards, while it was being collected.
    package let deaths: Int
    /// Whether it is being collected, or was when its process ended without order.
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
    /// A drop is about to be collected: its row counts the try and is open.
    package func begin(drop name: String) throws {
        try connection.run(
            """
            INSERT INTO begun(name, tries, begun_wall, is_open) VALUES(?, 1, ?, 1)
            ON CONFLICT(name) DO UPDATE SET tries=tries+1, begun_wall=excluded.begun_wall, is_open=1
            """, .text(name), .integer(wallNow))
    }

    /// A drop was refused, or could not be read: that is no try that lacked time, and is not counted.
    package func failed(drop name: String) throws {
        try connection.run("UPDATE begun SET is_open=0, tries=max(0, tries-1) WHERE name=?", .text(name))
        try connection.run("DELETE FROM begun WHERE name=? AND tries=0 AND deaths=0", .text(name))
    }

    /// Forgets a drop's tries: it has become a report, it is gone, or a person wants it tried anew.
    package func forget(drop name: String) throws {
        try connection.run("DELETE FROM begun WHERE name=?", .text(name))
    }

    /// Which of these drops may have been under way when the earlier life ended: those without a row, because groups
    /// of small drops have none, and those whose row is open.
    func underWay(among marks: Set<String>) throws -> Set<String> {
        guard !marks.isEmpty else { return [] }
        let begun = try queries.begunDrops()
        return marks.filter { begun[$0]?.isOpen ?? true }
    }

    /// After an unclean end in the same boot: one of the drops that lie in `taken/` may be what killed the process.
    ///
    /// A drop that has no row, or an open one, may have been under way: its row gets a death and is closed. A drop with
    /// a closed row was not under way, and its row stays as it is. Rows of other drops are deleted.
    /// `marks` are those of the drops that lie in `taken/`.
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

    /// At the end of a life that is no death: what was being collected did not kill it.
    package func closeDrops() throws(SQLiteError) {
        try connection.run("UPDATE begun SET is_open=0 WHERE is_open <> 0")
    }
}
