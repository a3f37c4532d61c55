import Background
import DurableIO
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Reports

/// The limit of a signature in a crash loop: in masses, with a disk in trouble, and when processes die.
@Suite("A crash loop")
struct SignatureBrakeLoopTests {
    @Test(
        "thousands of crashes of one fault: exactly ten are kept, and the others go out as if alone",
        .timeLimit(.minutes(5)))
    func thousands() async throws {
        let count = 3_000
        try await withSpool(limits: .braking(10)) { harness in
            try whileNothingStarts {
                for number in 0..<count {
                    try Data(CrashText.python(number).utf8)
                        .write(to: URL(fileURLWithPath: "\(harness.path)/incoming/loop-\(number).txt"))
                }
            }
            for number in 0..<50 { try harness.drop("\(number).log", "INFO a line of a log, number \(number)\n") }
            for number in 0..<10 { try harness.drop("other-\(number).txt", CrashText.python(number, of: "refund")) }
            let summary = try await harness.submit()
            #expect((summary.delivered, summary.braked, summary.evicted) == (70, count - 10, count - 10))
            #expect((summary.waiting, summary.duplicates, summary.skipped) == (0, 0, 0))
            #expect(harness.sent.count == 70)
            for room in ["incoming", "taken", "tmp", "collected", "queued", "parked"] {
                #expect(try harness.entries(room) == [], "\(room)")
            }
            #expect(try harness.findings() == [])
        }
    }

    @Test("a large drop beyond the limit is left out as well, and its beginning is forgotten")
    func large() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try SpoolHarness(directory + "/spool", limits: .braking(1), largeDropByteCount: 4_096)
            try harness.add(CrashText.python(0))
            try await harness.takeIn()
            let padding = String(repeating: "INFO a line of a log\n", count: 400)
            for number in 1..<3 { try harness.drop("\(number).txt", padding + CrashText.python(number)) }
            let summary = try await harness.submit()
            #expect((summary.delivered, summary.braked, summary.skipped) == (1, 2, 0))
            for room in ["incoming", "taken", "tmp"] { #expect(try harness.entries(room) == []) }
            let owner = try #require(try await harness.own())
            #expect(try await owner.queue.look { try $0.begunDrops() }.isEmpty)
            try await owner.resign()
        }
    }

    @Test("two groups with reports of one signature at the same time let in no more than one would")
    func atTheSameTime() async throws {
        let barrier = Mutex<(@Sendable () -> Bool)?>(nil)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            // The first group stands still with its file placed and its row not committed.
            guard call.operation == .sync, call.room == "queued", let isMet = barrier.withLock({ $0 }) else { return }
            let end = ContinuousClock.now + .seconds(20)
            while !isMet(), ContinuousClock.now < end { usleep(1_000) }
        }
        try await withSpool(files: files, limits: .braking(1)) { harness in
            let owner = try #require(try await harness.own())
            try harness.add(CrashText.python(0))
            try harness.add(CrashText.python(1))
            let names = try harness.entries("collected").compactMap(EntryName.init)
            let hasEnded = Gate()
            let locks = owner.sender.locks
            barrier.withLock { $0 = { locks.waitingCount > 0 || hasEnded.isOpen } }
            let enrolment = Enrolment(spool: harness.spool, queue: owner.queue, marks: owner.marks, locks: locks)
            let results = try await withThrowingTaskGroup(of: (enrolled: Int, braked: Int).self) { group in
                for name in names {
                    group.addTask(executorPreference: OwnThreads.shared) {
                        defer { hasEnded.open() }
                        let report = try #require(try enrolment.spool.stored(name, in: enrolment.spool.collected))
                        let result = try await enrolment.enrol([
                            Enrolment.Candidate(report: report, source: .entry(name), drop: nil)
                        ])
                        return (result.enrolled, result.braked.values.reduce(0, +))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.map(\.enrolled).sorted() == [0, 1])
            #expect(results.map(\.braked).sorted() == [0, 1])
            try await owner.resign()
        }
    }

    @Test("where the one that has room cannot be stored, the others stay, and the next look decides anew")
    func notStored() async throws {
        let isArmed = Mutex(true)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard isArmed.withLock({ $0 }), call.operation == .rename || call.operation == .link,
                call.room == "queued"
            else { return }
            throw FileSystemError(.rename, "queued", .ioError)
        }
        try await withSpool(files: files, limits: .braking(1)) { harness in
            for number in [0, 1, 2, 0, 1, 2] { try harness.add(CrashText.python(number)) }
            let summary = try await harness.takeIn()
            #expect((summary.evicted, summary.waiting, summary.duplicates) == (0, 6, 0))
            #expect(try harness.entries("collected").count == 6)
            isArmed.withLock { $0 = false }
            let next = try await harness.submit()
            #expect((next.delivered, next.braked, next.duplicates) == (1, 2, 3))
        }
    }

    // MARK: - Deaths

    private static let loopCount = 5
    private static let room = 2

    /// Two ways in, of which one meets a ledger that knows the signature already.
    private static func run(_ path: String, _ clock: ManualClock, files: any FileSystem) async {
        do {
            let harness = try SpoolHarness(path, clock: clock, files: files, limits: .braking(room))
            try harness.add(CrashText.python(0))
            try harness.drop("1.txt", CrashText.python(1))
            try harness.drop("log", "INFO a line of a log\n")
            for number in 2..<loopCount { try harness.add(CrashText.python(number)) }
            try await harness.submit()
            try harness.drop("late.txt", CrashText.python(loopCount))
            try harness.add(CrashText.python(0, of: "refund"))
            try await harness.submit()
        } catch {
            // It died; the next life is what counts.
        }
    }

    /// Brings in what may be missing, and looks at the whole.
    private func expectBraked(_ path: String, _ clock: ManualClock, _ point: String) async throws {
        let harness = try SpoolHarness(path, clock: clock, limits: .braking(Self.room))
        try await harness.submit()
        for number in 0...Self.loopCount { try harness.add(CrashText.python(number)) }
        try harness.add("INFO a line of a log\n", kind: nil)
        try harness.add(CrashText.python(0, of: "refund"))
        try await harness.submit()
        // A process that dies while it sends leaves reports that are due later.
        _ = try await OrderDispatch(spool: harness.spool).carryOut(.retry, ids: nil)
        try await harness.submit()
        let loop = try (0...Self.loopCount).map { try harness.state(.of(CrashText.python($0))) }
        #expect(loop.count { $0 == .delivered } == Self.room, "\(point): \(loop)")
        #expect(loop.count { $0 == .evicted } == Self.loopCount + 1 - Self.room, "\(point): \(loop)")
        for text in ["INFO a line of a log\n", CrashText.python(0, of: "refund")] {
            #expect(try harness.state(.of(text)) == .delivered, "\(point)")
        }
        for room in ["incoming", "taken", "tmp", "collected", "queued", "parked"] {
            #expect(try harness.entries(room) == [], "\(point): \(room)")
        }
        #expect(try harness.findings() == [], "\(point)")
    }

    @Test("every call after the n-th change fails: the room is used, and not exceeded", .timeLimit(.minutes(10)))
    func failing() async throws {
        var point = 0
        var isThrough = false
        while !isThrough {
            point += 1
            try await withTemporaryDirectory { directory in
                let (path, clock) = (directory + "/spool", ManualClock())
                let files = FaultingFileSystem(killedAt: point)
                await Self.run(path, clock, files: files)
                isThrough = !files.isDead
                try await expectBraked(path, clock, "dead at change \(point)")
            }
        }
        #expect(point > 30)
    }

    @Test("killed before the n-th change: the room is used, and not exceeded", .timeLimit(.minutes(10)))
    func killed() async throws {
        try await withTemporaryDirectory { directory in
            let (path, clock) = (directory + "/spool", ManualClock())
            let moments = Mutex<[String]>([])
            let files = FaultingFileSystem { call throws(FileSystemError) in
                guard let change = call.change, FileManager.default.fileExists(atPath: path) else { return }
                let moment = "\(directory)/moment-\(change)"
                guard (try? copyMoment(of: path, to: moment)) != nil else { return }
                moments.withLock { $0.append(moment) }
            }
            await Self.run(path, clock, files: files)
            let all = moments.withLock { $0 }
            #expect(all.count > 30)
            for moment in all { try await expectBraked(moment, clock, moment.suffix(10).description) }
        }
    }
}
