import Background
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct OrderTests {
    @Test("The newest of the first rank go first, and each fourth is the one due longest")
    func newestCrashFirst() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(200) }
            let queue = try harness.open {
                $0.prefersFirstRank = true
                $0.policy.maximumWindow = 1
            }
            try await queue.add(["log1", "log2", "log3"], label: "log", rank: 2, wall: 1)
            try await queue.add(["crash1", "crash2", "crash3", "crash4", "crash5"], label: "crash", wall: 10)
            try await queue.add(["log4"], label: "log", rank: 2, wall: 20)
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(
                harness.transport.sent.map(\.name) == [
                    "crash5", "crash4", "crash3", "log1", "crash2", "crash1", "log2", "log3", "log4",
                ])
        }
    }

    @Test("The fourths are counted over the claims of a lane, also from drive to drive")
    func fourths() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(200) }
            let queue = try harness.open {
                $0.prefersFirstRank = true
                $0.policy.maximumWindow = 1
            }
            for number in 0..<3 {
                try await queue.add(["first\(number)"])
                try await queue.drive(.whileDue, isExplicit: true)
            }
            try await queue.add(["log"], rank: 2, wall: 1)
            harness.clock.advance(by: 1)
            try await queue.add(["old", "new"], wall: 2)
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(harness.transport.sent.map(\.name) == ["first0", "first1", "first2", "log", "new", "old"])
        }
    }

    @Test("No more than the window's maximum are ever under way", arguments: [1, 3, 16])
    func window(maximum: Int) async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in
                for _ in 0..<20 { await Task.yield() }
                return .status(200)
            }
            let queue = try harness.open { $0.policy.maximumWindow = maximum }
            try await queue.add(names(400))
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(harness.transport.mostInFlight == maximum)
            #expect(try harness.count(.delivered) == 400)
        }
    }

    @Test("Several ends share a commit, and a turn without news costs none")
    func batches() async throws {
        try await withTemporaryDirectory { directory in
            let barriers = (0..<100).map { _ in Gate() }
            let harness = try QueueHarness(directory: directory) { sent in
                // Four at a time end together: the last of each four lets the others go.
                if sent.index % 4 == 3 { barriers[sent.index / 4].open() }
                await barriers[sent.index / 4].wait()
                return .status(200)
            }
            let queue = try harness.open { $0.policy.maximumWindow = 4 }
            try await queue.add(names(400))
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(try harness.count(.delivered) == 400)
            #expect(harness.client.commits.count < 400)
            #expect(harness.client.commits.reduce(0) { $0 + $1.count } == 400)
        }
    }

    @Test("Each transfer is sent once when all goes well, whatever the drives")
    func once() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(200) }
            let queue = try harness.open()
            for part in 0..<5 {
                try await queue.add((0..<40).map { "\(part)-\($0)" })
                try await queue.drive(.whileDue, isExplicit: part % 2 == 0)
            }
            #expect(Set(harness.transport.sent.map(\.name)).count == 200)
            #expect(harness.transport.sent.count == 200)
        }
    }

    @Test("A drive that waits goes on when something new comes, and ends when it is cancelled")
    func waits() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(200) }
            let queue = try harness.open()
            let drive = Task { try await queue.drive(.waiting(until: nil), isExplicit: false) }
            try await queue.add(["a"])
            await harness.transport.waitForSent(count: 1)
            try await queue.add(["b"])
            await harness.transport.waitForSent(count: 2)
            drive.cancel()
            try? await drive.value
        }
    }

    @Test("A drive with an end does not begin a wait that would pass it")
    func waitsUntil() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(503, headers: [("Retry-After", "60")]) }
            let queue = try harness.open()
            try await queue.add(["a"])
            let end = harness.clock.bootMilliseconds + 59_000
            try await queue.drive(.waiting(until: end), isExplicit: true)
            #expect(harness.transport.sent.count == 1)
        }
    }

    @Test("While places are taken, what is due waits for an end and not for the clock")
    func doesNotSpin() async throws {
        try await withTemporaryDirectory { directory in
            let gate = Gate()
            let harness = try QueueHarness(directory: directory) { _ in
                await gate.wait()
                return .status(200)
            }
            let queue = try harness.open { $0.policy.maximumWindow = 1 }
            try await queue.add(names(3))
            let drive = Task { try await queue.drive(.waiting(until: nil), isExplicit: true) }
            await harness.transport.waitForSent(count: 1)
            await queue.settled()
            #expect(harness.clock.nextWake == nil)
            gate.open()
            await harness.transport.waitForSent(count: 3)
            drive.cancel()
            try? await drive.value
        }
    }
}

extension TransferQueue {
    /// Returns after the drive has had the chance to go to sleep: it is this actor's only other work.
    fileprivate func settled() async {
        for _ in 0..<100 { await Task.yield() }
    }
}
