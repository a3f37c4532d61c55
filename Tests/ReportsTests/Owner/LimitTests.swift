import Background
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

@Suite("Limits")
struct LimitTests {
    /// Opens the same spool with other limits.
    private func reopen(_ harness: SpoolHarness, _ change: (inout SpoolLimits) -> Void) throws -> SpoolHarness {
        var limits = SpoolLimits()
        change(&limits)
        return try SpoolHarness(harness.path, clock: harness.clock, limits: limits)
    }

    private static func atMost(_ count: Int) -> SpoolLimits {
        var limits = SpoolLimits()
        limits.maximumCount = count
        return limits
    }

    /// One of each rank, the crash first in time.
    private func fill(_ harness: SpoolHarness) async throws -> [ContentHash] {
        var ids: [ContentHash] = []
        for (text, kind) in [("crash 1", ReportKind.crash), ("crash 2", .crash), ("log 1", .log), ("log 2", .log)] {
            ids.append(try harness.add(text, kind: kind))
            harness.clock.advance(by: 1_000)
        }
        try await harness.takeIn()
        ids.append(try await harness.make(.exhausted, text: "parked"))
        harness.clock.advance(by: 1_000)
        return ids
    }

    @Test("parked go first, then the oldest that are no crashes, then the oldest crashes", arguments: 1...5)
    func order(count: Int) async throws {
        try await withSpool { harness in
            let ids = try await fill(harness)
            let victims = [ids[4], ids[2], ids[3], ids[0], ids[1]]
            // One more comes in; so many of the five may stay with it.
            let tight = try reopen(harness) { $0.maximumCount = 6 - count }
            let newcomer = try tight.add("newcomer")
            try await tight.takeIn()
            for (rank, id) in victims.enumerated() {
                let record = try #require(try tight.record(id))
                #expect((record.state == .evicted) == (rank < count))
                guard rank < count else { continue }
                #expect(record.reason == .ended(.countLimit))
                #expect(try tight.rooms(of: id) == [])
            }
            #expect(try tight.state(newcomer) == .queued)
            #expect(try tight.findings() == [])
        }
    }

    @Test("the bytes of all reports keep their limit, each victim named with it")
    func bytes() async throws {
        try await withSpool { harness in
            let ids = try await fill(harness)
            let sizes = try ids.map { try #require(try harness.record($0)).byteCount }
            let limit = UInt64(sizes.reduce(0, +))
            let tight = try reopen(harness) { $0.maximumTotalByteCount = limit }
            try tight.add("newcomer")
            try await tight.takeIn()
            #expect(try tight.record(ids[4])?.note == "at most \(limit) bytes are stored in all")
            let stored = try SpoolInspector(spool: tight.spool).status().states
                .filter { $0.name != "evicted" && $0.name != "delivered" }.reduce(0) { $0 + $1.count.byteCount }
            #expect(stored <= limit)
        }
    }

    @Test("what is too old goes when something comes in, by the time that has passed and no clock's jump")
    func age() async throws {
        try await withSpool { harness in
            let old = try await harness.make(.queued, text: "old")
            harness.clock.setWall(harness.clock.wallMilliseconds + 1_000 * 86_400_000)
            try harness.add("after a jump")
            try await harness.takeIn()
            #expect(try harness.state(old) == .queued)

            harness.clock.advance(by: 91 * 86_400_000)
            let young = try harness.add("young")
            try await harness.takeIn()
            #expect(try harness.state(old) == .evicted)
            #expect(try harness.record(old)?.reason == .ended(.ageLimit))
            #expect(try harness.state(young) == .queued)
        }
    }

    @Test("never what is being sent")
    func inFlight() async throws {
        try await withSpool { harness in
            let tight = try reopen(harness) { $0.maximumCount = 1 }
            let sending = try tight.add("sending", kind: .log)
            let answer = Gate()
            tight.transport.answer { sent in
                if sent.index == 0 { await answer.wait() }
                return .status(200)
            }
            var submission = tight.submission
            submission.wait = 700_000
            submission.configuration.maximumConcurrent = 1
            async let summary = submission.run()
            await tight.transport.waitForSent(count: 1)
            let others = try (1...3).map { try tight.add("crash \($0)") }
            func evicted() throws -> Int { try others.filter { try tight.state($0) == .evicted }.count }
            // The owner looks for new reports each second while it waits, and at its limits every ten minutes.
            await tight.clock.waitForSleeper(until: tight.clock.bootMilliseconds + 1_000)
            tight.clock.advance(by: 1_000)
            await tight.clock.waitForSleeper(until: tight.clock.bootMilliseconds + 1_000)
            #expect(try evicted() == 0)
            tight.clock.advance(by: 599_000)
            await tight.clock.waitForSleeper(until: tight.clock.bootMilliseconds + 1_000)
            #expect(try tight.state(sending) == .sending)
            #expect(try evicted() == 3)
            answer.open()
            await tight.clock.waitForSleeper()
            tight.clock.advance(by: 1_000_000)
            #expect(try await summary.delivered == 1)
            #expect(try tight.state(sending) == .delivered)
        }
    }

    @Test("what a healthy server takes is sent, not evicted, however far beyond the limits it is")
    func sentBeforeEvicted() async throws {
        try await withSpool(limits: Self.atMost(2)) { harness in
            for number in 1...6 { try harness.add("crash \(number)", kind: .crash) }
            let summary = try await harness.submit()
            #expect(summary.delivered == 6)
            #expect(summary.evicted == 0)
        }
    }

    @Test("after a run that its deadline ends, what is stored is within the limits, and the run says what it cost")
    func keptAtDeadline() async throws {
        try await withSpool(limits: Self.atMost(3)) { harness in
            for round in 1...5 {
                for number in 1...4 { try harness.add("round \(round), crash \(number)", kind: .crash) }
                let hang = Gate()
                let sent = harness.transport.sent.count
                harness.transport.answer { _ in
                    await hang.wait()
                    return .status(503)
                }
                var submission = harness.submission
                submission.deadline = 5_000
                async let run = submission.run()
                await harness.transport.waitForSent(count: sent + 1)
                await harness.clock.waitForSleeper(until: harness.clock.bootMilliseconds + 5_000)
                harness.clock.advance(by: 5_000)
                let summary = try await run
                hang.open()
                #expect(summary.evicted == (round == 1 ? 1 : 4))
                #expect(summary.waiting == 3)
                #expect(try harness.entries("queued").count == 3)
                harness.clock.advance(by: 3_600_000)
            }
        }
    }

    @Test("the others do not go for one that cannot fit even alone")
    func unfit() async throws {
        try await withSpool { harness in
            let crashes = try (1...3).map { try harness.add("crash \($0)", kind: .crash) }
            var random = SeededGenerator(seed: 1)
            let noise = (0..<20_000).map { _ in Character(UnicodeScalar(UInt8.random(in: 64...127, using: &random))) }
            let large = try harness.add(String(noise), kind: .crash)
            let tight = try reopen(harness) { $0.maximumTotalByteCount = 10_000 }
            try await tight.takeIn()
            #expect(try tight.state(large) == .evicted)
            #expect(try tight.record(large)?.reason == .ended(.byteLimit))
            for id in crashes { #expect(try tight.state(id) == .queued) }
        }
    }

    @Test("nobody goes to make up for one that is being sent and does not fit even alone")
    func unfitInFlight() async throws {
        try await withSpool { harness in
            var random = SeededGenerator(seed: 1)
            let noise = (0..<20_000).map { _ in Character(UnicodeScalar(UInt8.random(in: 64...127, using: &random))) }
            let large = try harness.add(String(noise), kind: .crash)
            let tight = try reopen(harness) { $0.maximumTotalByteCount = 10_000 }
            let answer = Gate()
            tight.transport.answer { _ in
                await answer.wait()
                return .status(200)
            }
            async let summary = tight.submission.run()
            await tight.transport.waitForSent(count: 1)
            #expect(try tight.state(large) == .sending)
            let crashes = try (1...3).map { try tight.add("crash \($0)", kind: .crash) }
            await tight.clock.waitForSleeper(until: tight.clock.bootMilliseconds + 600_000)
            tight.clock.advance(by: 600_000)
            await tight.clock.waitForSleeper(until: tight.clock.bootMilliseconds + 600_000)
            #expect(try tight.state(large) == .sending)
            answer.open()
            #expect(try await summary.evicted == 0)
            for id in crashes + [large] { #expect(try tight.state(id) == .delivered) }
        }
    }

    @Test("nothing is evicted on the word of a sum that has gone wrong, and the sum is counted anew")
    func wrongSum() async throws {
        try await withSpool { harness in
            for number in 1...3 { try harness.add("crash \(number)", kind: .crash) }
            try await harness.takeIn()
            try tamper(with: harness.path + "/ledger.sqlite", "UPDATE tally SET byte_count=byte_count+1099511627776")
            #expect(try harness.findings() != [])
            harness.transport.answer { _ in .status(503) }
            let summary = try await harness.submit()
            #expect(summary.evicted == 0)
            #expect(summary.waiting == 3)
            #expect(try harness.findings() == [])
        }
    }

    @Test("a kind that nothing tells goes after what is known to be no crash and before crashes")
    func ranks() async throws {
        try await withSpool { harness in
            let unknown = try harness.add("a line of text that may be anything", kind: nil)
            harness.clock.advance(by: 1_000)
            let crash = try harness.add("crash", kind: .crash)
            harness.clock.advance(by: 1_000)
            let log = try harness.add("log", kind: .log)
            try await harness.takeIn()
            for (count, victim) in [(2, log), (1, unknown)] {
                let tight = try reopen(harness) { $0.maximumCount = count }
                try await tight.takeIn()
                #expect(try tight.state(victim) == .evicted)
            }
            #expect(try harness.state(crash) == .queued)
        }
    }

    @Test("status counts what each limit has cost, and the listing names the limit of each victim")
    func told() async throws {
        try await withSpool { harness in
            for number in 1...4 { try harness.add("crash \(number)", kind: .crash) }
            let tight = try reopen(harness) { $0.maximumCount = 1 }
            let summary = try await tight.takeIn()
            #expect(summary.evicted == 3)
            let status = try SpoolInspector(spool: tight.spool).status()
            #expect(status.evictions.map(\.limit) == ["limit: max_count"])
            #expect(status.evictions.map(\.count) == [3])
            let views = try list(tight, ["evicted"])
            #expect(views.count == 3 && views.allSatisfy { $0.note == "at most 1 reports are stored" })
        }
    }

    private func list(_ harness: SpoolHarness, _ states: Set<String>) throws -> [ReportView] {
        var views: [ReportView] = []
        try SpoolInspector(spool: harness.spool).forEachReport(.init(states: states)) { views.append($0) }
        return views
    }

    @Test("an evicted report that comes again is a report again")
    func revived() async throws {
        try await withSpool { harness in
            let ids = try await fill(harness)
            let tight = try reopen(harness) { $0.maximumCount = 5 }
            try tight.add("newcomer")
            try await tight.takeIn()
            #expect(try tight.state(ids[4]) == .evicted)
            try harness.add("parked")
            #expect(try await harness.submit().delivered == 6)
        }
    }
}
