import Background
import DurableIO
import Foundation
import Reports
import Synchronization
import TestSupport
import Testing

@Suite("A run that lasts, in trouble", .timeLimit(.minutes(2)))
struct LastingTroubleTests {
    @Test("a room that is replaced ends the run in order, and the next one watches the new room")
    func replacedRoom() async throws {
        try await withSpool { harness in
            let reporter = Reporter(spool: harness.spool, owner: harness.configuration())
            let running = Task { try await reporter.run() }
            defer { running.cancel() }
            try harness.drop("first", "first")
            try await harness.clock.racing { _ = await harness.transport.waitForSent(count: 1) }
            try FileManager.default.moveItem(atPath: harness.path + "/incoming", toPath: harness.path + "/old")
            try harness.makeDirectory("incoming")
            try harness.drop("second", "second")
            try await harness.clock.racing { _ = await harness.transport.waitForSent(count: 2) }
            try FileManager.default.removeItem(atPath: harness.path + "/incoming")
            try await harness.clock.racing { await waitForDirectory(harness.path + "/incoming") }
            try harness.drop("third", "third")
            try await harness.clock.racing { _ = await harness.transport.waitForSent(count: 3) }
            running.cancel()
            try await running.value
            #expect(try await harness.own()?.repairs == [])
        }
    }

    @Test("without a watch it looks every 2 s and says so once; with one again it says that, too")
    func notWatched() async throws {
        try await withLastingRun { lasting in
            let fails = Monitor(true)
            try await lasting.running { submission in
                submission.watching.watcher.pollInterval = 5
                submission.watching.watcher.retryInterval = 20
                submission.watching.watcher.willOpen = { () throws(FileSystemError) in
                    if fails.value { throw FileSystemError(.watch, "directories", .tooManyOpenFiles) }
                }
            } _: {
                let harness = lasting.harness
                try harness.drop("first", "first")
                try await lasting.clock.racing { _ = await harness.transport.waitForSent(count: 1) }
                #expect(Self.told(lasting.events.value) == [true])
                fails.withLock { $0 = false }
                await lasting.events.wait { Self.told($0) == [true, false] }
            }
        }
    }

    /// What was told about the watch: whether it was trouble.
    private static func told(_ events: [SpoolEvent]) -> [Bool] {
        events.compactMap { if case .notWatched(let reason) = $0 { reason != nil } else { nil } }
    }

    @Test("without a thread or a pipe for the watch it says so once; with them it says that, too")
    func noWatcher() async throws {
        try await withLastingRun { lasting in
            let fails = Monitor(true)
            try await lasting.running { submission in
                submission.watching.watcher.willBegin = { () throws(FileSystemError) in
                    if fails.value { throw FileSystemError(.watch, "directories", .tooManyOpenFiles) }
                }
            } _: {
                for _ in 0..<3 {
                    await lasting.clock.waitForSleeper(until: lasting.clock.bootMilliseconds + 2_000)
                    lasting.clock.advance(by: 2_000)
                }
                await lasting.clock.waitForSleeper(until: lasting.clock.bootMilliseconds + 2_000)
                #expect(Self.told(lasting.events.value) == [true])
                fails.withLock { $0 = false }
                lasting.clock.advance(by: 2_000)
                await lasting.events.wait { Self.told($0).contains(false) }
                await lasting.rest()
                #expect(Self.told(lasting.events.value) == [true, false])
            }
        }
    }

    @Test("the next owner says that the spool is watched, if an earlier one has said that it is not")
    func watchedByTheNext() async throws {
        try await withSpool { harness in
            let (news, events, isReady) = (WatchNews(), Monitor<[SpoolEvent]>([]), Gate())
            for isTroubled in [true, true, false, false] {
                var submission = harness.submission
                submission.wait = .max
                submission.configuration.onEvent = { event in events.withLock { $0.append(event) } }
                submission.watching.news = news
                let beginnings = Monitor(0)
                submission.watching.watcher.willOpen = { () throws(FileSystemError) in
                    beginnings.withLock { $0 += 1 }
                    if isTroubled { throw FileSystemError(.watch, "directories", .tooManyOpenFiles) }
                }
                submission.watching.onReady = { isReady.open() }
                let run = Task { [submission] in try await submission.run() }
                await isReady.wait()
                await beginnings.wait { $0 > 0 }
                if !isTroubled { await events.wait { Self.told($0).contains(false) } }
                run.cancel()
                _ = try await run.value
            }
            #expect(Self.told(events.value) == [true, false])
        }
    }

    @Test("while another process owns the spool it waits without looking, and goes on when that one ends")
    func otherOwner() async throws {
        try await withLastingRun { lasting in
            let harness = lasting.harness
            let other = try #require(try await harness.own())
            try harness.drop("first", "first")
            let run = Task { [submission = lasting.submission()] in try await submission.run() }
            defer { run.cancel() }
            await lasting.events.wait { events in
                events.contains { if case .ownedElsewhere = $0 { true } else { false } }
            }
            let before = lasting.looks.value
            for _ in 0..<3 {
                await lasting.clock.waitForSleeper(until: lasting.clock.bootMilliseconds + 30_000)
                lasting.clock.advance(by: 30_000)
            }
            await lasting.clock.waitForSleeper(until: lasting.clock.bootMilliseconds + 30_000)
            #expect(lasting.looks.value == before)
            try await other.resign()
            // The closing of the lock file wakes it: 30 s do not pass.
            await lasting.clock.waitForSleeper(until: lasting.clock.bootMilliseconds + 100)
            lasting.clock.advance(by: 100)
            await harness.transport.waitForSent(count: 1)
            run.cancel()
            _ = try await run.value
        }
    }

    @Test("told to end, it stops what is under way and leaves it due, with nothing to be repaired")
    func ended() async throws {
        try await withLastingRun { lasting in
            let harness = lasting.harness
            harness.transport.answer { _ in
                try? await Task.sleep(for: .seconds(3_600))
                return .noAnswer(.interrupted)
            }
            let id = try harness.add("first")
            try await lasting.running { await harness.transport.waitForSent(count: 1) }
            #expect(try harness.state(id) == .waiting)
            let next = try #require(try await harness.own())
            #expect(next.repairs == [])
            try await next.resign()
        }
    }

    private func waitForDirectory(_ path: String) async {
        while !FileManager.default.fileExists(atPath: path), !Task.isCancelled { await Task.yield() }
    }
}
