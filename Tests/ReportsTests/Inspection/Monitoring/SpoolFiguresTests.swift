import Background
import DurableIO
import Foundation
import TestSupport
import Testing

@testable import Reports

/// What is gathered from a real spool, in the situations that alerts are about.
@Suite("A spool's figures", .timeLimit(.minutes(2)))
struct SpoolFiguresTests {
    private static let day: Int64 = 86_400_000

    private func figures(_ harness: SpoolHarness, within time: Int64 = day) throws -> SpoolFigures {
        try SpoolInspector(spool: harness.spool, isHasty: true).figures(evictedWithin: time)
    }

    private func count(_ figures: SpoolFigures, _ state: TransferState) -> Int {
        figures.sum { $0 == state }.count
    }

    @Test("a report counts once on its whole way: as drop, as entry, as row, and not at all once it is delivered")
    func wholeWay() async throws {
        try await withSpool { harness in
            try harness.drop("core.1", "dropped")
            var found = try figures(harness)
            #expect((found.undeliveredCount, found.drops.count, found.oldest?.place) == (1, 1, .drop))
            try harness.add("added")
            found = try figures(harness)
            #expect((found.undeliveredCount, count(found, .queued)) == (2, 1))
            #expect(found.ledgerProblem == nil)
            try await harness.takeIn()
            found = try figures(harness)
            #expect((found.undeliveredCount, count(found, .queued), found.drops.count) == (2, 2, 0))
            #expect(found.oldest?.place == .row)
            harness.clock.advance(by: 5_000)
            try await harness.submit()
            found = try figures(harness)
            #expect((found.undeliveredCount, count(found, .delivered)) == (0, 2))
            #expect(found.oldest == nil)
            #expect(found.lastDelivery == harness.clock.wallMilliseconds)
            let delivered = found.events.filter { $0.event == .delivered }
            #expect(delivered.map(\.sum.count) == [2])
        }
    }

    @Test("the oldest undelivered report is as old as its row says")
    func oldest() async throws {
        try await withSpool { harness in
            let since = harness.clock.wallMilliseconds
            try harness.add("first")
            try await harness.takeIn()
            harness.clock.advance(by: 3_600_000)
            try harness.add("second")
            try await harness.takeIn()
            let found = try figures(harness)
            #expect(found.oldest == .init(since: since, place: .row))
            #expect(found.undeliveredAge == 3_600_000)
        }
    }

    @Test("an expired token: held by reason, behind the gate of the server, until it is delivered")
    func held() async throws {
        try await withSpool { harness in
            harness.transport.answer { _ in .status(401) }
            try harness.add("one")
            try harness.add("two")
            try await harness.submit()
            var found = try figures(harness)
            #expect(found.held.map(\.reason) == [.auth])
            let gate = try #require(found.gates.first)
            #expect((gate.closure, gate.waitingCount, gate.lastStatus) == ("auth", 2, 401))
            #expect(gate.origin == "http://collector.example:80")
            harness.transport.answer { _ in .status(200) }
            try await harness.submit()
            found = try figures(harness)
            #expect(found.held == [])
            #expect(found.gates.map(\.closure) == [nil])
            #expect(found.gates.map(\.waitingCount) == [0])
        }
    }

    @Test("evictions count within the time that is asked about, and stay counted")
    func evictions() async throws {
        try await withSpool { harness in
            try await harness.make(.evicted, reason: .countLimit)
            var found = try figures(harness)
            #expect(found.recentEvictionCount == 1)
            #expect(found.lastEviction == harness.clock.wallMilliseconds)
            harness.clock.advance(by: Self.day + 1)
            found = try figures(harness)
            #expect(found.recentEvictionCount == 0)
            #expect(try figures(harness, within: 2 * Self.day).recentEvictionCount == 1)
            let events = found.events.filter { $0.event == .evicted && $0.destination.isEmpty }
            let evicted = events.map { "\($0.limit ?? "") \($0.sum.count)" }
            #expect(evicted.sorted() == ["max_age_days 0", "max_count 1", "max_per_signature 0", "max_total_size 0"])
        }
    }

    @Test("among very many evicted reports those of the last day are counted, and the last of any state is found")
    func manyEvictions() async throws {
        try await withSpool { harness in
            try await harness.make(.delivered, text: "before")
            try await harness.make(.evicted, reason: .countLimit)
            harness.clock.advance(by: 10 * Self.day)
            try await harness.make(.evicted, text: "now", reason: .byteLimit)
            let columns =
                "lane, label, rank, metadata, byte_count, first_seen_wall, last_seen_wall, reason, enrolled_at"
            try tamper(
                with: harness.path + "/ledger.sqlite",
                """
                WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM number WHERE n < 10500)
                INSERT INTO transfer(identifier, \(columns), state, settled_at)
                SELECT printf('%064d', n), \(columns), 'evicted', settled_at FROM number,
                  (SELECT * FROM transfer WHERE state='evicted' ORDER BY settled_at LIMIT 1);
                """)
            let found = try figures(harness)
            #expect(count(found, .evicted) == 10_502)
            #expect(found.recentEvictionCount == 1)
            #expect(found.lastEviction == harness.clock.wallMilliseconds)
            #expect(try #require(found.lastDelivery) == harness.clock.wallMilliseconds - 10 * Self.day)
            harness.clock.advance(by: 2 * Self.day)
            #expect(try figures(harness).recentEvictionCount == 0)
        }
    }

    @Test("a drop that cannot be taken is named with its reason; one that is marked as unfinished is not expected")
    func leftDrops() async throws {
        try await withSpool { harness in
            try FileManager.default.createDirectory(
                atPath: harness.path + "/incoming/folder.log", withIntermediateDirectories: false)
            try harness.drop("half.tmp", "half")
            try harness.drop(".hidden", "hidden")
            let found = try figures(harness)
            #expect(found.leftDrops.map(\.path) == ["incoming/folder.log"])
            #expect(found.leftDrops.first?.reason.hasPrefix("is a directory, not a file; ") == true)
            #expect((found.drops.count, found.undeliveredCount) == (3, 0))
            #expect(found.oldest == nil)
        }
    }

    @Test("a ledger that is gone or damaged is told of, and the files still count")
    func damagedLedger() async throws {
        try await withSpool { harness in
            try harness.add("one")
            try await harness.takeIn()
            try harness.add("two")
            try damageTable("tally", in: harness.path + "/ledger.sqlite")
            var found = try figures(harness)
            #expect(found.ledgerProblem?.contains("damaged") == true)
            #expect((found.undeliveredCount, found.oldest?.place) == (2, .row))
            try harness.loseLedger()
            found = try figures(harness)
            #expect(found.ledgerProblem?.contains("there is no ledger") == true)
            #expect(found.undeliveredCount == 2)
        }
    }

    @Test("a ledger that another program keeps locked is an error after half a second")
    func lockedLedger() async throws {
        try await withSpool { harness in
            try harness.add("one")
            try await harness.takeIn()
            try await whileLedgerIsLocked(harness.path + "/ledger.sqlite", "EXCLUSIVE") {
                let start = ContinuousClock.now
                #expect(throws: ReportsError.self) { try figures(harness) }
                #expect(ContinuousClock.now - start < .seconds(3))
            }
        }
    }
}
