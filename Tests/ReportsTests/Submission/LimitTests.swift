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
                #expect(record.reason == "limit: at most \(6 - count) reports")
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
            #expect(try tight.record(ids[4])?.reason == "limit: at most \(limit) bytes in all")
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
            #expect(try harness.record(old)?.reason == "limit: kept at most 90 days")
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
            submission.wait = 5_000
            async let summary = submission.run()
            await tight.transport.waitForSent(count: 1)
            let others = try (1...3).map { try tight.add("crash \($0)") }
            // The owner looks for new reports every second while it waits.
            await tight.clock.waitForSleeper(until: tight.clock.bootMilliseconds + 1_000)
            tight.clock.advance(by: 1_000)
            await tight.clock.waitForSleeper(until: tight.clock.bootMilliseconds + 1_000)
            #expect(try tight.state(sending) == .sending)
            #expect(try others.filter { try tight.state($0) == .evicted }.count >= 2)
            answer.open()
            await tight.clock.waitForSleeper()
            tight.clock.advance(by: 10_000)
            #expect(try await summary.delivered >= 1)
            #expect(try tight.state(sending) == .delivered)
        }
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
