import Background
import TestSupport
import Testing

/// Transfers whose bodies need longer than the deadlines of the runs: 300 bytes at 25 bytes a second, which are 12 s.
@Suite(.timeLimit(.minutes(3)))
struct SlowBodyTests {
    private static let size = 300
    private static let hours6: Int64 = 6 * 3_600_000
    private static let note = "needs about 12 s at 25 B/s, more than the deadline of 5 s"

    /// Attempts of names that begin with "slow" move for so many seconds of the clock; the others are answered at once.
    private final class Link: Sendable {
        let harness: QueueHarness
        private let stopped: Monitor<Int>

        init(directory: String, seconds: Int = 5) throws {
            let stopped = Monitor(0)
            let clock = ManualClock()
            self.stopped = stopped
            harness = try QueueHarness(directory: directory, clock: clock, byteCount: size) { sent in
                if sent.name == "hang" { await Gate().wait() }
                guard sent.name.hasPrefix("slow") else { return .status(200) }
                for second in 1...seconds {
                    clock.advance(by: 1_000)
                    sent.request.onProgress?(UInt64(min(size, second * 25)))
                }
                if seconds * 25 >= size { return .status(200) }
                stopped.withLock { $0 += 1 }
                await Gate().wait()
                return .status(200)
            }
        }

        /// A run that its deadline ends when the slow body has moved for as long as it may, or, without one, a signal.
        func run(
            deadline: Int64? = 5_000, length: Int64? = nil, cutsSlow: Bool = true,
            _ prepare: (TransferQueue) async throws -> Void = { _ in }
        ) async throws {
            let queue = try harness.open { $0.prefersFirstRank = true }
            try await prepare(queue)
            let end = deadline.map { harness.clock.bootMilliseconds + $0 }
            let before = stopped.value
            let drive = Task { try await queue.drive(.whileDue, isExplicit: true, until: end, deadline: length) }
            if cutsSlow {
                await stopped.wait { $0 > before }
                drive.cancel()
            }
            try? await drive.value
            try await queue.close()
        }
    }

    @Test("After two cuts a body is put off for six hours with a note, and the others go on without it")
    func putOff() async throws {
        try await withTemporaryDirectory { directory in
            let link = try Link(directory: directory)
            try await link.run { try await $0.add(["slow"], byteCount: Int64(Self.size)) }
            let once = try #require(try link.harness.record("slow"))
            #expect(once.reason == .waiting(.interrupted) && once.cuts.count == 1 && once.note == nil)
            try await link.run()
            let twice = try #require(try link.harness.record("slow"))
            #expect(twice.state == .waiting && twice.reason == .waiting(.deadline) && twice.note == Self.note)
            #expect(twice.cuts == CutAttempts(count: 2, rate: BodyRate(byteCount: 100, milliseconds: 4_000)))
            let left = link.harness.transport.sent.count
            try await link.run(cutsSlow: false) { queue in
                try await queue.add(["small"])
                let wall = try await queue.nextAttemptWall()
                #expect(wall == link.harness.clock.wallMilliseconds)
            }
            #expect(link.harness.transport.sent.dropFirst(left).map(\.name) == ["small"])
            #expect(try link.harness.record("slow")?.note == Self.note)
        }
    }

    @Test("The note names the deadline of the run, which has lasted longer than the queue")
    func ownDeadline() async throws {
        try await withTemporaryDirectory { directory in
            let link = try Link(directory: directory)
            try await link.run(length: 9_000) { try await $0.add(["slow"], byteCount: Int64(Self.size)) }
            try await link.run(length: 9_000)
            #expect(
                try link.harness.record("slow")?.note
                    == "needs about 12 s at 25 B/s, more than the deadline of 9 s")
        }
    }

    @Test("A body that was cut twice beside another stays due, goes last, and is put off only when that is cut, too")
    func besideOthers() async throws {
        try await withTemporaryDirectory { directory in
            let link = try Link(directory: directory)
            try await link.run { try await $0.add(["hang", "slow"], byteCount: Int64(Self.size)) }
            try await link.run()
            let twice = try #require(try link.harness.record("slow"))
            #expect(twice.cuts.count == 2 && twice.cuts.rate != nil && twice.reason == .waiting(.interrupted))
            #expect(try link.harness.hasSendable())
            // The end of another is what makes the queue look for more.
            try await link.run { try await $0.add(["small"]) }
            #expect(link.harness.transport.sent.map(\.name).last == "slow")
            let last = try #require(try link.harness.record("slow"))
            #expect(last.cuts.count == 3 && last.reason == .waiting(.deadline))
        }
    }

    @Test("Where something is always due, one slow body that has rested for six hours takes its turn beside the others")
    func rested() throws {
        try Self.withLedger { path, clock in
            let store = try TransferStore(path: path, clock: clock)
            func claims(_ slow: TransferStore.SlowRows) throws -> [String] {
                try store.transaction { () throws in
                    let claims = try store.claimDue(
                        limit: 10, suspects: false, lane: .main, slow: slow, acceptedMark: 0)
                    for claim in claims { try store.giveBack(claim) }
                    return claims.map(\.record.identifier)
                }
            }
            try store.transaction { () throws in
                for name in ["slow1", "slow2"] {
                    try store.insert(
                        NewTransfer(
                            identifier: name, label: "x", rank: 1, metadata: "{}", byteCount: 300, seenWall: 1))
                }
                for claim in try store.claimDue(limit: 2, suspects: false, lane: .main, acceptedMark: 0) {
                    try store.settle(
                        Settlement(
                            claim: claim, verdict: Verdict(.waiting, reason: .waiting(.interrupted), due: store.now),
                            endedWall: 0, status: nil, error: nil, bytesSent: 0, retryAfter: nil, receipt: nil,
                            answer: nil, acceptedMark: 0, cuts: CutAttempts(count: 2)))
                }
            }
            clock.advance(by: Self.hours6 - 1)
            try store.transaction { () throws in
                try store.insert(
                    NewTransfer(identifier: "a", label: "x", rank: 1, metadata: "{}", byteCount: 5, seenWall: 1))
            }
            #expect(try claims(.rested) == ["a"])
            clock.advance(by: 1)
            #expect(try claims(.rested) == ["slow1", "a"])
            #expect(try claims(.none) == ["a"])
            try store.close()
        }
    }

    @Test("Nobody is told that it is due, and after six hours it is tried once")
    func sixHours() async throws {
        try await withTemporaryDirectory { directory in
            let link = try Link(directory: directory)
            try await link.run { try await $0.add(["slow"], byteCount: Int64(Self.size)) }
            try await link.run()
            let wall = link.harness.clock.wallMilliseconds
            let queue = try link.harness.open()
            #expect(try await queue.nextAttemptWall() == wall + Self.hours6)
            #expect(try await queue.look { try $0.hasDue(by: $0.nextDue() ?? 0, lane: .main) })
            #expect(try link.harness.hasSendable() == false)
            try await queue.close()
            link.harness.clock.advance(by: Self.hours6)
            #expect(try link.harness.hasSendable())
            let before = link.harness.transport.sent.count
            try await link.run()
            #expect(link.harness.transport.sent.count == before + 1)
            #expect(try link.harness.record("slow")?.cuts.count == 3)
            #expect(try link.harness.hasSendable() == false)
        }
    }

    @Test("It goes when nothing else can and the run has the time, one slow body after another")
    func fitting() async throws {
        try await withTemporaryDirectory { directory in
            let cutting = try Link(directory: directory)
            for name in ["slow1", "slow2"] {
                try await cutting.run { try await $0.add([name], byteCount: Int64(Self.size)) }
                try await cutting.run()
            }
            #expect(try cutting.harness.records().allSatisfy { $0.reason == .waiting(.deadline) })
            let link = try Link(directory: directory, seconds: 12)
            link.harness.clock.advance(by: 3_600_000)
            try await link.run(deadline: 11_000, cutsSlow: false)
            #expect(link.harness.transport.sent.isEmpty)
            try await link.run(deadline: 20_000, cutsSlow: false) { try await $0.add(["a", "b"], rank: 2) }
            #expect(link.harness.transport.sent.map(\.name).prefix(2).sorted() == ["a", "b"])
            #expect(link.harness.transport.sent.count == 3, "the second one would not have had the time")
            try await link.run(deadline: 20_000, cutsSlow: false)
            #expect(try link.harness.count(.delivered) == 4)
            #expect(link.harness.transport.mostInFlight <= 2)
        }
    }

    @Test("A run without a deadline sends it beside the others, at once")
    func withoutDeadline() async throws {
        try await withTemporaryDirectory { directory in
            let cutting = try Link(directory: directory)
            try await cutting.run { try await $0.add(["slow"], byteCount: Int64(Self.size)) }
            try await cutting.run()
            let link = try Link(directory: directory, seconds: 12)
            try await link.run(deadline: nil, cutsSlow: false)
            #expect(try link.harness.record("slow")?.state == .delivered)
            #expect(try link.harness.record("slow")?.cuts == CutAttempts())
        }
    }

    @Test("A person's retry forgets the cuts, and so does any other end of an attempt")
    func forgotten() async throws {
        try await withTemporaryDirectory { directory in
            let link = try Link(directory: directory)
            try await link.run { try await $0.add(["slow"], byteCount: Int64(Self.size)) }
            try await link.run()
            let queue = try link.harness.open()
            try await queue.change { try $0.restart("slow") }
            let record = try #require(try link.harness.record("slow"))
            #expect(record.cuts == CutAttempts() && record.reason == nil)
            #expect(record.due == (try await queue.look { try $0.nextDue() }))
            try await queue.close()
            try await link.run()
            link.harness.transport.answer { _ in .status(503) }
            try await link.run(cutsSlow: false)
            #expect(try link.harness.record("slow")?.cuts == CutAttempts())
        }
    }

    @Test("An upload that comes further in each attempt is never put off")
    func advancing() async throws {
        try await withTemporaryDirectory { directory in
            let link = try Link(directory: directory)
            try await link.run { try await $0.add(["slow"], byteCount: Int64(Self.size)) }
            for _ in 0..<3 {
                let queue = try link.harness.open()
                let end = link.harness.clock.bootMilliseconds + 5_000
                let moved = Monitor(false)
                link.harness.transport.answer { [clock = link.harness.clock] sent in
                    for second in 1...5 {
                        clock.advance(by: 1_000)
                        sent.request.onProgress?(UInt64(second * 25))
                    }
                    moved.withLock { $0 = true }
                    await Gate().wait()
                    return .status(200)
                }
                let drive = Task { try await queue.drive(.whileDue, isExplicit: true, until: end) }
                await moved.wait { $0 }
                try await queue.note(progress: "further", byteCount: nil, hasAdvanced: true, of: "slow")
                drive.cancel()
                try? await drive.value
                let record = try #require(try link.harness.record("slow"))
                #expect(record.cuts.count == 1 && record.reason == .waiting(.interrupted))
                try await queue.close()
            }
        }
    }

    @Test("A claim that is given back before it began is put off as before")
    func givenBack() throws {
        try Self.withLedger { path, clock in
            let store = try TransferStore(path: path, clock: clock)
            try store.transaction { () throws in
                try store.insert(
                    NewTransfer(identifier: "a", label: "x", rank: 1, metadata: "{}", byteCount: 300, seenWall: 1))
                let claim = try #require(
                    try store.claimDue(limit: 1, suspects: false, lane: .main, acceptedMark: 0).first)
                var verdict = Verdict(.waiting, reason: .waiting(.deadline), due: store.now + 1_000)
                verdict.note = "slow"
                try store.settle(
                    Settlement(
                        claim: claim, verdict: verdict, endedWall: 0, status: nil, error: nil, bytesSent: 0,
                        retryAfter: nil, receipt: nil, answer: nil, acceptedMark: 0,
                        cuts: CutAttempts(count: 2, rate: BodyRate(byteCount: 1, milliseconds: 1))))
            }
            let before = try #require(try store.queries.record("a"))
            clock.advance(by: 1_000)
            try store.transaction { () throws in
                let claim = try #require(
                    try store.claimDue(limit: 1, suspects: false, lane: .main, acceptedMark: 0).first)
                try store.giveBack(claim)
            }
            let after = try #require(try store.queries.record("a"))
            #expect((after.due, after.note, after.reason) == (before.due, "slow", .waiting(.deadline)))
            #expect(after.attempts == 1 && after.cuts == before.cuts)
            try store.close()
        }
    }

    private static func withLedger(_ body: (_ path: String, ManualClock) throws -> Void) throws {
        try withTemporaryDirectory { try body($0 + "/ledger.sqlite", ManualClock()) }
    }
}
