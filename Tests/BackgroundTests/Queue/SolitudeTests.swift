import Background
import TestSupport
import Testing

/// For whom others are stopped, and for how long, as a value.
struct SolitudeTests {
    @Test("Others are stopped for 10 s at most, and then nobody is for as long as they were")
    func rest() {
        var solitude = Solitude()
        let answer1 = solitude.begin(.row, at: 1_000, isForced: true)
        #expect(answer1)
        #expect(solitude.stop(at: 10_999)?.party == .row)
        #expect(solitude.stop(at: 11_000) == nil)
        #expect(solitude.lapsedRowStop(at: 11_000) != nil)
        solitude.end(.row, at: 12_000)
        #expect(solitude.stopWait(at: 12_000) == 9_000)
        let isTooEarly = solitude.begin(.drop, at: 20_999, isForced: true)
        #expect(!isTooEarly)
        let answer2 = solitude.begin(.drop, at: 21_000, isForced: true)
        #expect(answer2)
        solitude.end(.row, at: 21_500)
        #expect(solitude.stop(at: 21_500)?.party == .drop, "it is not the row's to end")
        solitude.end(.drop, at: 22_000)
        #expect(solitude.stopWait(at: 22_000) == 1_000)
    }

    @Test("A row's stop whose time is over is ended by the queue, and by no other party's stop")
    func lapsed() {
        var plan = Plan.driven()
        let isStopped = plan.suspectWanted(at: 0, isForced: true)
        #expect(isStopped)
        for now in [Solitude.longestStop, 60_000] {
            let wait = plan.aloneWanted(at: now)
            #expect(wait == Solitude.longestStop)
            #expect(plan.solitude.lapsedRowStop(at: now) != nil)
        }
        var turn = plan.turn(at: 60_000)
        turn.othersGoOn()
        _ = plan.committed(turn)
        let wait = plan.aloneWanted(at: 60_000)
        #expect(wait == nil)
    }

    @Test("After stops in vain others go on for longer each time, 5 min at most, unless nothing else goes on")
    func inVain() {
        var plan = Plan.driven()
        var now: Int64 = 0
        for rest in [20, 40, 80, 160, 300, 300] as [Int64] {
            let isStopped = plan.suspectWanted(at: now, isForced: true)
            #expect(isStopped)
            now += Solitude.longestStop
            var turn = plan.turn(at: now)
            turn.othersGoOn()
            turn.stopWasInVain()
            _ = plan.committed(turn)
            #expect(plan.solitude.forceWait(at: now) == rest * 1_000)
            #expect(plan.solitude.stopWait(at: now) == Solitude.longestStop)
            let isTooEarly = plan.suspectWanted(at: now + rest * 1_000 - 1, isForced: true)
            #expect(!isTooEarly)
            now += rest * 1_000
        }
        let isStopped = plan.suspectWanted(at: now, isForced: false)
        #expect(isStopped)
        plan.stopEnded(for: .row, at: now)
        let isStoppedAgain = plan.suspectWanted(at: now, isForced: true)
        #expect(isStoppedAgain, "the last stop was not in vain")
    }

    @Test("A stop that nobody felt asks for no rest; one that kept a task from collecting does")
    func unfelt() {
        var plan = Plan.driven()
        let answer3 = plan.suspectWanted(at: 0, isForced: false)
        #expect(answer3)
        plan.stopEnded(for: .row, at: 4_000)
        #expect(plan.solitude.stopWait(at: 4_000) == nil)
        let answer4 = plan.suspectWanted(at: 4_000, isForced: false)
        #expect(answer4)
        let answer5 = plan.collectingWanted(at: 5_000, insists: false)
        #expect(answer5 == 9_000)
        let answer6 = plan.collectingWanted(at: 5_000, insists: true)
        #expect(answer6 == nil)
        plan.stopEnded(for: .row, at: 6_000)
        #expect(plan.solitude.stopWait(at: 6_000) == 2_000)
    }

    @Test("A suspect row waits for the end of collecting, unless it cannot wait any longer")
    func collecting() {
        var plan = Plan.driven()
        let answer7 = plan.collectingWanted(at: 0, insists: false)
        #expect(answer7 == nil)
        let answer8 = plan.collectingEnded()
        #expect(answer8 == .none)
        let answer9 = plan.collectingWanted(at: 0, insists: false)
        #expect(answer9 == nil)
        let goesBeside = plan.suspectWanted(at: 0, isForced: false)
        #expect(!goesBeside)
        let answer10 = plan.collectingEnded()
        #expect(answer10 == .now)
        _ = plan.collectingWanted(at: 0, insists: false)
        let answer11 = plan.suspectWanted(at: 0, isForced: true)
        #expect(answer11)
        let answer12 = plan.collectingEnded()
        #expect(answer12 == .now)
    }

    @Test("A drop waits for a row's stop, and for the rest after it, and does not keep tasks from collecting")
    func drop() {
        var plan = Plan.driven()
        _ = plan.suspectWanted(at: 0, isForced: true)
        let answer13 = plan.aloneWanted(at: 3_000)
        #expect(answer13 == 7_000)
        plan.stopEnded(for: .row, at: 4_000)
        let answer14 = plan.aloneWanted(at: 4_000)
        #expect(answer14 == 4_000)
        let answer15 = plan.aloneWanted(at: 8_000)
        #expect(answer15 == nil)
        let answer16 = plan.collectingWanted(at: 8_000, insists: false)
        #expect(answer16 == nil)
    }
}

/// Suspects in a queue that is driven.
@Suite(.timeLimit(.minutes(3)))
struct SuspectTurnTests {
    @Test("Nothing is claimed while a drop has the process to itself, and all goes on at its end")
    func alone() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(200) }
            let queue = try harness.open()
            #expect(await queue.beginAlone(patience: 1_000))
            try await queue.add(["a"])
            let drive = Task { try await queue.drive(.whileDue, isExplicit: true) }
            await harness.clock.waitForSleeper()
            #expect(harness.transport.sent.isEmpty)
            queue.endAlone()
            try await drive.value
            #expect(harness.transport.sent.map(\.name) == ["a"])
        }
    }

    @Test("A drive whose end comes before a suspect may go waits for that end, and no more often")
    func endWhileCollecting() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(200) }
            try Self.die(with: ["bad", "worse"], in: harness)
            let queue = try harness.open()
            await queue.beginCollecting()
            let end = harness.clock.bootMilliseconds + 30_000
            let drive = Task { try await queue.drive(.waiting(until: end), isExplicit: true) }
            let wake = await harness.clock.waitForSleeper()
            #expect(wake == end)
            harness.clock.advance(by: 30_000)
            try await drive.value
            #expect(harness.transport.sent.isEmpty)
            queue.endCollecting()
        }
    }

    @Test("A queue whose claims are stopped is not dry")
    func dry() async throws {
        try await withTemporaryDirectory { directory in
            let queue = try QueueHarness(directory: directory) { _ in .status(200) }.open()
            #expect(await queue.beginAlone(patience: 1_000))
            #expect(try await queue.change(ifDry: true) { _ in true } == nil)
            queue.endAlone()
            #expect(try await queue.change(ifDry: true) { _ in true } == true)
        }
    }

    @Test(
        "A suspect stops others for a quarter of the time there is, 10 s at most",
        arguments: [(nil, 10_000), (60_000, 10_000), (5_000, 1_250), (0, 100)] as [(Int64?, Int64)])
    func stopLength(left: Int64?, length: Int64) {
        var solitude = Solitude()
        solitude.driveBegan(with: left)
        let hasBegun = solitude.begin(.row, at: 1_000, isForced: false)
        #expect(hasBegun)
        #expect(solitude.stop(at: 1_000 + length - 1) != nil)
        #expect(solitude.stop(at: 1_000 + length) == nil)
    }

    @Test("In a short life a suspect waits for half of it at most")
    func shortLife() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { sent in
                if sent.name == "long" { await Gate().wait() }
                return .status(200)
            }
            try Self.die(with: ["bad"], in: harness)
            let queue = try harness.open()
            try await queue.add(["long"])
            let start = harness.clock.bootMilliseconds
            let drive = Task { try await queue.drive(.whileDue, isExplicit: true, until: start + 20_000) }
            await harness.transport.waitForSent(count: 1)
            await harness.clock.waitForSleeper(until: start + 10_000)
            harness.clock.advance(by: 10_000)
            // For a quarter of the time there was.
            await harness.clock.waitForSleeper(until: start + 15_000)
            #expect(harness.transport.sent.map(\.name) == ["long"], "others are stopped")
            drive.cancel()
            try? await drive.value
        }
    }

    @Test("A drop that takes longer than 10 s has the transfers beside it")
    func longDrop() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(200) }
            let queue = try harness.open()
            #expect(await queue.beginAlone(patience: 1_000))
            try await queue.add(["a"])
            let drive = Task { try await queue.drive(.whileDue, isExplicit: true) }
            await harness.clock.waitForSleeper(until: harness.clock.bootMilliseconds + Solitude.longestStop)
            harness.clock.advance(by: Solitude.longestStop)
            try await drive.value
            #expect(harness.transport.sent.map(\.name) == ["a"])
            queue.endAlone()
        }
    }

    @Test("A drop does not have the process to itself while a transfer is under way, and claims go on without it")
    func impatience() async throws {
        try await withTemporaryDirectory { directory in
            let gate = Gate()
            let harness = try QueueHarness(directory: directory) { sent in
                if sent.index == 0 { await gate.wait() }
                return .status(200)
            }
            let queue = try harness.open()
            try await queue.add(["a"])
            let drive = Task { try await queue.drive(.waiting(until: nil), isExplicit: true) }
            await harness.transport.waitForSent(count: 1)
            let alone = Task { await queue.beginAlone(patience: 1_000) }
            await harness.clock.waitForSleeper(until: harness.clock.bootMilliseconds + 1_000)
            harness.clock.advance(by: 1_000)
            #expect(await !alone.value)
            try await queue.add(["b"])
            await harness.transport.waitForSent(count: 2)
            // Others have as long as they were stopped.
            harness.clock.advance(by: 1_000)
            let second = Task { await queue.beginAlone(patience: 1_000) }
            await harness.clock.waitForSleeper(until: harness.clock.bootMilliseconds + 1_000)
            gate.open()
            #expect(await second.value)
            queue.endAlone()
            drive.cancel()
            try? await drive.value
        }
    }

    @Test("A suspect that hangs stops neither another origin nor collecting for longer than 10 s, and is not blamed")
    func hanging() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { sent in
                if sent.name.hasPrefix("bad") { await Gate().wait() }
                return .status(200)
            }
            try Self.die(with: ["bad"], in: harness)
            let queue = try harness.open()
            let drive = Task { try await queue.drive(.waiting(until: nil), isExplicit: true) }
            await harness.transport.waitForSent(count: 1)
            let end = harness.clock.bootMilliseconds + Solitude.longestStop
            let collecting = Task { await queue.beginCollecting() }
            try await queue.add(["good"])
            await harness.clock.waitForSleeper(until: end)
            #expect(harness.transport.sent.map(\.name) == ["bad"])
            harness.clock.advance(by: Solitude.longestStop)
            await harness.transport.waitForSent(count: 2)
            await collecting.value
            #expect(harness.transport.sent.map(\.name) == ["bad", "good"])
            // The process dies now, with the suspect alone under way.
            while try harness.record("good")?.state != .delivered { await Task.yield() }
            let next = try TransferStore(path: harness.path, clock: harness.clock)
            try next.recover()
            #expect(try next.queries.record("bad")?.strikes == 0)
            next.abandon()
            drive.cancel()
            _ = try? await drive.value
        }
    }

    @Test("A suspect that kills the process while it is alone gets a strike, unless drops were being collected")
    func strike() async throws {
        for wasCollecting in [false, true] {
            try await withTemporaryDirectory { directory in
                let harness = try QueueHarness(directory: directory) { _ in
                    await Gate().wait()
                    return .status(200)
                }
                try Self.die(with: ["a", "b"], in: harness)
                let queue = try harness.open()
                let drive = Task { try await queue.drive(.waiting(until: nil), isExplicit: true) }
                await harness.transport.waitForSent(count: 1)
                let next = try TransferStore(path: harness.path, clock: harness.clock)
                try next.recover(drops: { wasCollecting ? ["drop"] : [] })
                let strikes = try ["a", "b"].compactMap { try next.queries.record($0)?.strikes }
                #expect(strikes.reduce(0, +) == (wasCollecting ? 0 : 1))
                next.abandon()
                drive.cancel()
                _ = try? await drive.value
            }
        }
    }

    @Test("An error is no death: nobody is blamed for the end of a life that gave up")
    func givenUp() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(200) }
            let store = try TransferStore(path: harness.path, clock: harness.clock)
            try store.transaction { () throws in
                try store.insert(NewTransfer(identifier: "a", label: "x", metadata: "{}", byteCount: 5, seenWall: 0))
                _ = try store.claimDue(limit: 1, suspects: false, lane: .main, acceptedMark: 0)
            }
            store.abandon()
            for isOwner in [true, false] {
                let queue = try harness.open()
                try await queue.change { store in
                    _ = try store.claimDue(limit: 1, suspects: true, lane: .main, acceptedMark: 0)
                }
                let before = try #require(try harness.record("a")?.strikes)
                await queue.abandon(isOwner: isOwner)
                _ = try harness.open()
                #expect(try harness.record("a")?.strikes == before + (isOwner ? 0 : 1))
            }
        }
    }

    @Test("While others are always due, each suspect is tried: it waits 60 s, then others wait 10 s at most")
    func patience() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { sent in
                if sent.name.hasPrefix("bad") || sent.name == "long" { await Gate().wait() }
                return .status(200)
            }
            let suspects = (0..<3).map { "bad\($0)" }
            try Self.die(with: suspects, in: harness)
            let queue = try harness.open()
            try await queue.add(["long"])
            let drive = Task { try await queue.drive(.waiting(until: nil), isExplicit: true) }
            await harness.transport.waitForSent(count: 1)
            let start = harness.clock.bootMilliseconds
            for number in 0..<suspects.count {
                let stop = start + 60_000 + Int64(number) * 20_000
                await harness.clock.waitForSleeper(until: stop)
                harness.clock.advance(by: stop - harness.clock.bootMilliseconds)
                await harness.clock.waitForSleeper(until: stop + 10_000)
                #expect(harness.transport.sent.count == 1 + number, "others are stopped")
                harness.clock.advance(by: 10_000)
                await harness.transport.waitForSent(count: 2 + number)
            }
            let times = harness.transport.sent.filter { $0.name.hasPrefix("bad") }.map { $0.boot - start }
            #expect(times == [70_000, 90_000, 110_000])
            drive.cancel()
            _ = try? await drive.value
        }
    }

    /// A life that ends with these claimed.
    private static func die(with identifiers: [String], in harness: QueueHarness) throws {
        let store = try TransferStore(path: harness.path, clock: harness.clock)
        try store.transaction { () throws in
            for identifier in identifiers {
                try store.insert(
                    NewTransfer(identifier: identifier, label: "crash", metadata: "{}", byteCount: 5, seenWall: 0))
            }
            _ = try store.claimDue(limit: 10, suspects: false, lane: .main, acceptedMark: 0)
        }
        // Two at least, so that nobody is blamed for this death.
        if identifiers.count == 1 {
            try store.transaction { () throws in
                try store.insert(
                    NewTransfer(identifier: "beside", label: "x", metadata: "{}", byteCount: 5, seenWall: 0))
                _ = try store.claimDue(limit: 1, suspects: false, lane: .main, acceptedMark: 0)
            }
        }
        store.abandon()
    }
}
