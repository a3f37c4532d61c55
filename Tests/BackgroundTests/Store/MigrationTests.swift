import Background
import DurableIO
import SystemPackage
import TestSupport
import Testing

/// A ledger of an earlier version is brought up to date when it is opened, with all that is in it.
struct MigrationTests {
    @Test("Every row of a version 1 ledger is still there, in its state, and goes on")
    func version1() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/ledger.sqlite"
            try Self.copy("ledger-version-1.sqlite", to: path)
            let clock = ManualClock()
            let store = try TransferStore(path: path, clock: clock)
            #expect(store.earlierEnd == .unclean(isSameBoot: true))
            #expect(try store.queries.pragma("user_version") == "4")
            for state in TransferState.allCases {
                let record = try #require(try store.queries.record(state.rawValue))
                #expect(record.state == state)
                #expect(record.progress == nil)
                #expect(record.attempts == (state == .queued ? 0 : 2))
            }
            try store.transaction { () throws in
                try store.recoverInterrupted(isSameBoot: true)
                let claims = try store.claimDue(limit: 10, suspects: false, origin: nil, acceptedMark: 0)
                #expect(Set(claims.map(\.record.identifier)) == ["queued", "waiting"])
                let suspects = try store.claimDue(limit: 10, suspects: true, origin: nil, acceptedMark: 0)
                #expect(suspects.map(\.record.identifier) == ["sending"])
                try store.note(progress: "half", byteCount: nil, of: "queued")
            }
            #expect(try store.queries.record("queued")?.progress == "half")
            try store.close()
            #expect(try TransferStore(path: path, clock: clock).earlierEnd == .clean)
        }
    }

    @Test("A ledger of an earlier version is read by one who only looks, and stays as it is")
    func earlierVersionIsRead() throws {
        try withTemporaryDirectory { directory in
            try Self.copy("ledger-version-1.sqlite", to: directory + "/ledger.sqlite")
            let files = POSIXFileSystem()
            let root = try files.openDirectory(FilePath(directory))
            let before = try files.contents(of: "ledger.sqlite", in: root)
            let reader = try LedgerReader(name: "ledger.sqlite", in: root, files: files, clock: ManualClock())
            for state in TransferState.allCases {
                #expect(try reader.queries.record(state.rawValue)?.state == state)
                #expect(try reader.queries.counts().first { $0.state == state }?.count == 1)
            }
            #expect(try files.contents(of: "ledger.sqlite", in: root) == before)
        }
    }

    @Test("One who looks while a ledger is made or brought up to date never sees half of it", arguments: [true, false])
    func madeInOneCommit(_ isNew: Bool) throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/ledger.sqlite"
            if !isNew { try Self.copy("ledger-version-1.sqlite", to: path) }
            let store = try TransferStore(path: path, clock: ManualClock())
            let files = POSIXFileSystem()
            let log = try files.contents(of: "ledger.sqlite-wal", in: files.openDirectory(FilePath(directory)))
            #expect(try Self.commitCount(inLog: #require(log)) == 1)
            store.abandon()
        }
    }

    /// A frame of the log ends a transaction if its header gives the database's size, big-endian, after the page's
    /// number (sqlite.org/fileformat2.html, 4.1).
    static func commitCount(inLog log: [UInt8]) -> Int {
        let pageSize = Int(log[8]) << 24 | Int(log[9]) << 16 | Int(log[10]) << 8 | Int(log[11])
        return stride(from: 32, to: log.count, by: 24 + pageSize).count { log[($0 + 4)..<($0 + 8)] != [0, 0, 0, 0] }
    }

    @Test("No change of a row has SQLite make a table to look a state up in, and every rule is still checked")
    func ruleChecks() throws {
        try withTemporaryDirectory { directory in
            let (old, fresh) = (directory + "/old.sqlite", directory + "/fresh.sqlite")
            try Self.copy("ledger-version-1.sqlite", to: old)
            for path in [old, fresh] {
                let store = try TransferStore(path: path, clock: ManualClock())
                for change in [
                    "INSERT INTO transfer(identifier, state, due_at) VALUES('a', 'queued', 1)",
                    "UPDATE transfer SET state='sending', epoch=1, due_at=NULL WHERE id=1",
                    "UPDATE transfer SET state='delivered', epoch=NULL, settled_at=1 WHERE id=1",
                ] {
                    let instructions = try store.queries.instructions(of: change)
                    #expect(!instructions.contains { $0.hasPrefix("OpenEphemeral") }, "\(change)")
                    #expect(instructions.count { $0.hasPrefix("Halt ") && $0.contains("state") } == 5, "\(change)")
                }
                try store.close()
            }
        }
    }

    /// A ledger made with the statements of its version, with a row in each state.
    static func copy(_ name: EntryName, to path: String) throws {
        let files = POSIXFileSystem()
        let fixtures = FilePath(#filePath).removingLastComponent().removingLastComponent().appending("Fixtures")
        let bytes = try #require(try files.contents(of: name, in: files.openDirectory(fixtures)))
        let target = FilePath(path)
        let entry = try #require(target.lastComponent.flatMap { EntryName($0.string) })
        let file = try files.createFile(entry, in: files.openDirectory(target.removingLastComponent()))
        try files.write(bytes, to: file)
    }
}
