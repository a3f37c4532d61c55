import Background
import Digests
import DurableIO
import Foundation
import Reports
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// When the intake looks, what it waits for, and when a run is over, beside a drive that sends meanwhile.
@Suite("Intake beside the drive", .timeLimit(.minutes(5)))
struct IntakeLoopTests {
    // MARK: - Looking

    @Test("it looks each second for as long as something is sent, and what it finds is sent beside it")
    func looksMeanwhile() async throws {
        try await withLoop { loop in
            let (harness, gate) = (loop.harness, Gate())
            try harness.add("slow")
            harness.transport.answer { sent in
                if sent.index == 0 { await gate.wait() }
                return .status(200)
            }
            let summary = try await loop.running {
                await harness.transport.waitForSent(count: 1)
                for count in 2...4 {
                    try harness.drop("drop \(count)", "drop \(count)")
                    await loop.second()
                    await harness.transport.waitForSent(count: count)
                }
                // Without anything to find, one look a second.
                let (looks, start) = (loop.calls.value.looks, harness.clock.bootMilliseconds)
                await loop.seconds(3)
                #expect(loop.calls.value.looks == looks + 3)
                #expect(harness.clock.bootMilliseconds == start + 3_000)
                gate.open()
            }
            #expect(summary.delivered == 4)
        }
    }

    /// A run whose first look is interrupted, and which is busy sending afterwards.
    /// - Parameter interrupt: what happens in the midst of the look.
    /// - Returns: how long the intake rests after it, in milliseconds.
    /// - Throws: what the run throws.
    private func restAfterLook(_ interrupt: @escaping @Sendable (ManualClock) -> Void) async throws -> Int64 {
        let holder = Mutex<SpoolHarness?>(nil)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .inspect, call.name == "first" else { return }
            if let harness = holder.withLock({ $0.take() }) { interrupt(harness.clock) }
        }
        var rest: Int64 = 0
        try await withSpool(files: files) { harness in
            let gate = Gate()
            harness.transport.answer { sent in
                if sent.index == 0 { await gate.wait() }
                return .status(200)
            }
            try harness.drop("first", "slow")
            holder.withLock { $0 = harness }
            let run = Task { [submission = harness.submission] in try await submission.run() }
            await harness.transport.waitForSent(count: 1)
            let wake = try #require(await harness.clock.waitForSleeper(within: 60_000))
            rest = wake - harness.clock.bootMilliseconds
            try harness.drop("late", "late")
            harness.clock.advance(by: rest)
            await harness.transport.waitForSent(count: 2)
            gate.open()
            #expect(try await harness.clock.racing { try await run.value.delivered } == 2)
        }
        return rest
    }

    @Test("a look that took long is followed by a rest, so that looks take a tenth of the time")
    func restAfterWork() async throws {
        let rest = try await restAfterLook { $0.work(for: 3_000) }
        #expect(rest == 25_000)
    }

    @Test("a machine that slept for hours in the midst of a look looks again at once, and then each second")
    func sleepDuringLook() async throws {
        let rest = try await restAfterLook { $0.advance(by: 8 * 3_600_000) }
        #expect(rest <= 1_000)
    }

    @Test("a crash that comes while 2,000 small drops are taken in is sent before most of them")
    func crashAmongMany() async throws {
        let (count, crash) = (2_000, "panic: an index\n\ngoroutine 1 [running]:\nmain.main()\n")
        let begun = Mutex(0)
        let holder = Mutex<SpoolHarness?>(nil)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .create, call.room == "tmp", let harness = holder.withLock({ $0 }) else { return }
            let number = begun.withLock { begun in
                begun += 1
                return begun
            }
            guard number == 300 else { return }
            try? harness.drop("z-last", crash)
            // It is time for another look.
            harness.clock.advance(by: 1_000)
        }
        try await withSpool(files: files) { harness in
            for number in 0..<count { try harness.drop("drop-\(number)", "\(number)") }
            holder.withLock { $0 = harness }
            try await harness.submit()
            holder.withLock { $0 = nil }
            #expect(harness.sent.count == count + 1)
            let place = try #require(harness.sent.firstIndex(of: ContentHash.of(crash).hex))
            #expect(place < count / 4)
        }
    }

    @Test("a look takes a quarter of a short run: the rest is for what it has found, and all is found in time")
    func shortRun() async throws {
        let count = 40
        let looked = Mutex(0)
        let lookedBeforeTaking = Mutex<Int?>(nil)
        let holder = Mutex<SpoolHarness?>(nil)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard let harness = holder.withLock({ $0 }) else { return }
            if call.operation == .inspect, call.room == "incoming", call.name != nil {
                let number = looked.withLock { looked in
                    looked += 1
                    return looked
                }
                // A slow disk, until it has the entries in memory.
                if number <= 10 { harness.clock.advance(by: 100) }
            }
            guard call.operation == .create, call.room == "tmp" else { return }
            lookedBeforeTaking.withLock { $0 = $0 ?? looked.withLock { $0 } }
        }
        try await withSpool(files: files) { harness in
            for number in 0..<count { try harness.drop("drop-\(number)", "\(number)") }
            holder.withLock { $0 = harness }
            var submission = harness.submission
            submission.deadline = 2_000
            let summary = try await submission.run()
            holder.withLock { $0 = nil }
            #expect(try #require(lookedBeforeTaking.withLock { $0 }) < 10)
            #expect(summary.delivered == count)
        }
    }

    // MARK: - The end of a run

    @Test("a run over an empty spool takes no time")
    func emptySpool() async throws {
        try await withLoop { loop in
            // Nobody moves the clock.
            let summary = try await loop.harness.submit()
            #expect(summary == SubmissionSummary())
        }
    }

    @Test("what is dropped while the drive sends its last report goes out in the same run")
    func droppedAtTheEnd() async throws {
        try await withLoop { loop in
            let harness = loop.harness
            try harness.add("last")
            let ownersEnded = Mutex<[Bool]>([])
            harness.transport.answer { [transport = harness.transport] sent in
                ownersEnded.withLock { $0.append(transport.hasShutDown) }
                if sent.index < 3 { try? harness.drop("late \(sent.index)", "late \(sent.index)") }
                return .status(200)
            }
            #expect(try await harness.submit().delivered == 4)
            // By one owner, not by the next one, which looks for what came too late.
            #expect(ownersEnded.withLock { $0 } == [false, false, false, false])
        }
    }

    @Test("a drop that changes whenever it is read is waited for 2.5 s, and not longer")
    func changing() async throws {
        let holder = Mutex<SpoolHarness?>(nil)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .create, call.room == "tmp", let harness = holder.withLock({ $0 }) else { return }
            for name in (try? harness.entries("taken")) ?? [] {
                let file = FileHandle(forWritingAtPath: "\(harness.path)/taken/\(name)")
                _ = try? file?.seekToEnd()
                try? file?.write(contentsOf: Data([0, 1, 2]))
                try? file?.close()
            }
        }
        try await withSpool(files: files) { harness in
            try harness.drop("changing", "\0\u{1}")
            holder.withLock { $0 = harness }
            let run = Task { [submission = harness.submission] in try await submission.run() }
            defer { run.cancel() }
            for _ in 0..<25 {
                await harness.clock.waitForSleeper(until: harness.clock.bootMilliseconds + 100)
                harness.clock.advance(by: 100)
            }
            let summary = try await run.value
            holder.withLock { $0 = nil }
            #expect(summary.skipped == 1)
            #expect(try harness.takenNames() == ["changing"])
            #expect(try await harness.submit().delivered == 1)
        }
    }

    @Test("a drop that cannot be taken makes a run neither last nor look again and again")
    func notTaken() async throws {
        let looks = Mutex(0)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            if call.operation == .list, call.room == "incoming" { looks.withLock { $0 += 1 } }
            guard call.operation == .rename, call.name == "bad" else { return }
            throw FileSystemError(.rename, "bad", .ioError)
        }
        try await withSpool(files: files) { harness in
            try harness.drop("bad", "bad")
            try harness.drop("good", "good")
            looks.withLock { $0 = 0 }
            // Nobody moves the clock.
            let summary = try await harness.submit()
            #expect(summary.delivered == 1)
            #expect(summary.skipped == 1)
            #expect(looks.withLock { $0 } < 20)
        }
    }
}
