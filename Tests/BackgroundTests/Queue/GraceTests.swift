import Background
import TestSupport
import Testing

/// Attempts under way when a drive is told to end.
@Suite(.timeLimit(.minutes(1)))
struct GraceTests {
    @Test("A request under way when a drive is cancelled may end within its grace, and is stopped after it")
    func grace() async throws {
        try await withTemporaryDirectory { directory in
            let gate = Gate()
            let harness = try QueueHarness(directory: directory) { sent in
                if sent.index == 0 { await gate.wait() } else { await Gate().wait() }
                return .status(200)
            }
            let queue = try harness.open {
                $0.grace = 1_000
                $0.policy.maximumWindow = 1
            }
            try await queue.add(names(3))
            for count in [1, 2] {
                let drive = Task { try await queue.drive(.whileDue, isExplicit: true) }
                await harness.transport.waitForSent(count: count)
                drive.cancel()
                await harness.clock.waitForSleeper(until: harness.clock.bootMilliseconds + 1_000)
                if count == 1 { gate.open() } else { harness.clock.advance(by: 1_000) }
                try await drive.value
                // The one that was stopped is due again, and nothing began after the end.
                #expect(harness.transport.sent.count == count)
                #expect(try harness.count(.delivered) == 1)
                #expect(try harness.records().count { $0.state.isLive && $0.state != .sending && $0.due != nil } == 2)
            }
            try await queue.close()
        }
    }
}
