import Background
import DurableIO
import SystemPackage
import TestSupport
import Testing

struct TransferStoreTests {
    private static func withLedger(_ body: (_ path: String, _ clock: ManualClock) throws -> Void) throws {
        try withTemporaryDirectory { directory in try body(directory + "/ledger.sqlite", ManualClock()) }
    }

    private static func insert(_ identifiers: [String], into store: TransferStore) throws {
        try store.transaction { () throws in
            for identifier in identifiers {
                try store.insert(
                    NewTransfer(identifier: identifier, label: "crash", metadata: "{}", byteCount: 5, seenWall: 1))
            }
        }
    }

    private static func settlement(
        _ claim: Claim, _ verdict: Verdict = Verdict(.delivered), status: Int? = 200
    ) -> Settlement {
        Settlement(
            claim: claim, verdict: verdict, endedWall: claim.record.firstSeenWall, status: status, error: nil,
            bytesSent: 5,
            retryAfter: nil, receipt: nil, answer: nil, acceptedMark: 1)
    }

    @Test("A new ledger has all tables, full synchronisation and a write-ahead log")
    func fresh() throws {
        try Self.withLedger { path, clock in
            let store = try TransferStore(path: path, clock: clock)
            #expect(store.earlierEnd == .none)
            #expect(store.epoch == 1)
            #expect(try store.queries.pragma("synchronous") == "2")
            #expect(try store.queries.pragma("journal_mode") == "wal")
            #expect(try store.queries.pragma("locking_mode") == "normal")
            #expect(try store.queries.pragma("foreign_keys") == "1")
            #expect(try store.queries.pragma("user_version") == "7")
            #expect(try store.queries.tally() == Tally())
        }
    }

    @Test("Opening again keeps what is there and begins a new epoch")
    func reopened() throws {
        try Self.withLedger { path, clock in
            let first = try TransferStore(path: path, clock: clock)
            try Self.insert(["a"], into: first)
            try first.close()
            let second = try TransferStore(path: path, clock: clock)
            #expect(second.earlierEnd == .clean)
            #expect(second.epoch == 2)
            #expect(try second.queries.record("a")?.state == .queued)
        }
    }

    @Test("A ledger of a later version is refused, and not a byte of it changes")
    func newerVersion() throws {
        try Self.withLedger { path, clock in
            do {
                let store = try TransferStore(path: path, clock: clock)
                try Self.insert(["a"], into: store)
                try store.close()
            }
            // The version is a big-endian number at offset 60 of the file's header (sqlite.org/fileformat.html).
            var bytes = try Self.contents(path)
            bytes.replaceSubrange(60..<64, with: [0, 0, 0, 99])
            try Self.overwrite(path, with: bytes)
            #expect(throws: LedgerError.newerVersion(found: 99, known: 7)) {
                _ = try TransferStore(path: path, clock: clock)
            }
            #expect(try Self.contents(path) == bytes)
        }
    }

    @Test("What is due, and what goes first of it, is found by its index, in its order, without sorting")
    func claimPlans() throws {
        try Self.withLedger { path, clock in
            try TransferStore(path: path, clock: clock).close()
            for (query, index) in [
                (TransferStore.dueQuery, "transfer_due"), (TransferStore.firstRankQuery, "transfer_first"),
                (TransferStore.slowQuery, "transfer_slow"), (TransferStore.restedQuery, "transfer_slow"),
            ] {
                let plan = try rows(of: "EXPLAIN QUERY PLAN " + query, in: path).map { $0[3] }.joined(separator: "\n")
                #expect(plan.contains(index), "\(plan)")
                #expect(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "\(plan)")
            }
        }
    }

    @Test("A claim is counted before anything is sent, and is not made twice")
    func claims() throws {
        try Self.withLedger { path, clock in
            let store = try TransferStore(path: path, clock: clock)
            try Self.insert(["a", "b", "c"], into: store)
            let claims = try store.transaction { () throws in
                try store.claimDue(limit: 2, suspects: false, lane: .main, acceptedMark: 0)
            }
            #expect(claims.map(\.record.identifier) == ["a", "b"])
            #expect(claims.allSatisfy { $0.record.state == .sending && $0.record.attempts == 1 })
            let rest = try store.transaction { () throws in
                try store.claimDue(limit: 5, suspects: false, lane: .main, acceptedMark: 0)
            }
            #expect(rest.map(\.record.identifier) == ["c"])
        }
    }

    @Test("The end of an attempt of an earlier life changes nothing")
    func staleSettlement() throws {
        try Self.withLedger { path, clock in
            let first = try TransferStore(path: path, clock: clock)
            try Self.insert(["a"], into: first)
            let claim = try #require(
                try first.transaction { () throws in
                    try first.claimDue(limit: 1, suspects: false, lane: .main, acceptedMark: 0)
                }.first)

            let second = try TransferStore(path: path, clock: clock)
            #expect(second.earlierEnd == .unclean(isSameBoot: true))
            try second.transaction { () throws in try second.recoverInterrupted(isRowBlamed: true) }
            let newClaim = try #require(
                try second.transaction { () throws in
                    try second.claimDue(limit: 1, suspects: true, lane: .main, acceptedMark: 0)
                }.first)
            #expect(newClaim.record.attempts == 2)

            _ = try first.transaction { () throws in try first.settle(Self.settlement(claim)) }
            let record = try #require(try second.queries.record("a"))
            #expect(record.state == .sending)
            #expect(record.attempts == 2)
        }
    }

    @Test("Rows that were under way come back due now, last in line; a lone one with a strike", arguments: [1, 3])
    func interrupted(count: Int) throws {
        try Self.withLedger { path, clock in
            let first = try TransferStore(path: path, clock: clock)
            try Self.insert((0..<count).map { "t\($0)" }, into: first)
            try first.transaction { () throws in
                _ = try first.claimDue(limit: count, suspects: false, lane: .main, acceptedMark: 0)
            }
            let second = try TransferStore(path: path, clock: clock)
            try second.transaction { () throws in try second.recoverInterrupted(isRowBlamed: true) }
            let records = try second.queries.everything()
            #expect(records.count == count)
            #expect(records.allSatisfy { $0.state == .waiting && $0.isSuspect && $0.due == second.now })
            #expect(records.allSatisfy { $0.strikes == (count == 1 ? 1 : 0) })
            let attempts = try second.queries.attempts(of: try #require(records.first))
            #expect(attempts.map(\.error) == ["the sender died"])
        }
    }

    @Test("Of a transfer's tries the last twenty are kept")
    func history() throws {
        try Self.withLedger { path, clock in
            let store = try TransferStore(path: path, clock: clock)
            try Self.insert(["a"], into: store)
            for _ in 0..<25 {
                try store.transaction { () throws in
                    for claim in try store.claimDue(limit: 1, suspects: false, lane: .main, acceptedMark: 0) {
                        try store.settle(Self.settlement(claim, Verdict(.waiting, due: store.now), status: 500))
                    }
                }
            }
            let record = try #require(try store.queries.record("a"))
            #expect(try store.queries.attempts(of: record).map(\.number) == Array(6...25))
        }
    }

    @Test("A transaction that fails leaves nothing behind")
    func rollback() throws {
        struct Stop: Error {}
        try Self.withLedger { path, clock in
            let store = try TransferStore(path: path, clock: clock)
            #expect(throws: Stop.self) {
                try store.transaction { () throws in
                    try store.insert(
                        NewTransfer(identifier: "a", label: "x", metadata: "{}", byteCount: 1, seenWall: 1))
                    throw Stop()
                }
            }
            #expect(try store.queries.record("a") == nil)
            try Self.insert(["b"], into: store)
            #expect(try store.queries.record("b") != nil)
        }
    }

    @Test("Records of delivered transfers are forgotten after 90 days, others never")
    func tombstones() throws {
        try Self.withLedger { path, clock in
            let store = try TransferStore(path: path, clock: clock)
            try Self.insert(["delivered", "rejected"], into: store)
            try store.transaction { () throws in
                try store.end("delivered", as: .delivered, reason: .rejected)
                try store.end("rejected", as: .rejected, reason: .rejected)
            }
            clock.advance(by: TransferStore.tombstoneAge)
            try store.close()
            let second = try TransferStore(path: path, clock: clock)
            #expect(try second.queries.record("delivered") != nil)
            clock.advance(by: 1)
            try Self.insert(["other"], into: second)
            try second.close()
            let third = try TransferStore(path: path, clock: clock)
            #expect(try third.queries.record("delivered") == nil)
            #expect(try third.queries.record("rejected") != nil)
        }
    }

    @Test("A session's transfers are forgotten after 90 days however they ended, once somebody has seen the end")
    func sessionTombstones() throws {
        try Self.withLedger { path, clock in
            let store = try TransferStore(path: path, clock: clock)
            let states: [TransferState] = [.delivered, .rejected, .exhausted]
            try store.transaction { () throws in
                for (label, state) in ["upload", "download"].flatMap({ label in states.map { (label, $0) } }) {
                    for isSeen in [true, false] {
                        let name = "\(label) \(state) \(isSeen)"
                        try store.insert(
                            NewTransfer(identifier: name, label: label, metadata: "{}", byteCount: 5, seenWall: 1))
                        try store.end(name, as: state, reason: .rejected)
                        if isSeen { try store.acknowledge(name) }
                    }
                }
            }
            clock.advance(by: TransferStore.tombstoneAge + 1)
            try store.close()
            let next = try TransferStore(path: path, clock: clock)
            let left = try next.queries.everything().map(\.identifier)
            #expect(left.count == 6 && left.allSatisfy { $0.hasSuffix("false") }, "\(left)")
        }
    }

    @Test("A closed ledger says so to whoever still asks it")
    func closed() throws {
        try Self.withLedger { path, clock in
            let store = try TransferStore(path: path, clock: clock)
            try Self.insert(["a"], into: store)
            try store.close()
            #expect(throws: SQLiteError.self) { _ = try store.queries.record("a") }
            #expect(throws: SQLiteError.self) { try Self.insert(["b"], into: store) }
            try store.close()
        }
    }

    @Test("A reader sees the ledger beside its owner and changes nothing")
    func reader() throws {
        try Self.withLedger { path, clock in
            let store = try TransferStore(path: path, clock: clock)
            try Self.insert(["a"], into: store)
            let file = FilePath(path)
            let files = POSIXFileSystem()
            let reader = try LedgerReader(
                name: "ledger.sqlite", in: files.openDirectory(file.removingLastComponent()), files: files,
                clock: clock)
            #expect(try reader.queries.record("a") != nil)
            try Self.insert(["b"], into: store)
            #expect(try reader.queries.record("b") != nil)
        }
    }

    private static func contents(_ path: String) throws -> [UInt8] {
        let files = POSIXFileSystem()
        return try files.read(files.openFile(FilePath(path)), limit: 1 << 20)
    }

    private static func overwrite(_ path: String, with bytes: [UInt8]) throws {
        let files = POSIXFileSystem()
        let directory = try files.openDirectory(FilePath(path).removingLastComponent())
        for name in try files.entries(of: directory) { try files.remove(name, in: directory) }
        let file = try files.createFile("ledger.sqlite", in: directory)
        try files.write(bytes, to: file)
    }
}
