import Background
import DurableIO
import Foundation
import SystemPackage
import TestSupport
import Testing

/// A directory with a ledger, and owners of it.
struct LedgerFixture {
    static var rules: LedgerHost.SalvageRules { LedgerHost.SalvageRules(lane: Lane(""), hasFiles: false) { _, _ in 0 } }

    static func givesSalvagedItsPlace(_ call: FaultingFileSystem.Call) -> Bool {
        call.operation == .rename && call.name?.description.hasPrefix("ledger.salvaged-") == true
    }

    let path: String
    let directory: Directory
    let clock = ManualClock()

    init(_ path: String) throws {
        self.path = path
        let files = POSIXFileSystem()
        directory = try files.openDirectory(FilePath(path))
        _ = try files.makeDirectory("new", in: directory, permissions: 0o700)
    }

    func place(
        _ files: any FileSystem = POSIXFileSystem(),
        freeSpaceFloor: @escaping @Sendable (_ total: UInt64) -> UInt64 = { _ in 0 }
    ) -> LedgerPlace {
        // Made above.
        let temporary = (try? files.openDirectory("new", in: directory)) ?? directory
        return LedgerPlace(
            files: files, clock: clock, directory: directory, temporary: temporary, freeSpaceFloor: freeSpaceFloor)
    }

    func host(
        _ files: any FileSystem = POSIXFileSystem(),
        freeSpaceFloor: @escaping @Sendable (_ total: UInt64) -> UInt64 = { _ in 0 }
    ) throws -> LedgerHost {
        try #require(try LedgerHost.become(ownerOf: place(files, freeSpaceFloor: freeSpaceFloor)))
    }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }

    /// A life that does not end in order, with one transfer under way where it `isSending`.
    func leaveTwoRows(isSending: Bool = false) throws {
        let store = try TransferStore(path: "\(path)/ledger.sqlite", clock: clock)
        try store.transaction { () throws in
            for name in ["a", "b"] {
                try store.insert(
                    NewTransfer(identifier: name, label: "crash", metadata: "{}", byteCount: 5, seenWall: 1))
            }
            if isSending {
                let row = try #require(try store.queries.record("a")?.rowID)
                _ = try #require(try store.claimDue(row: row, acceptedMark: 0))
            }
        }
        store.abandon()
    }

    /// Adds rows that have ended to a ledger that nobody has open: so many that a check takes a tenth of a second or so.
    func addManyRows() throws {
        try tamper(
            with: "\(path)/ledger.sqlite",
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
            INSERT INTO transfer(identifier, lane, label, rank, metadata, byte_count, first_seen_wall, last_seen_wall,
              state, enrolled_at, settled_at)
            SELECT 'old ' || i, 'main', 'crash', 0, '{}', 5, 1, 1, 'delivered', 1, 1 FROM n
            """)
    }

    /// Makes of the ledger one that is set aside at the next open, and whose rows can be read.
    func makeUnreleased() throws {
        let ledger = URL(fileURLWithPath: "\(path)/ledger.sqlite")
        // `user_version` lies at offset 60 of the file's header; 4 was never released.
        var bytes = try Data(contentsOf: ledger)
        bytes.replaceSubrange(60..<64, with: [0, 0, 0, 4])
        try bytes.write(to: ledger)
    }

    func expectTwoRows(asideCount: Int, afterOpening host: LedgerHost) throws {
        let opened = try host.open(.none, Self.rules)
        if case .setAside(let aside, .unreleasedVersion(4), savedRowCount: 2) = opened.repair {
            #expect(try names.contains(aside.description))
        } else {
            Issue.record("the repair is \(String(describing: opened.repair))")
        }
        #expect(try ["a", "b"].allSatisfy { try opened.store.queries.record($0) != nil })
        let ledgers = try names.filter { $0.contains(".corrupt-") && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") }
        #expect(ledgers.count == asideCount, "\(ledgers)")
        #expect(try names.allSatisfy { !$0.hasPrefix("ledger.salvaged") })
    }
}

func withLedger(_ body: (LedgerFixture) async throws -> Void) async throws {
    try await withTemporaryDirectory { try await body(LedgerFixture($0)) }
}
