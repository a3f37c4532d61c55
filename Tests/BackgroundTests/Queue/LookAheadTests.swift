import Background
import TestSupport
import Testing

/// While things go well transfers are claimed a little ahead and settled a little behind, many in one commit; at the first
/// trouble that ends.
@Suite(.timeLimit(.minutes(10)))
struct LookAheadTests {
    /// A server that accepts 500 and then leaves every request without an answer until the gate is open.
    private static func stopping(_ directory: String) throws -> (QueueHarness, Gate) {
        let gate = Gate()
        let harness = try QueueHarness(directory: directory) { sent in
            if sent.index >= 500 { await gate.wait() }
            return .status(200)
        }
        return (harness, gate)
    }

    /// What has been sent when such a server has as many requests as it gets.
    private static func namesSent(by harness: QueueHarness) async -> Set<String> {
        Set(await harness.transport.waitForSent(count: 500 + RetryPolicy().maximumWindow).map(\.name))
    }

    @Test("Many transfers that are delivered quickly share a commit, and no more than the window are under way")
    func sharedCommits() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(200) }
            let queue = try harness.open {
                // However busy this machine is: attempts take no time, and a commit waits until there is need of one.
                let time = ContinuousClock.now
                $0.attemptClock = { time }
                $0.gatheringTime = .seconds(60)
            }
            try await queue.add(names(2_000))
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(try harness.count(.delivered) == 2_000)
            #expect(harness.transport.sent.count == 2_000)
            #expect(harness.transport.mostInFlight <= RetryPolicy().maximumWindow)
            // The window alone allows 16 in a commit.
            #expect(harness.client.commits.count < 2_000 / 64, "\(harness.client.commits.map(\.count))")
            try await queue.close()
        }
    }

    @Test("After trouble nothing starts that was claimed before it, and what was not sent is not counted as tried")
    func trouble() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { sent in
                sent.index < 500 ? .status(200) : .status(503, headers: [("Retry-After", "600")])
            }
            let queue = try harness.open()
            try await queue.add(names(2_000))
            try await queue.drive(.whileDue, isExplicit: true)
            let sent = harness.transport.sent
            // Those beside the first that was refused were under way already.
            #expect(sent.count <= 500 + RetryPolicy().maximumWindow)
            let records = try harness.records()
            #expect(records.reduce(0) { $0 + $1.attempts } == sent.count)
            let untouched = records.filter { $0.attempts == 0 }
            #expect(untouched.count == 2_000 - sent.count)
            #expect(untouched.allSatisfy { $0.state == .queued && $0.due != nil && $0.acceptedMark == nil })
            #expect(try harness.count(.sending) == 0)
            try await queue.close()

            harness.transport.answer { _ in .status(200) }
            let next = try harness.open()
            harness.clock.advance(by: 24 * 3_600_000)
            try await next.drive(.whileDue, isExplicit: true)
            #expect(try harness.count(.delivered) == 2_000)
            try await next.close()
        }
    }

    @Test("A server that dies under the load costs a handful of requests, and charges no transfer more than once")
    func deadServer() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { $0.index < 500 ? .status(200) : .refused }
            let queue = try harness.open()
            try await queue.add(names(2_000))
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(harness.transport.sent.count <= 500 + 2 * RetryPolicy().maximumWindow)
            let records = try harness.records()
            #expect(records.allSatisfy { $0.charged <= 1 })
            #expect(records.count { $0.charged == 1 } <= RetryPolicy().maximumWindow)
            try await queue.close()
        }
    }

    @Test("A cancelled drive gives back what was claimed ahead as if nothing had been")
    func cancelled() async throws {
        try await withTemporaryDirectory { directory in
            let (harness, _) = try Self.stopping(directory)
            let queue = try harness.open()
            try await queue.add(names(2_000))
            let drive = Task { try await queue.drive(.whileDue, isExplicit: true) }
            _ = await Self.namesSent(by: harness)
            drive.cancel()
            try await drive.value
            let sent = Set(harness.transport.sent.map(\.name))
            let records = try harness.records()
            #expect(records.allSatisfy { $0.attempts == (sent.contains($0.identifier) ? 1 : 0) })
            #expect(try harness.count(.sending) == 0)
            try await queue.close()
        }
    }

    @Test("A transfer that is cancelled while it waits for its turn is not sent")
    func cancelledTransfer() async throws {
        try await withTemporaryDirectory { directory in
            let (harness, gate) = try Self.stopping(directory)
            let queue = try harness.open()
            try await queue.add(names(700))
            let drive = Task { try await queue.drive(.whileDue, isExplicit: true) }
            let sent = await Self.namesSent(by: harness)
            let last = try #require(names(700).last { !sent.contains($0) })
            for name in names(700) where !sent.contains(name) { _ = try await queue.cancel(name) }
            gate.open()
            try await drive.value
            #expect(try harness.record(last)?.state == .removed)
            #expect(try harness.count(.delivered) == harness.transport.sent.count { sent.contains($0.name) })
            #expect(try harness.count(.delivered) + harness.count(.removed) == 700)
            try await queue.close()
        }
    }

    @Test("A transfer that was cancelled while it waited for its turn is sent when it comes anew")
    func cancelledAndBack() async throws {
        try await withTemporaryDirectory { directory in
            let (harness, gate) = try Self.stopping(directory)
            let queue = try harness.open()
            try await queue.add(names(700))
            let drive = Task { try await queue.drive(.whileDue, isExplicit: true) }
            let sent = await Self.namesSent(by: harness)
            let records = try harness.records()
            // How many are claimed ahead is the machine's affair; on a slow one it may be none, and then any other will do.
            let waiting = records.filter { $0.state == .sending && !sent.contains($0.identifier) }
            let name = (waiting.first ?? records.first { $0.state == .queued })?.identifier ?? ""
            let cancellation = try await queue.cancel(name)
            #expect(cancellation == .ending || waiting.isEmpty)
            drive.cancel()
            try await drive.value
            #expect(try harness.record(name)?.state == .removed)
            gate.open()
            try await queue.change { store in
                try store.revive(
                    NewTransfer(identifier: name, label: "crash", metadata: "{}", byteCount: 5, seenWall: 0))
            }
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(try harness.record(name)?.state == .delivered)
            #expect(try harness.count(.delivered) == 700)
            try await queue.close()
        }
    }
}
