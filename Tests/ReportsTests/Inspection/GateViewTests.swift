import Background
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// When a report is tried next is what its own time and the gate of its lane say, whoever looks and however many
/// servers the ledger knows.
@Suite("Reports behind gates", .timeLimit(.minutes(1)))
struct GateViewTests {
    private func submit(_ harness: SpoolHarness, to url: String) async throws -> SubmissionSummary {
        var submission = harness.submission
        submission.configuration.routing = Routing(.http(url))
        return try await submission.run()
    }

    private static let patience = [(name: "Retry-After", value: "7200")]

    @Test("with two servers in the ledger, each report shows the time of the gate it waits behind")
    func twoOrigins() async throws {
        try await withSpool { harness in
            // A first server takes one report; its gate stays open.
            try harness.add("delivered")
            _ = try await submit(harness, to: "http://first.example/{id}")
            // The second asks to wait for two hours, before it has seen the third report.
            harness.transport.answer { _ in .status(503, headers: Self.patience) }
            let asked = try harness.add("asked")
            _ = try await submit(harness, to: "http://second.example/{id}")
            let behind = try harness.add("behind")
            let summary = try await submit(harness, to: "http://second.example/{id}")
            #expect(summary.waiting == 2)
            let inspector = try SpoolInspector(spool: harness.spool)
            let opens = try #require(try inspector.status().origins.first { !$0.isOpen }?.opensAt)
            #expect(opens >= harness.clock.wallMilliseconds + 7_200_000)
            for id in [asked, behind] {
                #expect(try #require(try inspector.report(id.hex).nextAttemptAt) >= opens, "\(id)")
            }
            #expect(try #require(try inspector.status().nextAttemptAt) >= opens)
            #expect(try #require(summary.nextAttemptMilliseconds) >= opens)
        }
    }

    @Test("a report shows the gate of the server that the last run was for, whether or not anything was sent there")
    func backToTheFirst() async throws {
        try await withSpool { harness in
            let id = try harness.add("report")
            harness.transport.answer { _ in .status(429, headers: Self.patience) }
            _ = try await submit(harness, to: "http://first.example/{id}")
            let opens = try #require(try SpoolInspector(spool: harness.spool).status().origins.first?.opensAt)
            _ = try await OrderDispatch(spool: harness.spool).carryOut(.retry, ids: [id.hex])
            harness.transport.answer { _ in .status(500) }
            _ = try await submit(harness, to: "http://second.example/{id}")
            harness.clock.advance(by: 600_000)
            _ = try await submit(harness, to: "http://first.example/{id}")
            let view = try SpoolInspector(spool: harness.spool).report(id.hex)
            #expect(view.attempts == 2)
            #expect(try #require(view.nextAttemptAt) >= opens)
        }
    }

    @Test("what is held with its server shows when that is probed again")
    func held() async throws {
        try await withSpool { harness in
            let id = try harness.add("report")
            harness.transport.answer { _ in .status(401) }
            try await harness.submit()
            let view = try SpoolInspector(spool: harness.spool).report(id.hex)
            #expect(view.state == "held")
            #expect(view.nextAttemptAt == harness.clock.wallMilliseconds + OriginGate.probeInterval)
        }
    }

    @Test(
        "something is to be sent while one of several gates is open for it, and not behind a closed one",
        arguments: [true, false])
    func sendable(isDueAtOpenGate: Bool) async throws {
        try await withSpool { harness in
            try harness.add("asked")
            harness.transport.answer { _ in .status(503, headers: Self.patience) }
            _ = try await submit(harness, to: "http://closed.example/{id}")
            harness.transport.answer { _ in .status(200) }
            try harness.add("delivered")
            _ = try await submit(
                harness, to: isDueAtOpenGate ? "http://open.example/{id}" : "http://closed.example/{id}")
            let due = try harness.add("due")
            try await harness.takeIn()
            try await harness.change { try $0.move(due.hex, to: .main) }
            let reader = try LedgerReader(
                name: LedgerPlace.ledgerName, in: harness.spool.root, files: harness.spool.files, clock: harness.clock)
            #expect(try reader.hasSendable(in: { _ in true }) == isDueAtOpenGate)
        }
    }

    @Test("a server is forgotten a day after its last use, never before the time it named")
    func forgotten() async throws {
        try await withSpool { harness in
            try harness.add("to the first")
            _ = try await submit(harness, to: "http://first.example/{id}")
            harness.transport.answer { _ in .status(200, headers: []) }
            let id = try harness.add("to the second")
            harness.transport.answer { _ in .status(503, headers: [(name: "Retry-After", value: "86400")]) }
            _ = try await submit(harness, to: "http://second.example/{id}")
            _ = try await OrderDispatch(spool: harness.spool).carryOut(.remove, ids: [id.hex])
            func origins() throws -> [String] {
                try SpoolInspector(spool: harness.spool).status().origins.map(\.name)
            }
            #expect(try origins() == ["http://first.example:80", "http://second.example:80"])
            harness.clock.advance(by: TransferStore.idleOriginAge - 1)
            try await harness.make(.delivered, text: "1")
            #expect(try origins().count == 2)
            harness.clock.advance(by: 2)
            try await harness.make(.delivered, text: "2")
            // The second asked for a day and some spread on top of it.
            #expect(try origins() == ["http://second.example:80"])
            harness.clock.advance(by: 2 * 86_400_000)
            try await harness.make(.delivered, text: "3")
            #expect(try origins() == [])
        }
    }

    @Test("a server that reports are bound for is not forgotten")
    func boundFor() async throws {
        try await withSpool { harness in
            try harness.add("report")
            harness.transport.answer { _ in .status(401) }
            try await harness.submit()
            harness.clock.advance(by: 30 * 86_400_000)
            try await harness.make(.delivered, text: "other")
            #expect(try SpoolInspector(spool: harness.spool).status().origins.count == 1)
        }
    }
}
