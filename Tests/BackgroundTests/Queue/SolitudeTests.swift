import Background
import TestSupport
import Testing

/// The process belongs to a suspect alone for a while, and the others go on afterwards.
@Suite(.timeLimit(.minutes(3)))
struct SolitudeTests {
    @Test("Nothing is claimed while a drop has the process to itself, and all goes on at its end")
    func alone() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(200) }
            let queue = try harness.open()
            #expect(await queue.beginAlone(patience: 1_000))
            try await queue.add(["a"])
            let drive = Task { try await queue.drive(.whileDue, isExplicit: true) }
            await harness.clock.waitForSleeper()
            #expect(harness.transport.sent.isEmpty)
            queue.endAlone()
            try await drive.value
            #expect(harness.transport.sent.map(\.name) == ["a"])
        }
    }

    @Test("A drop does not have the process to itself while a transfer is under way, and claims go on without it")
    func impatience() async throws {
        try await withTemporaryDirectory { directory in
            let gate = Gate()
            let harness = try QueueHarness(directory: directory) { sent in
                if sent.index == 0 { await gate.wait() }
                return .status(200)
            }
            let queue = try harness.open()
            try await queue.add(["a"])
            let drive = Task { try await queue.drive(.waiting(until: nil), isExplicit: true) }
            await harness.transport.waitForSent(count: 1)
            let alone = Task { await queue.beginAlone(patience: 1_000) }
            await harness.clock.waitForSleeper(until: harness.clock.bootMilliseconds + 1_000)
            harness.clock.advance(by: 1_000)
            #expect(await !alone.value)
            try await queue.add(["b"])
            await harness.transport.waitForSent(count: 2)
            let second = Task { await queue.beginAlone(patience: 1_000) }
            await harness.clock.waitForSleeper(until: harness.clock.bootMilliseconds + 1_000)
            gate.open()
            #expect(await second.value)
            queue.endAlone()
            drive.cancel()
            try? await drive.value
        }
    }
}
