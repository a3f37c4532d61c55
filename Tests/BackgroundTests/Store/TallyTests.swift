import Background
import DurableIO
import TestSupport
import Testing

/// The sums that the ledger keeps are those that a look at every row gives.
struct TallyTests {
    @Test("After any changes the sums are those of the rows", arguments: 1...8 as ClosedRange<UInt64>)
    func anyChanges(seed: UInt64) throws {
        try withTemporaryDirectory { directory in
            let store = try TransferStore(path: directory + "/ledger.sqlite", clock: ManualClock())
            var random = SeededGenerator(seed: seed)
            var claims: [Claim] = []
            for round in 0..<60 {
                try store.transaction { () throws in
                    for step in 0..<5 { try Self.change(store, "t\(round)-\(step)", &claims, &random) }
                }
                try Self.expectSums(of: store)
            }
            // A transaction that is rolled back takes its part of the sums with it.
            struct Stop: Error {}
            #expect(throws: Stop.self) {
                try store.transaction { () throws in
                    try store.insert(Self.transfer("late", byteCount: 5))
                    throw Stop()
                }
            }
            try Self.expectSums(of: store)
            try store.close()
        }
    }

    private static func transfer(_ identifier: String, byteCount: Int64) -> NewTransfer {
        NewTransfer(identifier: identifier, label: "crash", metadata: "{}", byteCount: byteCount, seenWall: 0)
    }

    private static func change(
        _ store: TransferStore, _ identifier: String, _ claims: inout [Claim], _ random: inout SeededGenerator
    ) throws {
        switch Int.random(in: 0..<8, using: &random) {
        case 0...2: try store.insert(transfer(identifier, byteCount: .random(in: 0...1_000, using: &random)))
        case 3:
            claims += try store.claimDue(limit: 3, suspects: false, lane: .main, acceptedMark: 0)
        case 4:
            guard let claim = claims.popLast() else { return }
            try store.giveBack(claim)
        case 5:
            guard let claim = claims.popLast() else { return }
            let state = TransferState.allCases.filter { $0 != .sending }.randomElement(using: &random) ?? .delivered
            let verdict = Verdict(state, reason: .ended(.rejected), due: state.isLive ? 0 : nil)
            try store.settle(
                Settlement(
                    claim: claim, verdict: verdict, endedWall: 0, status: 200, error: nil, bytesSent: 0,
                    retryAfter: nil, receipt: nil, answer: nil, acceptedMark: 0))
        case 6:
            let states: [TransferState] = [.delivered, .rejected, .exhausted, .evicted, .removed]
            guard let record = try store.queries.page(of: .state(.queued), after: nil, limit: 1).first,
                let state = states.randomElement(using: &random)
            else { return }
            try store.end(record.identifier, as: state, reason: .rejected)
        default:
            guard let record = try store.queries.page(of: .state(.removed), after: nil, limit: 1).first else {
                return
            }
            try store.revive(transfer(record.identifier, byteCount: record.byteCount + 7))
        }
    }

    private static func expectSums(of store: TransferStore) throws {
        var counted: [TransferState: Tally.Sum] = [:]
        for state in TransferState.allCases {
            let rows = try store.queries.page(of: .state(state), after: nil, limit: 10_000)
            let sum = Tally.Sum(count: rows.count, byteCount: rows.reduce(0) { $0 + $1.byteCount })
            #expect(try store.queries.tally()[state] == sum, "\(state)")
            counted[state] = sum
        }
        #expect(
            try store.queries.tally().stored.count
                == counted.filter { $0.key.isLive || $0.key.isParked }.values.reduce(0) { $0 + $1.count })
    }
}
