import Background
import DurableIO
import SystemPackage
import TestSupport
import Testing

/// The ledger's tables: as they are made, as they were released, and as they come from before the first release.
struct SchemaTests {
    @Test("A ledger of version 5 is brought to the current version, with every row as it was")
    func version5() throws {
        try Self.withFixture("ledger-version-5.sqlite") { path in
            let clock = ManualClock()
            let store = try TransferStore(path: path, clock: clock)
            #expect(try store.queries.pragma("user_version") == "7")
            #expect(try store.queries.begunDrops().isEmpty)
            #expect(store.earlierEnd == .clean)
            #expect(store.epoch == 8)
            for state in TransferState.allCases {
                let record = try #require(try store.queries.record(state.rawValue))
                #expect(record.state == state)
                #expect(try store.queries.tally()[state].count == 1)
            }
            #expect(try store.queries.record("evicted")?.reason == .ended(.countLimit))
            #expect(try store.queries.record("evicted")?.note == "at most 3 reports are stored")
            #expect(try store.queries.record("held")?.request?.origin == "http://a.example:80")
            #expect(try store.queries.lanes() == [.main: "http://a.example:80"])
            #expect(try store.queries.origins().map(\.gate.holdReason) == [.auth])
            #expect(try store.queries.isConsumed(token: "abc.request"))
            try store.transaction { () throws in
                try store.end("waiting", as: .evicted, reason: .byteLimit, note: "test")
            }
            #expect(try store.queries.events().map(\.reason) == [.byteLimit])
            try store.close()
        }
    }

    @Test("A ledger of version 6 is brought to the current version; its rows do not count for the limit of a signature")
    func version6() throws {
        try Self.withFixture("ledger-version-6.sqlite") { path in
            let store = try TransferStore(path: path, clock: ManualClock())
            #expect(try store.queries.pragma("user_version") == "7")
            for state in TransferState.allCases {
                #expect(try store.queries.record(state.rawValue)?.state == state)
            }
            #expect(try store.queries.begunDrops().values.map(\.deaths) == [1])
            #expect(try store.queries.admittedCount(of: "0123456789abcdef", after: .min, atMost: 10) == 0)
            #expect(try store.queries.evictionCount(for: .countLimit, since: 0) == 1)
            #expect(try store.queries.lastEviction(for: .countLimit) == 4_500)
            try store.transaction { () throws in
                var transfer = NewTransfer(identifier: "new", label: "crash", metadata: "{}", byteCount: 5, seenWall: 1)
                transfer.signature = "0123456789abcdef"
                try store.insert(transfer)
            }
            #expect(try store.queries.admittedCount(of: "0123456789abcdef", after: .min, atMost: 10) == 1)
            try store.close()
        }
    }

    @Test(
        "A reader beside an owner of an earlier version reads its ledger, and changes nothing",
        arguments: ["ledger-version-5.sqlite", "ledger-version-6.sqlite"])
    func readEarlierVersion(fixture: String) throws {
        try Self.withFixture(#require(EntryName(fixture))) { path in
            let files = POSIXFileSystem()
            let root = try files.openDirectory(FilePath(path).removingLastComponent())
            let before = try files.contents(of: "ledger.sqlite", in: root)
            let reader = try LedgerReader(name: "ledger.sqlite", in: root, files: files, clock: ManualClock())
            let rows = try reader.queries.everything()
            #expect(rows.count == TransferState.allCases.count)
            #expect(try reader.hasSendable(in: { _ in true }))
            #expect(try reader.queries.nextDue() != nil)
            #expect(try reader.queries.begunDrops().values.allSatisfy { $0.name == "drop 1" })
            #expect(try reader.queries.evictionCount(for: .countLimit, since: 0) == 1)
            #expect(try reader.queries.lastEviction(for: .countLimit) == 4_500)
            #expect(try reader.queries.lastEviction(for: .signatureLimit) == nil)
            #expect(try reader.queries.brakedSignatures(since: 0, limit: 5).isEmpty)
            #expect(try reader.queries.brakedCounts(since: 0).transfers == 0)
            #expect(try files.contents(of: "ledger.sqlite", in: root) == before)
        }
    }

    @Test("A ledger from before the first release is not opened as it is, by an owner or by a reader")
    func unreleased() throws {
        try Self.withFixture("ledger-unreleased.sqlite") { path in
            let files = POSIXFileSystem()
            let root = try files.openDirectory(FilePath(path).removingLastComponent())
            let before = try files.contents(of: "ledger.sqlite", in: root)
            #expect(throws: LedgerError.unreleasedVersion(1)) {
                _ = try TransferStore(path: path, clock: ManualClock())
            }
            #expect(throws: LedgerError.unreleasedVersion(1)) {
                _ = try LedgerReader(name: "ledger.sqlite", in: root, files: files, clock: ManualClock())
            }
            #expect(try files.contents(of: "ledger.sqlite", in: root) == before)
        }
    }

    @Test("Every row of such a ledger is carried over, with a lane, a rank, and a sentence that is no code as its note")
    func carriedOver() throws {
        try Self.withFixture("ledger-unreleased.sqlite") { path in
            let store = try TransferStore(path: path + ".new", clock: ManualClock())
            let saved = try store.salvage(from: path, lane: .main) { label, _ in label.isEmpty ? 0 : 2 }
            #expect(saved == TransferState.allCases.count)
            for state in TransferState.allCases {
                let record = try #require(try store.queries.record(state.rawValue))
                #expect(record.state == (state == .sending ? .waiting : state))
                #expect(record.rank == 2)
                #expect(record.lane == .main || record.lane.ownOrigin != nil)
                if record.note != nil { #expect(record.reason != nil) }
            }
            try store.close()
        }
    }

    @Test("One who looks while a ledger is made never sees half of it")
    func madeInOneCommit() throws {
        try withTemporaryDirectory { directory in
            let store = try TransferStore(path: directory + "/ledger.sqlite", clock: ManualClock())
            let files = POSIXFileSystem()
            let log = try files.contents(of: "ledger.sqlite-wal", in: files.openDirectory(FilePath(directory)))
            #expect(try Self.commitCount(inLog: #require(log)) == 1)
            store.abandon()
        }
    }

    /// A frame of the log ends a transaction if its header gives the database's size, big-endian, after the page's
    /// number (sqlite.org/fileformat2.html, 4.1).
    private static func commitCount(inLog log: [UInt8]) -> Int {
        let pageSize = Int(log[8]) << 24 | Int(log[9]) << 16 | Int(log[10]) << 8 | Int(log[11])
        return stride(from: 32, to: log.count, by: 24 + pageSize).count { log[($0 + 4)..<($0 + 8)] != [0, 0, 0, 0] }
    }

    @Test("No change of a row has SQLite make a table to look a state up in, and every rule is still checked")
    func ruleChecks() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/ledger.sqlite"
            try TransferStore(path: path, clock: ManualClock()).close()
            for change in [
                "INSERT INTO transfer(identifier, state, due_at) VALUES('a', 'queued', 1)",
                "UPDATE transfer SET state='sending', epoch=1, due_at=NULL WHERE id=1",
                "UPDATE transfer SET state='delivered', epoch=NULL, settled_at=1 WHERE id=1",
            ] {
                let instructions = try rows(of: "EXPLAIN " + change, in: path).map { "\($0[1]) \($0[5])" }
                #expect(!instructions.contains { $0.hasPrefix("OpenEphemeral") }, "\(change)")
                // Five rules of the row, and one of the sums.
                #expect(instructions.count { $0.hasPrefix("Halt ") && $0.contains("state") } == 6, "\(change)")
            }
        }
    }

    /// Runs `body` with a copy of a stored ledger that has a row in each state.
    private static func withFixture(_ name: EntryName, _ body: (_ path: String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            try copy(name, to: FilePath(directory + "/ledger.sqlite"))
            try body(directory + "/ledger.sqlite")
        }
    }

    static func copy(_ name: EntryName, to path: FilePath) throws {
        let files = POSIXFileSystem()
        let fixtures = FilePath(#filePath).removingLastComponent().removingLastComponent().appending("Fixtures")
        let bytes = try #require(try files.contents(of: name, in: files.openDirectory(fixtures)))
        let target = try #require(path.lastComponent.flatMap { EntryName($0.string) })
        let file = try files.createFile(target, in: files.openDirectory(path.removingLastComponent()))
        try files.write(bytes, to: file)
    }
}
