import Background
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct ClockTests {
    private static let hour: Int64 = 3_600_000
    private static let day: Int64 = 86_400_000

    private static let busy: ScriptedTransport.Script = { _ in .status(503, headers: [("Retry-After", "3600")]) }

    @Test(
        "Setting the wall clock within a boot neither shortens nor lengthens a wait",
        arguments: [-day, day, 3_650 * day, -1_790_000_000_000])
    func sameBoot(step: Int64) async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory, script: Self.busy)
            let queue = try harness.open()
            try await queue.add(["a"])
            try await queue.drive(.whileDue, isExplicit: true)
            harness.transport.answer { _ in .status(200) }

            harness.clock.setWall(harness.clock.wallMilliseconds + step)
            try await queue.drive(.whileDue, isExplicit: true)
            harness.clock.advance(by: Self.hour - 1)
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(harness.transport.sent.count == 1)
            harness.clock.advance(by: Self.hour / 2 + 1)
            try await queue.drive(.whileDue, isExplicit: false)
            #expect(harness.transport.sent.count == 2)
        }
    }

    @Test(
        "Across boots no clock makes a wait longer than once more its delay, or ends a transfer's life",
        arguments: [-day, 0, 3_650 * day, -1_790_000_000_000])
    func otherBoot(step: Int64) async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory, script: Self.busy)
            let first = try harness.open()
            try await first.add(["a"])
            try await first.drive(.whileDue, isExplicit: true)
            try await first.close()

            harness.clock.reboot(as: "boot-2", wall: harness.clock.wallMilliseconds + step)
            let second = try harness.open()
            harness.transport.answer { _ in .status(500) }
            try await second.drive(.whileDue, isExplicit: false)
            if step <= 0 { #expect(harness.transport.sent.count == 1, "nothing is early") }
            #expect(try harness.record("a")?.state != .exhausted, "ten years at once expire nothing")

            harness.transport.answer { _ in .status(200) }
            harness.clock.advance(by: 2 * Self.hour)
            try await second.drive(.whileDue, isExplicit: false)
            #expect(try harness.record("a")?.state == .delivered)
        }
    }

    @Test("In a new boot, too, a wall clock that is set has no effect")
    func setAfterBoot() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory, script: Self.busy)
            let first = try harness.open()
            try await first.add(["a"])
            try await first.drive(.whileDue, isExplicit: true)
            try await first.close()
            harness.clock.reboot(as: "boot-2", wall: 0)
            let second = try harness.open()
            harness.clock.setWall(1_800_000_000_000)
            try await second.drive(.whileDue, isExplicit: true)
            #expect(harness.transport.sent.count == 1)
        }
    }
}
