import Background
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct InterruptionTests {
    @Test("A cancelled drive gives what is under way back, due at once and uncharged")
    func cancelled() async throws {
        try await withTemporaryDirectory { directory in
            let gate = Gate()
            let harness = try QueueHarness(directory: directory) { _ in
                await gate.wait()
                return .status(200)
            }
            let queue = try harness.open()
            try await queue.add(names(10))
            let drive = Task { try await queue.drive(.whileDue, isExplicit: true) }
            await harness.transport.waitForSent(count: OriginGate.initialWindow)
            drive.cancel()
            try await drive.value
            #expect(try harness.count(.sending) == 0)
            let records = try harness.records()
            #expect(records.allSatisfy { $0.charged == 0 && $0.due != nil && !$0.isSuspect })
            #expect(records.count { $0.reason == .waiting(.interrupted) } == OriginGate.initialWindow)
            try await queue.close()

            gate.open()
            let next = try harness.open()
            try await next.drive(.whileDue, isExplicit: true)
            #expect(try harness.count(.delivered) == 10)
        }
    }

    @Test("An end that could not be written is written by the next drive, and nothing is sent again")
    func failedCommit() async throws {
        try await withTemporaryDirectory { directory in
            let gate = Gate()
            let harness = try QueueHarness(directory: directory) { _ in
                await gate.wait()
                return .status(200)
            }
            let queue = try harness.open()
            try await queue.add(names(1))
            let drive = Task { try await queue.drive(.whileDue, isExplicit: true) }
            await harness.transport.waitForSent(count: 1)
            _ = try await queue.look { try $0.pragma("query_only=ON") }
            gate.open()
            await #expect(throws: SQLiteError.self) { try await drive.value }
            #expect(try harness.count(.sending) == 1)

            _ = try await queue.look { try $0.pragma("query_only=OFF") }
            try await queue.drive(.whileDue, isExplicit: false)
            #expect(try harness.count(.delivered) == 1)
            #expect(harness.transport.sent.count == 1)
        }
    }

    @Test("A transfer that is alone at three unclean ends is held, then tried alone, last")
    func poison() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(200) }
            try Self.die(with: ["poison"], in: harness)
            for strikes in 1...3 {
                let queue = try harness.open()
                let record = try #require(try harness.record("poison"))
                #expect(record.strikes == strikes)
                #expect(record.isSuspect)
                #expect(record.state == (strikes < 3 ? .waiting : .held))
                if strikes < 3 { try Self.die(with: [], in: harness) }
                _ = queue
            }
            let queue = try harness.open()
            #expect(try harness.record("poison")?.reason == .held(.poison))
            try await queue.add(names(20))
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(try harness.count(.delivered) == 20)
            #expect(!harness.transport.sent.contains { $0.name == "poison" })

            harness.clock.advance(by: 3_600_000)
            try await queue.add(["late1", "late2"])
            try await queue.drive(.whileDue, isExplicit: false)
            let last = try #require(harness.transport.sent.last)
            #expect(last.name == "poison")
            #expect(last.inFlight == 1)
            #expect(try harness.record("poison")?.state == .delivered)
        }
    }

    @Test("Those under way together at an unclean end are suspects without a strike, and go last, one at a time")
    func suspects() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(200) }
            try Self.die(with: ["s1", "s2", "s3"], in: harness)
            let queue = try harness.open()
            try await queue.add(names(30))
            try await queue.drive(.whileDue, isExplicit: true)
            let order = harness.transport.sent
            #expect(Set(order.suffix(3).map(\.name)) == ["s1", "s2", "s3"])
            #expect(order.suffix(3).allSatisfy { $0.inFlight == 1 })
            #expect(try harness.records().allSatisfy { $0.state == .delivered && $0.strikes == 0 && !$0.isSuspect })
        }
    }

    @Test("A machine that went down says nothing about what was under way")
    func otherBoot() throws {
        try withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(200) }
            try Self.die(with: ["a"], in: harness)
            harness.clock.reboot(as: "boot-2", wall: harness.clock.wallMilliseconds + 60_000)
            _ = try harness.open()
            #expect(try harness.record("a")?.strikes == 0)
            #expect(try harness.record("a")?.state == .waiting)
        }
    }

    /// A life that ends with these, and what is due already, claimed and nothing settled.
    private static func die(with identifiers: [String], in harness: QueueHarness) throws {
        let store = try TransferStore(path: harness.path, clock: harness.clock)
        try store.transaction { () throws in
            for identifier in identifiers {
                try store.insert(
                    NewTransfer(identifier: identifier, label: "crash", metadata: "{}", byteCount: 5, seenWall: 0))
            }
        }
        try store.transaction { () throws in
            for isSuspect in [false, true] {
                _ = try store.claimDue(limit: 10, suspects: isSuspect, lane: .main, acceptedMark: 0)
            }
        }
    }
}
