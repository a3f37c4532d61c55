import Background
import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

/// Some of what trouble leaves behind is found only when files and ledger are compared, as each new owner does it.
@Suite("A run that lasts, and what only another owner finds")
struct LastingRenewalTests {
    @Test("an entry that has lost its place without getting a row is sent by the same run, and told of")
    func misplaced() async throws {
        try await withRefusing(.sync, in: "queued", .noSpace) { lasting, refuses in
            let harness = lasting.harness
            try await lasting.running {
                await lasting.rest()
                refuses.withLock { $0 = true }
                let id = try harness.add("first")
                await lasting.gathering { await lasting.events.wait { $0.contains { $0.isNoSpace(true) } } }
                #expect(try harness.entries("queued") == [id.hex + ".gz"] && harness.record(id) == nil)
                // For a minute the owner may be about to commit the row.
                #expect(try harness.findings() == [])
                harness.clock.setWall(Int64(Date().timeIntervalSince1970 * 1_000) + 61_000)
                #expect(try harness.findings().contains { $0.contains("no row in the ledger yet") })
                refuses.withLock { $0 = false }
                try await lasting.clock.racing { _ = await harness.transport.waitForSent(count: 1) }
                #expect(harness.sent == [id.hex])
                #expect(lasting.events.value.contains { $0.isNoSpace(false) })
            }
            #expect(try harness.findings() == [])
        }
    }

    @Test("while the cause lasts, owners follow each other ever more seldom")
    func lasting() async throws {
        try await withRefusing(.rename, in: "parked", .ioError) { lasting, refuses in
            let harness = lasting.harness
            harness.transport.answer { _ in .status(400) }
            let owners = Monitor(0)
            try await lasting.running { submission in
                submission.watching.onReady = { [isReady = lasting.isReady] in
                    owners.withLock { $0 += 1 }
                    isReady.open()
                }
            } _: {
                await lasting.rest()
                refuses.withLock { $0 = true }
                try harness.add("first")
                await lasting.waitForSent(count: 1)
                let begin = lasting.clock.bootMilliseconds
                try await lasting.clock.racing { await owners.wait { $0 >= 6 } }
                // 10, 20, 40, 80 and 160 s at least.
                #expect(lasting.clock.bootMilliseconds - begin >= 300_000)
                refuses.withLock { $0 = false }
                try await lasting.clock.racing {
                    while try harness.entries("parked").isEmpty, !Task.isCancelled { await Task.yield() }
                }
            }
            #expect(try harness.findings() == [])
        }
    }

    @Test("an owner ends only when it has lived long enough, and not while it sends, unless that lasts for an hour")
    func times() {
        let renewals = Renewals()
        renewals.begin(at: 1_000_000)
        #expect(renewals.wait(at: 1_000_000) == 10_000 && !renewals.mayEnd(at: 1_009_999, isSending: false))
        #expect(!renewals.mayEnd(at: 1_010_000, isSending: true) && !renewals.isRenewing)
        #expect(!renewals.mayEnd(at: 4_609_999, isSending: true))
        #expect(renewals.mayEnd(at: 4_610_000, isSending: true) && renewals.isRenewing)
        renewals.begin(at: 4_610_000)
        // The one before has lived for long.
        #expect(renewals.wait(at: 4_610_000) == 10_000 && !renewals.isRenewing)
        var now: Int64 = 4_610_000
        for life: Int64 in [10_000, 20_000, 40_000, 80_000] {
            #expect(renewals.wait(at: now) == life)
            now += life
            #expect(renewals.mayEnd(at: now, isSending: false))
            renewals.begin(at: now)
        }
        for _ in 0..<20 {
            now += renewals.wait(at: now)
            #expect(renewals.mayEnd(at: now, isSending: false))
            renewals.begin(at: now)
        }
        #expect(renewals.wait(at: now) == 6 * 3_600_000)
    }
}

/// Runs `body` with a new spool, and with the switch of a fault: calls of this kind for a room are refused.
private func withRefusing(
    _ operation: FaultingFileSystem.Call.Operation, in room: String, _ errno: Errno,
    _ body: (LastingRunHarness, Monitor<Bool>) async throws -> Void
) async throws {
    let refuses = Monitor(false)
    try await withTemporaryDirectory { directory in
        let lasting = try LastingRunHarness(
            directory + "/spool",
            refuse: { call throws(FileSystemError) in
                guard refuses.value, call.operation == operation, call.room == room else { return }
                throw FileSystemError(operation == .sync ? .sync : .rename, room, errno)
            })
        try await body(lasting, refuses)
    }
}

extension SpoolEvent {
    /// Whether it says that there is too little space, or that there is enough again.
    fileprivate func isNoSpace(_ begins: Bool) -> Bool {
        if case .noSpace(let reason) = self { (reason != nil) == begins } else { false }
    }
}
