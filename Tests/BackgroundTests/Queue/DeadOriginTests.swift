import Background
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct DeadOriginTests {
    @Test("A dead server costs a handful of requests, however many transfers wait, and charges none")
    func deadOrigin() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .refused }
            let queue = try harness.open()
            try await queue.add(names(1_000))
            try await queue.drive(.whileDue, isExplicit: true)
            #expect((1...6).contains(harness.transport.sent.count))
            #expect(try harness.records().allSatisfy { $0.charged == 0 && $0.state.isLive })

            let before = harness.transport.sent.count
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(harness.transport.sent.count - before == 1, "one probe for each explicit drive")
            try await queue.drive(.whileDue, isExplicit: false)
            #expect(harness.transport.sent.count - before == 1, "none without being asked")

            harness.transport.answer { _ in .status(201) }
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(try harness.count(.delivered) == 1_000)
        }
    }

    @Test("The probe is another transfer than the one that failed")
    func probesAnother() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { $0.name == "t0" ? .lost : .status(200) }
            let queue = try harness.open { $0.policy.maximumWindow = 1 }
            try await queue.add(names(50))
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(harness.transport.sent.prefix(2).map(\.name) == ["t0", "t1"])
            #expect(try harness.count(.delivered) >= 49)
        }
    }

    @Test("A transfer that always breaks the connection stops no other, and is exhausted after 12 charges")
    func alwaysBreaking() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { $0.name == "t500" ? .lost : .status(200) }
            let queue = try harness.open()
            try await queue.add(names(1_000))
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(try harness.count(.delivered) == 999)

            for day in 0..<20 {
                // Others are accepted all the time: that is what makes a failure the transfer's own.
                try await queue.add((0..<20).map { "day\(day)-\($0)" })
                try await queue.work(until: harness.clock.wallMilliseconds + 7_200_000, harness.clock)
                harness.clock.advance(by: 7_200_000)
            }
            let broken = try #require(try harness.record("t500"))
            #expect(broken.state == .exhausted)
            #expect(broken.charged == 12)
            #expect(try harness.count(.delivered) == 999 + 400)
        }
    }

    @Test("Thirty days without acceptance end a transfer")
    func thirtyDays() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .refused }
            let queue = try harness.open()
            try await queue.add(["a"])
            let start = harness.clock.wallMilliseconds
            try await queue.work(until: start + 29 * 86_400_000, harness.clock)
            #expect(try harness.record("a")?.state == .waiting)
            try await queue.work(until: start + 31 * 86_400_000, harness.clock)
            let record = try #require(try harness.record("a"))
            #expect(record.state == .exhausted)
            #expect(record.charged == 0)
        }
    }

    @Test("An answer before the whole body was sent is not a delivery")
    func earlySuccess() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { sent in
                .status(200, isWholeBodySent: sent.index > 0)
            }
            let queue = try harness.open()
            try await queue.add(["a"])
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(try harness.record("a")?.state == .waiting)
            try await queue.work(until: .max, harness.clock)
            #expect(try harness.record("a")?.state == .delivered)
            #expect(harness.transport.sent.count == 2)
        }
    }
}
