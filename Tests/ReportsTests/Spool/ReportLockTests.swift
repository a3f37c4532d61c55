import Background
import DurableIO
import Foundation
import TestSupport
import Testing

@testable import Reports

/// A report's file is never moved or removed for a verdict on bytes that have come anew since.
@Suite("One party at a time for one report", .timeLimit(.minutes(2)))
struct ReportLockTests {
    /// Returns once so many parties wait for the turn that the test holds.
    private func waitForParties(_ count: Int, at locks: ReportLocks) async {
        while locks.waitingCount < count { await Task.yield() }
    }

    /// Runs `start` while the report's turn is taken, and gives the turn back when `start` has returned.
    private func holdingTurn(
        of id: ContentHash, _ owner: SpoolOwner, _ start: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await owner.sender.locks.alone(with: [id.hex]) { try await start() }
    }

    @Test(
        "a row that came anew between a verdict's commit and its file's move keeps the file",
        arguments: [(200, TransferState.delivered), (400, .rejected), (404, .rejected)])
    func revivedBeforeRelease(status: Int, verdict: TransferState) async throws {
        try await withSpool { harness in
            let id = try harness.add("report")
            let owner = try #require(try await harness.own())
            try await takeIn(as: owner)
            harness.transport.answer { $0.index == 0 ? .status(status) : .status(503) }
            let row = try #require(try harness.record(id))
            let drive = Task { try await owner.queue.drive(.whileDue, isExplicit: true) }
            try await holdingTurn(of: id, owner) {
                await waitForParties(1, at: owner.sender.locks)
                #expect(try harness.state(id) == verdict)
                // What enrolling the same content does when its bytes were lost.
                try await owner.queue.change { store in
                    try store.revive(
                        NewTransfer(
                            identifier: id.hex, lane: row.lane, label: row.label, rank: row.rank,
                            metadata: row.metadata, byteCount: row.byteCount, seenWall: row.lastSeenWall))
                }
            }
            try await drive.value
            #expect(try harness.rooms(of: id) == ["queued"])
            #expect(try harness.state(id)?.isLive == true)
            try await owner.resign()
            #expect(try harness.findings() == [])
        }
    }

    @Test(
        "an eviction and a drop of the same content leave a whole report or an evicted one", arguments: [true, false])
    func evictionAndDrop(isEvictionFirst: Bool) async throws {
        var limits = SpoolLimits()
        limits.maximumCount = 0
        try await withSpool(limits: limits) { harness in
            let id = try harness.add("report")
            let owner = try #require(try await harness.own())
            try await takeIn(as: owner)
            try harness.drop("again", "report")
            let parties: [@Sendable () async throws -> Void] = [
                { try await owner.keepLimits() }, { try await takeIn(as: owner) },
            ]
            let ordered = isEvictionFirst ? parties : parties.reversed()
            let tasks = Monitor<[Task<Void, any Error>]>([])
            try await holdingTurn(of: id, owner) {
                for (number, party) in ordered.enumerated() {
                    let task = Task { try await party() }
                    tasks.withLock { $0.append(task) }
                    await waitForParties(number + 1, at: owner.sender.locks)
                }
            }
            for task in tasks.value { try await task.value }
            #expect(try harness.state(id) == (isEvictionFirst ? .queued : .evicted))
            #expect(try harness.rooms(of: id) == (isEvictionFirst ? ["queued"] : []))
            #expect(try harness.record(id)?.seen == 2)
            #expect(try harness.entries("taken") == [])
            try await owner.resign()
            #expect(try harness.findings() == [])
        }
    }

    @Test(
        "a person's remove and a drop of the same content leave a whole report or a removed one",
        arguments: [true, false])
    func removeAndDrop(isRemoveFirst: Bool) async throws {
        try await withSpool { harness in
            let id = try harness.add("report")
            let owner = try #require(try await harness.own())
            try await takeIn(as: owner)
            let order: @Sendable () async throws -> Void = {
                _ = try await OrderDispatch(spool: harness.spool).carryOut(.remove, ids: [id.hex])
            }
            let drop: @Sendable () throws -> Void = { try harness.drop("again", "report") }
            let tasks = Monitor<[Task<Void, any Error>]>([])
            try await holdingTurn(of: id, owner) {
                // The second look meets the first one's order, too, which has its effect once.
                for number in 1...2 {
                    if (number == 1) == isRemoveFirst { try await order() } else { try drop() }
                    let task = Task { try await takeIn(as: owner) }
                    tasks.withLock { $0.append(task) }
                    await waitForParties(number, at: owner.sender.locks)
                }
            }
            for task in tasks.value { try await task.value }
            #expect(try harness.state(id) == (isRemoveFirst ? .queued : .removed))
            #expect(try harness.rooms(of: id) == (isRemoveFirst ? ["queued"] : []))
            #expect(try harness.entries("taken") == [])
            #expect(try harness.entries("collected") == [])
            try await owner.resign()
            #expect(try harness.findings() == [])
        }
    }

    @Test("parties for other reports do not wait, and nobody overtakes one who waits for the same")
    func order() async throws {
        let locks = ReportLocks()
        let log = Monitor<[String]>([])
        let (started, gate) = (Gate(), Gate())
        let first = Task {
            await locks.alone(with: ["a"]) {
                started.open()
                await gate.wait()
            }
        }
        await started.wait()
        let both = Task { await locks.alone(with: ["a", "b"]) { log.withLock { $0.append("both") } } }
        await waitForParties(1, at: locks)
        let late = Task { await locks.alone(with: ["b"]) { log.withLock { $0.append("late") } } }
        await waitForParties(2, at: locks)
        await locks.alone(with: ["c"]) { log.withLock { $0.append("other") } }
        gate.open()
        _ = await (first.value, both.value, late.value)
        #expect(log.value == ["other", "both", "late"])
    }
}
