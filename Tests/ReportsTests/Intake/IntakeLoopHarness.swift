import Background
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// A run over a spool whose disk a test watches, and in which a large drop's collecting stands still until the test
/// lets it go on. Time passes only by ``second()``.
final class IntakeLoopHarness: Sendable {
    /// What the disk was asked for.
    struct Calls: Sendable {
        /// How often `incoming/` was listed: once in each look.
        var looks = 0
        var writes = 0
        /// Syncs of a single file.
        var fileSyncs = 0
        var standstill = Standstill.none
    }

    /// A write that does not return.
    enum Standstill: Sendable {
        case none
        /// The next write stands still.
        case wanted
        /// One does; others go on beside it.
        case reached
        /// It went on, because its task was cancelled.
        case cancelled
    }

    let harness: SpoolHarness
    let calls: Monitor<Calls>

    /// A drop of more bytes is large.
    static let largeByteCount = 1 << 20

    init(_ path: String, limits: SpoolLimits = SpoolLimits()) throws {
        let calls = Monitor(Calls())
        let files = FaultingFileSystem { call throws(FileSystemError) in
            switch call.operation {
            case .list: if call.room == "incoming" { calls.withLock { $0.looks += 1 } }
            case .sync: if call.directory == nil { calls.withLock { $0.fileSyncs += 1 } }
            case .write: Self.stand(calls)
            default: break
            }
        }
        self.calls = calls
        harness = try SpoolHarness(path, files: files, limits: limits, largeDropByteCount: UInt64(Self.largeByteCount))
    }

    private static func stand(_ calls: Monitor<Calls>) {
        let isStanding = calls.withLock { calls in
            calls.writes += 1
            guard calls.standstill == .wanted else { return false }
            calls.standstill = .reached
            return true
        }
        guard isStanding else { return }
        while !Task.isCancelled {
            if calls.block(milliseconds: 5, until: { $0.standstill == .none }) { return }
        }
        calls.withLock { $0.standstill = .cancelled }
    }

    /// Runs a submission beside `body`. One without an end is told to end when `body` has returned.
    /// - Parameters:
    ///   - wait: what is due later is waited for so many milliseconds; `nil` does not wait.
    ///   - deadline: ends the submission, in milliseconds from its beginning.
    ///   - body: what happens meanwhile.
    /// - Returns: what the submission came to.
    /// - Throws: what it or `body` throws.
    func running(
        wait: Int64? = nil, deadline: Int64? = nil, _ body: () async throws -> Void
    ) async throws -> SubmissionSummary {
        var submission = harness.submission
        (submission.wait, submission.deadline) = (wait, deadline)
        let run = Task { [submission] in try await submission.run() }
        defer { run.cancel() }
        try await body()
        if wait == .max { run.cancel() }
        return try await run.value
    }

    // MARK: - Time

    /// Lets the time pass until the intake's next look: a second, or more where the time had passed in the midst of a
    /// look.
    func second() async {
        guard let next = await harness.clock.waitForSleeper(within: 60_000) else { return }
        harness.clock.advance(by: max(0, next - harness.clock.bootMilliseconds))
    }

    /// Lets seconds pass, and waits for the look after each.
    func seconds(_ count: Int) async {
        for _ in 0..<count {
            let looks = calls.value.looks
            await second()
            await calls.wait { $0.looks > looks }
        }
    }

    // MARK: - Large drops

    /// Drops one that is read in three blocks, and written in as many pieces.
    @discardableResult
    func dropLarge(_ name: String, seed: UInt64 = 1) throws -> ContentHash {
        var generator = SeededGenerator(seed: seed)
        let bytes = generator.noise(3 * Self.largeByteCount)
        try whileNothingStarts {
            try Data(bytes).write(to: URL(fileURLWithPath: "\(harness.path)/incoming/\(name)"))
        }
        return .of(bytes: bytes)
    }

    /// From now on the next write stands still: that of a large drop, where there is nothing else to write.
    func stopNextWrite() { calls.withLock { $0.standstill = .wanted } }

    /// Runs `body` while a write stands still, once it does.
    func whileStanding(_ body: () async throws -> Void) async throws {
        defer { calls.withLock { $0.standstill = .none } }
        await calls.wait { $0.standstill == .reached }
        try await body()
    }

    /// Runs to a deadline of a second, which comes while a large drop is collected.
    func runToDeadline() async throws -> SubmissionSummary {
        stopNextWrite()
        return try await running(deadline: 1_000) {
            try await whileStanding {
                try await harness.clock.racing { [calls] in await calls.wait { $0.standstill == .cancelled } }
            }
        }
    }

    /// The drops that were begun and are not finished, as the ledger says.
    func begun() throws -> [BegunDrop] {
        let reader = try LedgerReader(
            name: LedgerPlace.ledgerName, in: harness.spool.root, files: harness.spool.files, clock: harness.clock)
        return Array(try reader.queries.begunDrops().values)
    }
}

/// Runs `body` with a new spool whose disk can be watched.
func withLoop(
    limits: SpoolLimits = SpoolLimits(), _ body: (IntakeLoopHarness) async throws -> Void
) async throws {
    try await withTemporaryDirectory { try await body(IntakeLoopHarness($0 + "/spool", limits: limits)) }
}
