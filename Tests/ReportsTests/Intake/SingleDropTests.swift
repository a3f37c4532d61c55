import Background
import Digests
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// Drops that are collected by themselves, beside the others.
@Suite("Large drops beside the others", .timeLimit(.minutes(5)))
struct SingleDropTests {
    @Test("while one is collected, small ones come in and are sent, and new ones are found")
    func besideSmallOnes() async throws {
        try await withLoop { loop in
            let harness = loop.harness
            let large = try loop.dropLarge("large")
            loop.stopNextWrite()
            let summary = try await loop.running {
                try await loop.whileStanding {
                    for count in 1...3 {
                        try harness.drop("small \(count)", "small \(count)")
                        await loop.second()
                        await harness.transport.waitForSent(count: count)
                    }
                    #expect(try harness.state(large) == nil)
                }
            }
            #expect(summary.delivered == 4)
            #expect(harness.sent.last == large.hex)
        }
    }

    @Test("a run without an end finds small ones, too, while a large one is collected")
    func withoutEnd() async throws {
        try await withLoop { loop in
            let harness = loop.harness
            try loop.dropLarge("large")
            loop.stopNextWrite()
            _ = try await loop.running(wait: .max) {
                try await loop.whileStanding {
                    try harness.drop("small", "small")
                    await loop.second()
                    await harness.transport.waitForSent(count: 1)
                }
                await harness.transport.waitForSent(count: 2)
            }
        }
    }

    @Test("one is collected at a time, and the next one after it")
    func oneAtATime() async throws {
        try await withLoop { loop in
            let harness = loop.harness
            for seed in 1...3 { try loop.dropLarge("large \(seed)", seed: UInt64(seed)) }
            loop.stopNextWrite()
            let summary = try await loop.running {
                try await loop.whileStanding {
                    await loop.seconds(3)
                    let (taken, begun) = (try harness.takenNames(), try loop.begun())
                    #expect(taken.count == 1)
                    #expect(begun.count == 1)
                    #expect(harness.sent == [])
                }
            }
            #expect(summary.delivered == 3)
        }
    }

    @Test("beside one, a group of small ones is synced file by file: a sync of everything would wait for the large one")
    func syncedOneByOne() async throws {
        try await withLoop { loop in
            let (harness, count) = (loop.harness, 2 * Publication.groupSyncThreshold)
            try loop.dropLarge("large")
            loop.stopNextWrite()
            _ = try await loop.running {
                try await loop.whileStanding {
                    // By then the drive has nothing to do: nothing but the time lets the intake look.
                    await loop.seconds(3)
                    let syncs = loop.calls.value.fileSyncs
                    for number in 0..<count { try harness.drop("small \(number)", "small \(number)") }
                    await loop.second()
                    await harness.transport.waitForSent(count: count)
                    #expect(loop.calls.value.fileSyncs - syncs == count)
                }
            }
            // Without one, together.
            for number in 0..<count { try harness.drop("again \(number)", "again \(number)") }
            let syncs = loop.calls.value.fileSyncs
            #expect(try await harness.submit().delivered == count)
            #expect(loop.calls.value.fileSyncs == syncs)
        }
    }

    @Test("it is written down before its first byte is read, and forgotten with its row")
    func writtenDown() async throws {
        try await withLoop { loop in
            try loop.dropLarge("large")
            loop.stopNextWrite()
            _ = try await loop.running {
                try await loop.whileStanding {
                    let begun = try loop.begun()
                    #expect(begun.map(\.tries) == [1])
                    #expect(begun.map(\.isOpen) == [true])
                }
            }
            #expect(try loop.begun() == [])
        }
    }

    @Test("a deadline ends it at once: it stays, nothing of it is left in tmp/, and the next life knows of it")
    func deadline() async throws {
        try await withLoop { loop in
            let harness = loop.harness
            let large = try loop.dropLarge("large")
            let summary = try await loop.runToDeadline()
            #expect(summary.waiting == 1)
            #expect(harness.sent == [])
            #expect(try harness.state(large) == nil)
            #expect(try harness.takenNames() == ["large"])
            #expect(try harness.entries("tmp") == [])
            let begun = try loop.begun()
            #expect(begun.map(\.tries) == [1])
            #expect(begun.map(\.deaths) == [0])
            #expect(begun.map(\.isOpen) == [false])
            #expect(try await harness.submit().delivered == 1)
        }
    }

    @Test("one that was not finished comes after those that are fresh")
    func notFinishedComesLast() async throws {
        try await withLoop { loop in
            let harness = loop.harness
            let cut = try loop.dropLarge("cut", seed: 1)
            _ = try await loop.runToDeadline()
            let fresh = try loop.dropLarge("fresh", seed: 2)
            try harness.add("small")
            #expect(try await harness.submit().delivered == 3)
            #expect(harness.sent == [ContentHash.of("small").hex, fresh.hex, cut.hex])
        }
    }

    @Test("one that cannot be stored is not read again at each look, but after ten minutes")
    func failing() async throws {
        try await withTemporaryDirectory { directory in
            let (fails, reads, looks) = (Monitor(false), Monitor(0), Monitor(0))
            let files = FaultingFileSystem { call throws(FileSystemError) in
                if call.operation == .list, call.room == "incoming" { looks.withLock { $0 += 1 } }
                guard call.operation == .create, call.room == "tmp", fails.value else { return }
                reads.withLock { $0 += 1 }
                throw FileSystemError(.write, "a disk in trouble", .ioError)
            }
            let harness = try SpoolHarness(directory + "/spool", files: files, largeDropByteCount: 4)
            var submission = harness.submission
            submission.wait = .max
            let run = Task { [submission] in try await submission.run() }
            defer { run.cancel() }
            func second() async {
                let seen = looks.value
                while let next = await harness.clock.waitForSleeper(within: 60_000), looks.value == seen {
                    harness.clock.advance(by: max(0, next - harness.clock.bootMilliseconds))
                }
            }
            func tenMinutes() async {
                _ = await harness.clock.waitForSleeper(within: 60_000)
                harness.clock.advance(by: 600_000)
                await second()
            }
            await looks.wait { $0 > 0 }
            fails.withLock { $0 = true }
            try harness.drop("large", "larger than that")
            await second()
            await reads.wait { $0 == 1 }
            for _ in 0..<5 { await second() }
            #expect(reads.value == 1)
            await tenMinutes()
            await reads.wait { $0 == 2 }
            fails.withLock { $0 = false }
            for _ in 0..<5 { await second() }
            #expect(harness.sent == [])
            await tenMinutes()
            await harness.transport.waitForSent(count: 1)
            run.cancel()
            _ = try await run.value
        }
    }

    @Test("one that changes whenever it is read is read again each ten seconds, and not without a pause")
    func changing() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/spool"
            let clock = ManualClock()
            let reads = Monitor<[Int64]>([])
            // No time passes from the look that finds that it is time, until the look that follows the reading.
            let isReading = Monitor(false)
            let files = FaultingFileSystem { call throws(FileSystemError) in
                if call.operation == .list, call.room == "incoming" {
                    let isTime = reads.value.last.map { clock.bootMilliseconds >= $0 + 10_000 } ?? false
                    isReading.withLock { $0 = isTime }
                }
                guard call.operation == .create, call.room == "tmp",
                    let name = try? FileManager.default.contentsOfDirectory(atPath: path + "/taken").first
                else { return }
                isReading.withLock { $0 = true }
                let count = reads.withLock { times in
                    times.append(clock.bootMilliseconds)
                    return times.count
                }
                guard count < 3, let file = FileHandle(forUpdatingAtPath: path + "/taken/" + name) else { return }
                _ = try? file.seekToEnd()
                try? file.write(contentsOf: Data("more".utf8))
                try? file.close()
            }
            let harness = try SpoolHarness(path, clock: clock, files: files, largeDropByteCount: 4)
            var submission = harness.submission
            submission.wait = .max
            let run = Task { [submission] in try await submission.run() }
            defer { run.cancel() }
            try harness.drop("large", "larger than that")
            let mover = Task {
                // Not to the next keeping of the limits, which is a minute away: the run may be at work.
                while !Task.isCancelled, let wake = await clock.waitForSleeper(within: 10_000) {
                    await isReading.wait { !$0 }
                    clock.advance(by: max(0, wake - clock.bootMilliseconds))
                }
            }
            defer { mover.cancel() }
            await harness.transport.waitForSent(count: 1)
            run.cancel()
            _ = try await run.value
            let times = reads.value
            #expect(times.count == 3)
            for (earlier, later) in zip(times, times.dropFirst()) {
                #expect((10_000...11_000).contains(later - earlier))
            }
        }
    }
}
