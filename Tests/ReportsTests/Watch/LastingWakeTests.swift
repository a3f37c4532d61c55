import Background
import DurableIO
import Foundation
import TestSupport
import Testing

@testable import Reports

/// When the loop of a run that lasts looks, while time passes only by the test's clock.
@Suite("When a run that lasts looks again", .timeLimit(.minutes(2)))
struct LastingWakeTests {
    /// Runs the loop alone, without a drive, beside `body`.
    private func withLoop(
        _ handover: Handover, before: @escaping @Sendable (FaultingFileSystem.Call) -> Void,
        _ body: (SpoolHarness) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let files = FaultingFileSystem { call throws(FileSystemError) in before(call) }
            let harness = try SpoolHarness(directory + "/spool", files: files)
            let owner = try #require(try await harness.own())
            let loop = IntakeLoop(Intake(owner), handover, endsAt: nil, watching: WatchOptions())
            let run = Task { try await loop.run() }
            defer { run.cancel() }
            try await body(harness)
            run.cancel()
            _ = try await run.value
            await owner.abandon()
        }
    }

    @Test("what comes while it sweeps the runs, after it has asked for news of them, is looked at again")
    func duringASweep() async throws {
        let (handover, sweeps) = (Handover(), Monitor(0))
        try await withLoop(handover) { call in
            // The sweep asks whether there is a directory of runs.
            guard call.operation == .inspect, call.name == "runs" else { return }
            let number = sweeps.withLock { sweeps in
                sweeps += 1
                return sweeps
            }
            if number == 1 { handover.mayHaveCome(inRuns: true) }
        } _: { harness in
            let wake = try #require(await harness.clock.waitForSleeper())
            try #require(wake - harness.clock.bootMilliseconds == LastingRunHarness.gatheringTime)
            harness.clock.advance(by: LastingRunHarness.gatheringTime)
            await harness.clock.waitForSleeper(until: harness.clock.bootMilliseconds + LastingRunHarness.longestWait)
            #expect(sweeps.value == 2)
        }
    }

    @Test(
        "however long it has rested, looks that take long are followed by a rest after a few; those at runs, too",
        arguments: [false, true])
    func restAfterADay(atRuns: Bool) async throws {
        let (handover, cost, holder) = (Handover(), Monitor<Int64>(0), Monitor<ManualClock?>(nil))
        let looks = Monitor(0)
        try await withLoop(handover) { call in
            let isLook =
                atRuns
                ? call.operation == .inspect && call.name == "runs"
                : call.operation == .list && call.room == "incoming"
            guard isLook else { return }
            holder.value?.work(for: cost.value)
            looks.withLock { $0 += 1 }
        } _: { harness in
            let clock = harness.clock
            holder.withLock { $0 = clock }
            for _ in 0..<96 {
                await clock.waitForSleeper(until: clock.bootMilliseconds + LastingRunHarness.longestWait)
                clock.advance(by: LastingRunHarness.longestWait)
            }
            for count in 1...4 {
                await clock.waitForSleeper(until: clock.bootMilliseconds + LastingRunHarness.longestWait)
                cost.withLock { $0 = 3_000 }
                handover.mayHaveCome(inRuns: atRuns)
                await clock.waitForSleeper(until: clock.bootMilliseconds + LastingRunHarness.gatheringTime)
                let before = looks.value
                clock.advance(by: LastingRunHarness.gatheringTime)
                guard count == 4 else {
                    await looks.wait { $0 > before }
                    continue
                }
                // 90 s are a tenth of the time for three looks. A minute was kept, and 6.6 s have passed since the first.
                let wake = try #require(await clock.waitForSleeper())
                #expect(wake - clock.bootMilliseconds == 23_400)
            }
        }
    }

    @Test("a drop that is never complete is looked at twice a second for 2.5 s, and then ever more seldom")
    func youngForEver() async throws {
        try await withLastingRun { lasting in
            let harness = lasting.harness
            // While a program writes the annotations, the payload counts as such a drop.
            let path = harness.path + "/incoming/slow.annotations"
            try Data().write(to: URL(fileURLWithPath: path))
            let writer = try #require(FileHandle(forWritingAtPath: path))
            try harness.drop("slow", "slow")
            try await lasting.running {
                let naps: [Int64] = Array(repeating: 500, count: 5) + [1_000, 2_000, 4_000, 8_000, 16_000, 32_000]
                for nap in naps + [60_000, 60_000] {
                    await lasting.clock.waitForSleeper(until: lasting.clock.bootMilliseconds + nap)
                    #expect(await lasting.clock.waitForSleeper(within: nap) == lasting.clock.bootMilliseconds + nap)
                    lasting.clock.advance(by: nap)
                }
                #expect(harness.sent == [])
                try writer.close()
                await lasting.waitForSent(count: 1)
            }
        }
    }
}
