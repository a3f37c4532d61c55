import Background
import Digests
import DurableIO
import Foundation
import Reports
import Synchronization
import TestSupport
import Testing

@Suite("A run that lasts")
struct LastingRunTests {
    @Test("it looks once, and then not before 15 minutes are over")
    func idle() async throws {
        try await withLastingRun { lasting in
            try await lasting.running {
                await lasting.rest()
                let before = lasting.looks.value
                lasting.clock.advance(by: LastingRunHarness.longestWait - 1)
                await lasting.clock.waitForSleeper(until: lasting.clock.bootMilliseconds + 1)
                #expect(lasting.looks.value == before)
                lasting.clock.advance(by: 1)
                await lasting.looks.wait { $0 == before + 1 }
                await lasting.rest()
            }
        }
    }

    @Test("a drop, an entry and an order of other processes are each brought in 200 ms after they have come")
    func arrivals() async throws {
        try await withLastingRun { lasting in
            let harness = lasting.harness
            try await lasting.running {
                await lasting.rest()
                try harness.drop("first", "first")
                await lasting.waitForSent(count: 1)
                await lasting.rest()
                let second = try harness.add("second")
                await lasting.waitForSent(count: 2)
                await lasting.rest()
                _ = try await OrderDispatch(spool: harness.spool).carryOut(.remove, on: [.report(second.hex)])
                try await lasting.gathering {
                    while try !harness.entries("collected").isEmpty, !Task.isCancelled { await Task.yield() }
                }
            }
        }
    }

    @Test("a storm of drops is one batch")
    func storm() async throws {
        try await withLastingRun { lasting in
            try await lasting.running {
                await lasting.rest()
                let before = lasting.looks.value
                for number in 0..<50 { try lasting.harness.drop("drop \(number)", "payload \(number)") }
                await lasting.waitForSent(count: 50)
                await lasting.rest()
                // One that finds them, one that finds nothing more, and two if some were told of late.
                #expect(lasting.looks.value <= before + 4)
            }
        }
    }

    @Test("what comes just before the watch begins is found by the look after it")
    func beforeTheWatch() async throws {
        try await withLastingRun { lasting in
            let harness = lasting.harness
            try await lasting.running { submission in
                submission.watching.watcher.willOpen = { () throws(FileSystemError) in
                    try? harness.drop("early", "early")
                }
            } _: {
                await lasting.waitForSent(count: 1)
            }
        }
    }

    @Test("what comes between the first look and the wait after it is found by another look")
    func afterTheLook() async throws {
        try await withLastingRun { lasting in
            let harness = lasting.harness
            try await lasting.running { submission in
                submission.watching.onReady = { [isReady = lasting.isReady] in
                    try? harness.drop("late", "late")
                    isReady.open()
                }
            } _: {
                await lasting.waitForSent(count: 1)
            }
        }
    }

    @Test("what comes while a report is being sent is taken in meanwhile")
    func duringASubmit() async throws {
        try await withLastingRun { lasting in
            let harness = lasting.harness
            let answer = Gate()
            harness.transport.answer { attempt in
                if attempt.index == 0 { await answer.wait() }
                return .status(200)
            }
            try harness.drop("first", "first")
            try await lasting.running {
                await harness.transport.waitForSent(count: 1)
                try harness.drop("second", "second")
                await lasting.waitForSent(count: 2)
                answer.open()
                await lasting.events.wait { events in
                    events.count { if case .delivered = $0 { true } else { false } } == 2
                }
            }
        }
    }

    @Test("a drop that a program writes for long is taken when it is closed, and looked at ever more seldom until then")
    func beingWritten() async throws {
        try await withLastingRun { lasting in
            let harness = lasting.harness
            try await lasting.running {
                await lasting.rest()
                let before = lasting.looks.value
                let path = harness.path + "/incoming/slow"
                try Data().write(to: URL(fileURLWithPath: path))
                let file = try #require(FileHandle(forWritingAtPath: path))
                try file.write(contentsOf: Data("slow".utf8))
                let begin = lasting.clock.bootMilliseconds
                await lasting.gathering {
                    await lasting.looks.wait { $0 > before }
                }
                #expect(lasting.clock.bootMilliseconds - begin <= LastingRunHarness.gatheringTime)
                for nap: Int64 in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
                    await lasting.clock.waitForSleeper(until: lasting.clock.bootMilliseconds + nap)
                    lasting.clock.advance(by: nap)
                }
                #expect(harness.sent == [])
                try file.close()
                await lasting.waitForSent(count: 1)
            }
        }
    }

    @Test("with no destination it takes in what comes, and goes on")
    func noDestination() async throws {
        try await withLastingRun { lasting in
            let harness = lasting.harness
            let summary = try await lasting.running {
                $0.configuration.routing = nil
            } _: {
                for name in ["first", "second"] {
                    await lasting.rest()
                    try harness.drop(name, name)
                    await lasting.gathering {
                        await lasting.events.wait { $0.contains { $0.isTaken(name) } }
                    }
                }
                await lasting.rest()
                #expect(try harness.entries("queued").count == 2)
            }
            #expect(summary.waiting == 2)
        }
    }

    @Test("it tells what it does, and where it stands")
    func events() async throws {
        try await withLastingRun { lasting in
            try await lasting.running {
                await lasting.rest()
                try lasting.harness.drop("crash.txt", "payload")
                let id = ContentHash.of("payload").hex
                await lasting.gathering {
                    await lasting.events.wait { $0.contains(.delivered(id: id, attempts: 1)) }
                }
                await lasting.rest()
                let events = lasting.events.value
                #expect(events.first == .standing(waiting: 0, held: 0, nextAttempt: nil))
                #expect(events.contains { $0.isTaken("crash.txt") })
                #expect(events.last == .standing(waiting: 0, held: 0, nextAttempt: nil))
            }
        }
    }

    @Test("a supervisor gets a sign of life at each interval, and no look for it")
    func pulse() async throws {
        try await withLastingRun { lasting in
            try await lasting.running {
                $0.watching.pulseInterval = 150_000
            } _: {
                for _ in 0..<3 {
                    await lasting.clock.waitForSleeper(until: lasting.clock.bootMilliseconds + 150_000)
                    let (pulses, looks) = (lasting.pulses.value, lasting.looks.value)
                    lasting.clock.advance(by: 150_000)
                    await lasting.pulses.wait { $0 > pulses }
                    #expect(lasting.looks.value == looks)
                }
            }
        }
    }
}

extension SpoolEvent {
    /// Whether it says that a drop of this name was taken in, for the first time.
    fileprivate func isTaken(_ name: String) -> Bool {
        if case .taken(_, name, _, _, false) = self { true } else { false }
    }
}
