import Background
import TestSupport
import Testing

/// What the store does for the limit of a signature.
@Suite("Braked transfers")
struct BrakedTransferTests {
    private static let signature = "00112233445566aa"

    private func withStore(_ body: (TransferStore, ManualClock) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let clock = ManualClock()
            try body(TransferStore(path: directory + "/ledger.sqlite", clock: clock), clock)
        }
    }

    private static func transfer(
        _ identifier: String, signature: String? = signature, request: TransferRecord.StoredRequest? = nil
    ) -> NewTransfer {
        var transfer = NewTransfer(
            identifier: identifier, label: "crash", metadata: "{}", byteCount: 5, seenWall: 1, request: request)
        transfer.signature = signature
        return transfer
    }

    private static func insert(_ transfer: NewTransfer, isBraked: Bool = false, into store: TransferStore) throws {
        try store.transaction { () throws in
            try store.insert(transfer)
            if isBraked { try store.brake(transfer.identifier, note: "at most 1") }
        }
    }

    private static func count(in store: TransferStore, since time: Int64 = .min, atMost limit: Int = 100) throws -> Int
    {
        try store.queries.admittedCount(of: signature, after: time, atMost: limit)
    }

    @Test("an admitted transfer counts whatever becomes of it; a braked one does not, and is evicted with its limit")
    func counting() throws {
        try withStore { store, _ in
            for (number, state) in TransferState.allCases.enumerated() where !state.isLive {
                try Self.insert(Self.transfer("\(number)"), into: store)
                try store.transaction { () throws in try store.end("\(number)", as: state, reason: .countLimit) }
            }
            #expect(try Self.count(in: store) == 5)
            #expect(try Self.count(in: store, atMost: 3) == 3)
            try Self.insert(Self.transfer("braked"), isBraked: true, into: store)
            #expect(try Self.count(in: store) == 5)
            let record = try #require(try store.queries.record("braked"))
            #expect((record.state, record.reason, record.note) == (.evicted, .ended(.signatureLimit), "at most 1"))
            #expect(Set(try store.queries.events().map(\.reason)) == [nil, .countLimit, .signatureLimit])
            #expect(try store.queries.isTallyTrue())
        }
    }

    @Test("a transfer without a signature, or with a request of its own, does not count")
    func uncounted() throws {
        try withStore { store, _ in
            let request = TransferRecord.StoredRequest(
                origin: "http://a.example:80", method: "PUT", url: "http://a.example/", headerNames: [], bodyPath: "",
                bodyHash: "")
            try Self.insert(Self.transfer("none", signature: nil), into: store)
            try Self.insert(Self.transfer("own", request: request), into: store)
            #expect(try Self.count(in: store) == 0)
        }
    }

    @Test("the time counts from the enrolment, not from a retry, and no jump of the wall clock ends it")
    func time() throws {
        try withStore { store, clock in
            try Self.insert(Self.transfer("a"), into: store)
            let enrolled = store.now
            clock.advance(by: 1_000)
            clock.setWall(clock.wallMilliseconds + 1_000 * 86_400_000)
            try store.transaction { () throws in
                try store.end("a", as: .rejected, reason: .rejected)
                try store.restart("a")
            }
            #expect(try Self.count(in: store, since: enrolled - 1) == 1)
            #expect(try Self.count(in: store, since: enrolled) == 0)
            try store.transaction { () throws in try store.revive(Self.transfer("a")) }
            #expect(try Self.count(in: store, since: enrolled) == 1)
            #expect(try Self.count(in: store) == 1)
        }
    }

    @Test("the record of a braked transfer is kept 7 days, that of another evicted one 90")
    func age() throws {
        try withTemporaryDirectory { directory in
            let (path, clock) = (directory + "/ledger.sqlite", ManualClock())
            let store = try TransferStore(path: path, clock: clock)
            try Self.insert(Self.transfer("braked"), isBraked: true, into: store)
            try Self.insert(Self.transfer("evicted"), into: store)
            try store.transaction { () throws in try store.end("evicted", as: .evicted, reason: .ageLimit) }
            clock.advance(by: TransferStore.brakedAge)
            try store.close()
            let second = try TransferStore(path: path, clock: clock)
            #expect(try second.queries.record("braked") != nil)
            clock.advance(by: 1)
            try Self.insert(Self.transfer("other"), into: second)
            try second.close()
            let third = try TransferStore(path: path, clock: clock)
            #expect(try third.queries.record("braked") == nil)
            #expect(try third.queries.record("evicted") != nil)
        }
    }

    @Test("one close forgets a thousand braked transfers at most")
    func smallSteps() throws {
        try withTemporaryDirectory { directory in
            let (path, clock) = (directory + "/ledger.sqlite", ManualClock())
            let store = try TransferStore(path: path, clock: clock)
            try store.transaction { () throws in
                for number in 0..<1_500 {
                    try store.insert(Self.transfer("\(number)"))
                    try store.brake("\(number)", note: "at most 1")
                }
            }
            clock.advance(by: TransferStore.brakedAge + 1)
            try store.close()
            for left in [500, 0] {
                let next = try TransferStore(path: path, clock: clock)
                #expect(try next.queries.tally()[.evicted].count == left)
                try Self.insert(Self.transfer("left \(left)"), into: next)
                try next.close()
            }
        }
    }

    @Test("the signatures that were braked since a time, the worst first, with the transfer that was seen last")
    func braked() throws {
        try withStore { store, clock in
            for number in 0..<3 { try Self.insert(Self.transfer("old \(number)"), isBraked: true, into: store) }
            clock.advance(by: 1_000)
            let time = store.now
            for (signature, count) in [("b", 2), ("a", 2), ("c", 3), (Self.signature, 1)] {
                for number in 0..<count {
                    try Self.insert(
                        Self.transfer("\(signature) \(number)", signature: signature), isBraked: true, into: store)
                }
            }
            let found = try store.queries.brakedSignatures(since: time, limit: 3)
            #expect(found.map(\.signature) == ["c", "a", "b"])
            #expect(found.map(\.count) == [3, 2, 2])
            #expect(found.first?.newest?.identifier.hasPrefix("c ") == true)
            #expect(try store.queries.brakedCounts(since: time) == (8, 4))
            #expect(try store.queries.evictionCount(for: .signatureLimit, since: time) == 8)
        }
    }

    @Test("neither the count nor the forgetting looks at other rows, and no change of a state touches the index")
    func plans() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/ledger.sqlite"
            try TransferStore(path: path, clock: ManualClock()).close()
            func plan(_ statement: String) throws -> String {
                try rows(of: "EXPLAIN QUERY PLAN " + statement, in: path).map { $0[3] }.joined(separator: "\n")
            }
            let count = try plan(LedgerQueries.admittedQuery)
            #expect(count.contains("COVERING INDEX transfer_admitted (signature=? AND admitted_at>?)"), "\(count)")
            let deletion = try plan(TransferStore.oldBrakedDeletion)
            #expect(deletion.contains("COVERING INDEX transfer_evicted (reason=? AND settled_at<?)"), "\(deletion)")
            let evictions = try plan(LedgerQueries.evictionCountQuery)
            #expect(evictions.contains("COVERING INDEX transfer_evicted (reason=? AND settled_at>?)"), "\(evictions)")
            for query in [count, deletion] { #expect(!query.contains("TEMP B-TREE"), "\(query)") }
            let root = try rows(of: "SELECT rootpage FROM sqlite_schema WHERE name='transfer_admitted'", in: path)[0][0]
            let change = try rows(
                of:
                    "EXPLAIN UPDATE transfer SET state='waiting', reason='unreachable', due_at=1, epoch=NULL WHERE id=1",
                in: path)
            #expect(!change.contains { $0[1] == "OpenWrite" && $0[3] == root }, "\(change)")
        }
    }
}
