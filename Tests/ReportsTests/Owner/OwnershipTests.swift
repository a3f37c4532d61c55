import Background
import DurableIO
import Foundation
import Reports
import Synchronization
import TestSupport
import Testing

@Suite("Ownership")
struct OwnershipTests {
    @Test("there is one owner at a time")
    func oneOwner() async throws {
        try await withSpool { harness in
            let first = try #require(try await harness.own())
            #expect(try await harness.own() == nil)
            #expect(try SpoolInspector(spool: harness.spool).status().hasOwner)
            try await first.resign()
            let second = try #require(try await harness.own())
            await second.abandon()
            #expect(try await harness.own() != nil)
        }
    }

    @Test("a report published at any moment of a submission is not forgotten", arguments: 1...12)
    func publishedMeanwhile(look: Int) async throws {
        let holder = Mutex<SpoolHarness?>(nil)
        let looks = Mutex(0)
        let wasOwned = Mutex<Bool?>(nil)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard let harness = holder.withLock({ $0 }), ["collected", "incoming", "parked"].contains(call.room),
                call.operation == .list || call.operation == .sync
            else { return }
            let count = looks.withLock { looks in
                looks += 1
                return looks
            }
            guard count == look else { return }
            holder.withLock { $0 = nil }
            _ = try? harness.add("late")
            let isHeld = OwnerLock.isHeld(LedgerPlace.lockName, in: harness.spool.root)
            wasOwned.withLock { $0 = isHeld }
        }
        try await withSpool(files: files) { harness in
            let early = try harness.add("early")
            try await harness.make(.rejected, text: "parked")
            holder.withLock { $0 = harness }
            let summary = try await harness.submit()
            holder.withLock { $0 = nil }
            #expect(try harness.state(early) == .delivered)
            // With the lock free, whoever published can take it.
            guard wasOwned.withLock({ $0 }) == true else { return }
            #expect(summary.delivered == 2)
            #expect(try harness.entries("collected") == [])
        }
    }

    @Test("several submissions and producers at once: each report is sent once")
    func manyAtOnce() async throws {
        try await withSpool { harness in
            try await harness.clock.racing {
                try await withThrowingDiscardingTaskGroup { group in
                    for worker in 0..<4 {
                        group.addTask {
                            for number in 0..<8 {
                                if number % 2 == 0 {
                                    try harness.add("\(worker) \(number)")
                                } else {
                                    try harness.drop("\(worker) \(number)", "\(worker) \(number)")
                                }
                                try await harness.submit()
                            }
                        }
                    }
                }
            }
            try await harness.submit()
            #expect(harness.sent.count == 32)
            #expect(Set(harness.sent).count == 32)
            #expect(try harness.entries("queued") + harness.entries("collected") + harness.entries("incoming") == [])
            #expect(try harness.findings() == [])
        }
    }

    @Test("beside an owner that does not come to it, submit gives up at its deadline and says so")
    func ownedElsewhere() async throws {
        try await withSpool { harness in
            try harness.add("one")
            let owner = try #require(try await harness.own())
            var submission = harness.submission
            submission.deadline = 3_000
            let start = harness.clock.bootMilliseconds
            let summary = try await harness.clock.racing { [submission] in try await submission.run() }
            #expect(summary.isOwnedElsewhere)
            #expect(summary.delivered == 0)
            #expect(harness.clock.bootMilliseconds - start <= 3_500)
            try await owner.resign()
        }
    }

    @Test("beside an owner, with nothing due, submit ends at once")
    func nothingDue() async throws {
        try await withSpool { harness in
            try await harness.make(.rejected)
            let owner = try #require(try await harness.own())
            let summary = try await harness.submit()
            #expect(!summary.isOwnedElsewhere)
            try await owner.resign()
        }
    }

    @Test("the one who waits is told at once for whom and how long, and the status names that one")
    func toldWhoItIs() async throws {
        try await withSpool { harness in
            try harness.add("one")
            let since = harness.clock.wallMilliseconds
            let owner = try #require(try await harness.own())
            let status = try SpoolInspector(spool: harness.spool).status()
            #expect(status.owner?.processID == getpid())
            #expect(status.owner?.sinceMilliseconds == since)
            let told = Mutex<[String]>([])
            var submission = harness.submission
            submission.onWaiting = { owner, patience in
                told.withLock { $0.append("\(owner?.processID == getpid()) \(patience)") }
            }
            async let running = submission.run()
            await harness.clock.waitForSleeper()
            #expect(told.withLock { $0 } == ["true 60000"])
            harness.clock.advance(by: 60_000)
            let summary = try await running
            #expect(summary.isOwnedElsewhere)
            #expect(summary.owner == status.owner)
            #expect(told.withLock { $0.count } == 1)
            try await owner.resign()
            #expect(try SpoolInspector(spool: harness.spool).status().owner == nil)
        }
    }

    @Test("when the other owner goes, the one who waits takes over")
    func takingOver() async throws {
        try await withSpool { harness in
            let id = try harness.add("one")
            let owner = try #require(try await harness.own())
            async let summary = harness.submit()
            await harness.clock.waitForSleeper()
            try await owner.resign()
            harness.clock.advance(by: 100)
            #expect(try await summary.delivered == 1)
            #expect(harness.sent == [id.hex])
        }
    }

    @Test("with owner.lock replaced the drive ends before the next claim, and nothing is lost")
    func lockReplaced() async throws {
        try await withSpool { harness in
            for text in ["one", "two"] { try harness.add(text) }
            let lock = URL(fileURLWithPath: "\(harness.path)/owner.lock")
            harness.transport.answer { _ in
                try? FileManager.default.removeItem(at: lock)
                try? Data().write(to: lock)
                chmod(lock.path, 0o600)
                return .status(200)
            }
            var configuration = harness.configuration()
            configuration.maximumConcurrent = 1
            let error = await #expect(throws: ReportsError.self) {
                try await Submission(spool: harness.spool, configuration: configuration).run()
            }
            #expect(error?.code == .spoolNotUsable)
            #expect(harness.sent.count == 1)
            harness.transport.answer { _ in .status(200) }
            try await harness.submit()
            #expect(try harness.entries("queued") == [])
            #expect(try harness.findings() == [])
        }
    }

    @Test("a deadline gives back what is under way")
    func deadline() async throws {
        try await withSpool { harness in
            let id = try harness.add("one")
            let never = Gate()
            harness.transport.answer { _ in
                await never.wait()
                return .status(200)
            }
            var submission = harness.submission
            submission.deadline = 1_000
            async let running = submission.run()
            await harness.transport.waitForSent(count: 1)
            await harness.clock.waitForSleeper(until: harness.clock.bootMilliseconds + 1_000)
            harness.clock.advance(by: 1_000)
            let summary = try await running
            #expect(summary.delivered == 0)
            #expect(summary.waiting == 1)
            #expect(try harness.state(id) == .waiting)
            #expect(try harness.record(id)?.charged == 0)
        }
    }
}

extension ManualClock {
    /// Runs `body`; whenever it waits for a time, that time comes.
    func racing<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while !Task.isCancelled {
                    guard let wake = await self.waitForSleeper() else { continue }
                    self.advance(by: max(0, wake - self.bootMilliseconds))
                    await Task.yield()
                }
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }
}
