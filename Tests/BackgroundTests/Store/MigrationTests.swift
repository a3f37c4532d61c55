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
