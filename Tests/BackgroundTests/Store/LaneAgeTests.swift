import DurableIO
import TestSupport
import Testing

@testable import Background

/// The oldest undelivered transfer of each lane is the one that a look at every row finds.
@Suite("The age of each lane")
struct LaneAgeTests {
    /// Runs `body` with a ledger whose rows the statements change.
    private func withLedger(
        _ transfers: [(lane: String, seen: Int64)], _ statements: String, _ body: (LedgerQueries) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/ledger.sqlite"
            let store = try TransferStore(path: path, clock: ManualClock())
            try store.transaction { () throws in
                for (number, one) in transfers.enumerated() {
                    try store.insert(
                        NewTransfer(
                            identifier: "t\(number)", lane: Lane(one.lane), label: "crash", rank: number % 3,
                            metadata: "{}", byteCount: 1, seenWall: one.seen))
                }
            }
            try store.close()
            try tamper(with: path, statements)
            let again = try TransferStore(path: path, clock: ManualClock())
            try body(again.queries)
            again.abandon()
        }
    }

    private static let isUndelivered = """
        (state='queued' OR state='waiting' OR state='sending' OR (state='held' AND reason IS NOT 'route'))
        """

    private func everyLook(_ queries: LedgerQueries) throws -> [Lane: Int64] {
        let rows = try queries.connection.rows(
            "SELECT lane, min(first_seen_wall) FROM transfer WHERE \(Self.isUndelivered) GROUP BY lane"
        ) { (Lane($0.text(at: 0) ?? ""), $0.integer(at: 1)) }
        return Dictionary(uniqueKeysWithValues: rows)
    }

    @Test("after any changes it is what a look at every row finds", arguments: 1...12 as ClosedRange<UInt64>)
    func anyRows(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let lanes = ["main", "archive", "@http://own.example:80"].prefix(Int.random(in: 1...3, using: &random))
        let transfers = (0..<60).map { _ in
            (lane: lanes.randomElement(using: &random) ?? "main", seen: Int64.random(in: 0..<1_000, using: &random))
        }
        let changes = [
            "state='waiting', reason='unreachable'", "state='held', reason='route', due_at=NULL",
            "state='held', reason='auth', due_at=NULL", "state='held', reason='poison'",
            "state='sending', due_at=NULL, epoch=1", "state='delivered', due_at=NULL, settled_at=0",
            "state='rejected', due_at=NULL, settled_at=0", "is_suspect=1",
        ]
        let statements = (0..<50).map { _ in
            let change = changes.randomElement(using: &random) ?? ""
            return "UPDATE transfer SET \(change) WHERE identifier='t\(Int.random(in: 0..<60, using: &random))' "
                + "AND state='queued';"
        }
        try withLedger(transfers, statements.joined()) { queries throws in
            let found = try queries.oldestLive()
            #expect(try found == everyLook(queries))
            #expect(!found.isEmpty)
        }
    }

    @Test("among very many rows it is found as well, whichever lane is the older one")
    func manyRows() throws {
        let columns = "lane, label, rank, metadata, byte_count, state, due_at, last_seen_wall, enrolled_at"
        func copies(of name: String, from number: Int, count: Int) -> String {
            """
            WITH RECURSIVE number(n) AS (SELECT \(number) UNION ALL SELECT n+1 FROM number WHERE n < \(number + count - 1))
            INSERT INTO transfer(identifier, first_seen_wall, \(columns))
            SELECT 'c' || n, n, \(columns) FROM number, (SELECT * FROM transfer WHERE identifier='\(name)');
            """
        }
        let statements =
            copies(of: "t0", from: 100_000, count: 10_500) + copies(of: "t1", from: 200_000, count: 10_500)
            + copies(of: "t2", from: 150_000, count: 3)
            + "UPDATE transfer SET state='held', reason='route', due_at=NULL WHERE identifier='c100000';"
        let transfers = [(lane: "old", seen: Int64(900_000)), ("young", 900_001), ("few", 900_002)]
        try withLedger(transfers, statements) { queries throws in
            #expect(
                try queries.oldestLive() == [Lane("old"): 100_001, Lane("young"): 200_000, Lane("few"): 150_000])
        }
    }

    @Test("what a route holds has no age")
    func heldByRoute() throws {
        let statements = "UPDATE transfer SET state='held', reason='route', due_at=NULL;"
        try withLedger([(lane: "main", seen: 5)], statements) { queries throws in
            #expect(try queries.oldestLive() == [:])
            #expect(try queries.heldCounts().map(\.reason) == [.route])
        }
    }
}
