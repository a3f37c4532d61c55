import Foundation
import TestSupport
import Testing

@testable import Background

@Suite("Pages of a listing")
struct ListingQueryTests {
    /// Runs `body` with a ledger of transfers, each a second younger than the one before. The first of them have
    /// signatures. The texts of JSON are used in turn.
    private func withTransfers(
        _ count: Int, signatures: [String] = [], metadata: [String] = ["{}"], _ body: (TransferStore) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            let store = try TransferStore(path: directory + "/ledger.sqlite", clock: ManualClock())
            try store.transaction { () throws in
                for number in 0..<count {
                    try store.insert(
                        NewTransfer(
                            identifier: "t\(number)", lane: Lane("main"), label: number % 2 == 0 ? "even" : "odd",
                            rank: 1, metadata: metadata[number % metadata.count], byteCount: 1,
                            seenWall: Int64(number) * 1_000,
                            signature: number < signatures.count ? signatures[number] : nil))
                    if number % 5 == 4 { try store.end("t\(number)", as: .evicted, reason: .countLimit) }
                }
            }
            try body(store)
        }
    }

    private func everyIdentifier(
        _ queries: LedgerQueries, _ walk: ListingWalk, _ filter: ListingFilter = ListingFilter(), limit: Int
    ) throws -> [String] {
        var identifiers: [String] = []
        var cursor: LedgerQueries.Cursor?
        while true {
            let page = try queries.page(of: walk, filter, after: cursor, limit: limit)
            #expect(page.count <= limit)
            let sketches = try queries.sketches(
                of: walk, filter, after: cursor, limit: limit, includesMetadata: true)
            #expect(sketches.map(\.rowID) == page.map(\.rowID))
            #expect(sketches.map(\.metadata) == page.map(\.metadata))
            #expect(sketches.last.map { LedgerQueries.Cursor(after: $0) } == page.last.map { .init(after: $0) })
            identifiers += page.map(\.identifier)
            guard let last = page.last else { return identifiers }
            cursor = LedgerQueries.Cursor(after: last)
        }
    }

    @Test("a walk gives the newest first and each transfer once, however large its pages are", arguments: [1, 3, 100])
    func order(limit: Int) throws {
        let signature = "00000000000000aa"
        try withTransfers(20, signatures: Array(repeating: signature, count: 10)) { (store: TransferStore) throws in
            let queued = (0..<20).filter { $0 % 5 != 4 }.reversed().map { "t\($0)" }
            #expect(try everyIdentifier(store.queries, .state(.queued), limit: limit) == queued)
            let signed = (0..<10).reversed().map { "t\($0)" }
            let all = TransferState.allCases
            #expect(try everyIdentifier(store.queries, .signature(signature, states: all), limit: limit) == signed)
            #expect(
                try everyIdentifier(store.queries, .signature(signature, states: [.evicted, .held]), limit: limit)
                    == ["t9", "t4"])
        }
    }

    @Test("a filter's conditions all hold, at their bounds too")
    func filter() throws {
        let texts = [#"{"a":"x"}"#, #"{"a":"x","b":"50%_"}"#, #"{"b":"50%_"}"#, #"{"b":"505_"}"#]
        let signatures = ["aa", "aa", "aa", "aa", "ab", "ab", "ab", "ab"].map { "00000000000000" + $0 }
        try withTransfers(8, signatures: signatures, metadata: texts) { (store: TransferStore) throws in
            func identifiers(_ change: (inout ListingFilter) -> Void) throws -> [String] {
                var filter = ListingFilter()
                change(&filter)
                return try everyIdentifier(store.queries, .state(.queued), filter, limit: 2)
            }
            #expect(try identifiers { $0.label = "odd" } == ["t7", "t5", "t3", "t1"])
            #expect(try identifiers { $0.sinceWall = 5_000 } == ["t7", "t6", "t5"])
            #expect(try identifiers { $0.sinceWall = 5_001 } == ["t7", "t6"])
            #expect(try identifiers { $0.metadataTexts = [":\"x\""] } == ["t5", "t1", "t0"])
            // A pattern would find t3 and t7, too.
            #expect(try identifiers { $0.metadataTexts = [":\"50%_\""] } == ["t6", "t5", "t2", "t1"])
            #expect(try identifiers { $0.metadataTexts = [":\"x\"", ":\"50%_\""] } == ["t5", "t1"])
            #expect(try identifiers { $0.signaturePrefix = "00000000000000aa" } == ["t3", "t2", "t1", "t0"])
            #expect(try identifiers { $0.signaturePrefix = "0000000" }.count == 7)
            #expect(
                try identifiers {
                    ($0.label, $0.sinceWall, $0.signaturePrefix) = ("odd", 3_000, "00000000000000ab")
                } == ["t7", "t5"])
        }
    }

    @Test("the JSON of a transfer with a signature is read only when it is asked for")
    func metadata() throws {
        try withTransfers(2, signatures: ["00000000000000aa"]) { (store: TransferStore) throws in
            let sketches = try store.queries.sketches(
                of: .state(.queued), ListingFilter(), after: nil, limit: 10, includesMetadata: false)
            #expect(sketches.map(\.metadata) == ["{}", nil])
        }
    }

    @Test("the signatures that begin alike, in order, each once")
    func signatures() throws {
        let known = [
            "abcdef0000000000", "abcdef0000000001", "abcdefffffffffff", "abcdee0000000000", "abcdf00000000000",
        ]
        try withTransfers(20, signatures: known + known + known) { (store: TransferStore) throws in
            #expect(
                try store.queries.signatures(prefix: "abcdef", limit: 10)
                    == ["abcdef0000000000", "abcdef0000000001", "abcdefffffffffff"])
            #expect(try store.queries.signatures(prefix: "abcdef", limit: 2).count == 2)
            #expect(try store.queries.signatures(prefix: "abcdef0000000001", limit: 2) == ["abcdef0000000001"])
            #expect(try store.queries.signatures(prefix: "000000", limit: 2).isEmpty)
        }
    }

    @Test("no page sorts: an index gives the order, and ends the walk at the bound of time")
    func indexes() throws {
        try withTransfers(1) { (store: TransferStore) throws in
            var filter = ListingFilter()
            filter.sinceWall = 5
            filter.metadataTexts = ["x"]
            for (walk, index) in [
                (ListingWalk.state(.queued), "transfer_state"),
                (.signature("00000000000000aa", states: [.queued, .held, .evicted]), "transfer_signature"),
            ] {
                let plan = try store.queries.plan(of: walk, filter)
                #expect(plan.contains { $0.contains("USING INDEX \(index)") }, "\(plan)")
                #expect(plan.contains { $0.contains("first_seen_wall>?") }, "\(plan)")
                #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(plan)")
            }
        }
    }
}

extension LedgerQueries {
    /// How SQLite goes about a page that is not the first.
    fileprivate func plan(of walk: ListingWalk, _ filter: ListingFilter) throws -> [String] {
        let cursor = try page(of: .state(.queued), after: nil, limit: 1).last.map { Cursor(after: $0) }
        let (sql, values) = Self.page(of: walk, filter, after: cursor, limit: 10)
        return try connection.rows("EXPLAIN QUERY PLAN SELECT \(TransferRecord.columns) " + sql, values) {
            $0.text(at: 3) ?? ""
        }
    }
}
