import Background
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// A run that lasts, over a spool whose looks a test counts. Time passes only by the test's clock; what comes into the
/// spool wakes the run by the kernel's notes.
final class LastingRunHarness: Sendable {
    let harness: SpoolHarness
    /// How often `incoming/` was listed: once in each look.
    let looks: Monitor<Int>
    let events = Monitor<[SpoolEvent]>([])
    let pulses = Monitor(0)
    let isReady = Gate()

    /// How long drops are gathered, in milliseconds.
    static let gatheringTime: Int64 = 200
    /// The longest time between two looks, in milliseconds.
    static let longestWait: Int64 = 900_000

    /// - Parameters:
    ///   - path: of the new spool.
    ///   - whileLooking: called while `incoming/` is being listed, with the number of the look.
    ///   - refuse: called before each call of the disk; throws to refuse it.
    /// - Throws: what keeps the spool from being made.
    init(
        _ path: String, whileLooking: @escaping @Sendable (Int) -> Void = { _ in },
        refuse: @escaping @Sendable (FaultingFileSystem.Call) throws(FileSystemError) -> Void = { _ in }
    ) throws {
        let looks = Monitor(0)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            try refuse(call)
            guard call.operation == .list, call.room == "incoming" else { return }
            let number = looks.withLock { looks in
                looks += 1
                return looks
            }
            whileLooking(number)
        }
        self.looks = looks
        harness = try SpoolHarness(path, files: files)
    }

    var clock: ManualClock { harness.clock }

    /// The run, not begun.
    func submission(_ change: (inout Submission) -> Void = { _ in }) -> Submission {
        var submission = harness.submission
        submission.wait = .max
        submission.configuration.onEvent = { [events] event in events.withLock { $0.append(event) } }
        submission.watching.onReady = { [isReady] in isReady.open() }
        submission.watching.onPulse = { [pulses] in pulses.withLock { $0 += 1 } }
        change(&submission)
        return submission
    }

    /// Runs it beside `body`, which begins when the first look is over, and ends it in order.
    @discardableResult
    func running(
        _ change: (inout Submission) -> Void = { _ in }, _ body: () async throws -> Void
    ) async throws -> SubmissionSummary {
        let run = Task { [submission = submission(change)] in try await submission.run() }
        defer { run.cancel() }
        await isReady.wait()
        try await body()
        run.cancel()
        return try await run.value
    }

    /// Waits until the run has nothing to do, and waits for the longest time. What it gathers until then it gets.
    func rest() async {
        while !Task.isCancelled {
            let boot = clock.bootMilliseconds
            let isResting = await withTaskGroup(of: Bool.self) { [clock] group in
                group.addTask {
                    await clock.waitForSleeper(until: boot + Self.longestWait)
                    return true
                }
                group.addTask {
                    _ = await clock.waitForSleeper(within: Self.gatheringTime)
                    return false
                }
                defer { group.cancelAll() }
                return await group.next() ?? true
            }
            if isResting { return }
            clock.advance(by: Self.gatheringTime)
        }
    }

    /// Waits for `body`, and meanwhile lets no time pass but that in which the run gathers what comes.
    func gathering(_ body: () async throws -> Void) async rethrows {
        let mover = Task { [clock] in
            while !Task.isCancelled {
                guard let wake = await clock.waitForSleeper(within: Self.gatheringTime) else { return }
                clock.advance(by: max(0, wake - clock.bootMilliseconds))
            }
        }
        defer { mover.cancel() }
        try await body()
    }

    /// Waits until the destination has got so many reports.
    func waitForSent(count: Int) async {
        await gathering { _ = await harness.transport.waitForSent(count: count) }
    }
}

/// Runs `body` with a new spool.
func withLastingRun(
    whileLooking: @escaping @Sendable (String, Int) -> Void = { _, _ in },
    _ body: (LastingRunHarness) async throws -> Void
) async throws {
    try await withTemporaryDirectory { directory in
        let path = directory + "/spool"
        try await body(LastingRunHarness(path) { whileLooking(path, $0) })
    }
}
