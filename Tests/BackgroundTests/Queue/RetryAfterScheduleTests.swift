import Background
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct RetryAfterScheduleTests {
    private static let retryAfter = "120"

    private static let busy: ScriptedTransport.Script = { _ in
        .status(503, headers: [("Retry-After", retryAfter)])
    }

    @Test("A server's time is kept, also by the next life, and only the passing of time opens it")
    func neverEarly() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory, script: Self.busy)
            let first = try harness.open()
            try await first.add(["a", "b", "c"])
            try await first.drive(.whileDue, isExplicit: true)
            let sent = harness.transport.sent.count
            #expect((1...3).contains(sent))
            try await first.close()

            let second = try harness.open()
            let asked = try #require(harness.transport.sent.first).boot
            for _ in 0..<5 {
                try await second.drive(.whileDue, isExplicit: true)
                harness.clock.advance(by: 23_900)
            }
            #expect(harness.clock.bootMilliseconds - asked == 119_500)
            #expect(harness.transport.sent.count == sent)

            harness.transport.answer { _ in .status(204) }
            try await second.work(until: .max, harness.clock)
            let next = harness.transport.sent[sent]
            #expect(next.boot - asked >= 120_000)
            // The spread is half of it at most.
            #expect(next.boot - asked <= 180_000)
            #expect(try harness.count(.delivered) == 3)
            #expect(try harness.records().allSatisfy { $0.charged == 0 })
        }
    }

    @Test("A delivery whose answer asks to wait stays one, and nothing more goes there before then")
    func neverEarlyAfterADelivery() async throws {
        try await withTemporaryDirectory { directory in
            // The first few open the window, so that others are claimed ahead when the wish comes.
            let harness = try QueueHarness(directory: directory) { sent in
                sent.index < 40 ? .status(200) : .status(202, headers: [("Retry-After", Self.retryAfter)])
            }
            let queue = try harness.open()
            try await queue.add(names(100))
            try await queue.drive(.whileDue, isExplicit: true)
            let first = harness.transport.sent
            // Those that were under way beside it, and no other.
            #expect((41..<41 + 16).contains(first.count), "\(first.count)")
            #expect(try harness.count(.delivered) == first.count)
            #expect(try harness.records().allSatisfy { $0.charged == 0 && $0.attempts <= 1 })
            let asked = try #require(first.dropFirst(40).first).boot
            harness.clock.advance(by: 119_999)
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(harness.transport.sent.count == first.count)

            harness.transport.answer { _ in .status(200) }
            try await queue.work(until: .max, harness.clock)
            #expect(harness.transport.sent[first.count].boot - asked >= 120_000)
            #expect(try harness.count(.delivered) == 100)
        }
    }

    @Test("The time is kept across an unclean end too")
    func neverEarlyAfterACrash() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory, script: Self.busy)
            do {
                let first = try harness.open()
                try await first.add(["a"])
                try await first.drive(.whileDue, isExplicit: true)
            }
            let second = try harness.open()
            harness.clock.advance(by: 119_999)
            try await second.drive(.whileDue, isExplicit: true)
            #expect(harness.transport.sent.count == 1)
        }
    }

    @Test("Six hours of 503 exhaust nothing, charge nothing and cost few requests")
    func throttledForSixHours() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(503) }
            let queue = try harness.open()
            try await queue.add(names(100))
            let end = harness.clock.wallMilliseconds + 6 * 3_600_000
            try await queue.work(until: end, harness.clock)

            // Waits double from 5 s to 1 h, each at least half its bound: 10 probes in the first 43 minutes at most,
            // one every half hour at most for the rest, and the three that were under way beside the first.
            #expect(harness.transport.sent.count <= 10 + 11 + 3)
            #expect(harness.transport.sent.count >= 8)
            #expect(try harness.count(.exhausted) == 0)
            #expect(try harness.records().allSatisfy { $0.charged == 0 && $0.state.isLive })

            harness.transport.answer { _ in .status(200) }
            try await queue.work(until: .max, harness.clock)
            #expect(try harness.count(.delivered) == 100)
        }
    }

    @Test("A server that dies after it asked for a wait is not hammered when the wait is over")
    func deadAfterAsking() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory, script: Self.busy)
            let queue = try harness.open()
            try await queue.add(["a"])
            try await queue.drive(.whileDue, isExplicit: true)
            harness.transport.answer { _ in .refused }
            let start = harness.clock.wallMilliseconds
            try await queue.work(until: start + 3_600_000, harness.clock)
            #expect((5...14).contains(harness.transport.sent.count))
        }
    }
}
