import Background
import DurableIO
import TestSupport
import Testing

@testable import Reports

/// A submit that finds another owner has that owner try what only a submit would try now.
@Suite("A try that another process asks for", .timeLimit(.minutes(2)))
struct TryOrderTests {
    /// The owner has tried in vain, and waits for the time of its next attempt.
    private static func withTroubled(
        _ trouble: @escaping @Sendable (ScriptedTransport.Sent) -> TransportResult,
        _ body: (LastingRunHarness, ContentHash) async throws -> Void
    ) async throws {
        try await withLastingRun { lasting in
            let harness = lasting.harness
            harness.transport.answer { trouble($0) }
            let id = try harness.add("one")
            try await lasting.running {
                await harness.transport.waitForSent(count: 1)
                let ends: [TransferState?] = [.held, .waiting]
                while try !ends.contains(harness.state(id)) { await Task.yield() }
                try await body(lasting, id)
            }
        }
    }

    @Test("the owner sends at once what it would have tried an hour later")
    func held() async throws {
        try await Self.withTroubled { _ in
            .status(401)
        } _: { lasting, id in
            let harness = lasting.harness
            #expect(try harness.state(id) == .held)
            let count = harness.sent.count
            let time = lasting.clock.wallMilliseconds
            harness.transport.answer { _ in .status(200) }
            let submit = Task { try await harness.submit() }
            await lasting.waitForSent(count: count + 1)
            try await lasting.gathering {
                let summary = try await submit.value
                #expect(summary.held == 0 && summary.waiting == 0 && summary.owner != nil)
            }
            #expect(try harness.state(id) == .delivered)
            #expect(lasting.clock.wallMilliseconds < time + 60_000)
            #expect(try harness.entries("collected") == [])
        }
    }

    @Test("a time that the server named stands, and nobody is asked")
    func asked() async throws {
        try await Self.withTroubled { _ in
            .status(503, headers: [(name: "Retry-After", value: "7200")])
        } _: { lasting, _ in
            let harness = lasting.harness
            let summary = try await harness.submit()
            #expect(summary.waiting == 1)
            #expect(harness.sent.count == 1)
            let orders = try harness.entries("collected")
            #expect(orders == [])
        }
    }

    @Test("an owner that does not act on the order keeps the submit for its time alone, and no order stays")
    func takenBack() async throws {
        try await withSpool { harness in
            try await harness.make(.held)
            let owner = try #require(try await harness.own())
            var submission = harness.submission
            submission.deadline = 1_000
            let end = harness.clock.bootMilliseconds + 1_000
            let run = Task { [submission] in try await submission.run() }
            while try harness.entries("collected").isEmpty { await Task.yield() }
            await harness.clock.waitForSleeper(until: end)
            harness.clock.advance(by: 1_000)
            let isOwnedElsewhere = try await run.value.isOwnedElsewhere
            #expect(isOwnedElsewhere)
            #expect(try harness.entries("collected") == [])
            try await owner.resign()
        }
    }

    @Test("a probe that is asked for is due in the ledger until it is claimed")
    func durable() async throws {
        try await withSpool { harness in
            harness.transport.answer { _ in .status(401) }
            let id = try harness.add("one")
            try await harness.submit()
            let owner = try #require(try await harness.own())
            let reader = try LedgerReader(
                name: LedgerPlace.ledgerName, in: harness.spool.root, files: harness.spool.files, clock: harness.clock)
            var (isUntried, isDue) = try (reader.hasUntried(in: { _ in true }), reader.hasSendable(in: { _ in true }))
            #expect(isUntried && !isDue)
            try await owner.queue.probe()
            (isUntried, isDue) = try (reader.hasUntried(in: { _ in true }), reader.hasSendable(in: { _ in true }))
            #expect(!isUntried && isDue)
            #expect(try harness.record(id)?.reason == .held(.auth))
            try await owner.resign()
            #expect(harness.sent.count == 1)
        }
    }
}
