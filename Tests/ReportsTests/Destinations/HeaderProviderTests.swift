import Background
import DurableIO
import Reports
import TestSupport
import Testing

/// Headers that are asked for at each send, and cannot always be had.
@Suite("Headers that cannot be had", .timeLimit(.minutes(2)))
struct HeaderProviderTests {
    private struct VaultIsSealed: Error {}

    private static func configuration(
        _ harness: SpoolHarness, _ provider: @escaping Destination.HeaderProvider
    ) -> SpoolOwner.Configuration {
        var configuration = SpoolOwner.Configuration(
            destination: .http("http://collector.example/reports/{id}", headers: provider))
        configuration.transport = harness.transport
        return configuration
    }

    @Test("leave the reports waiting, uncharged and longer each time, and nothing is held against the server")
    func failing() async throws {
        try await withSpool { harness in
            let isSealed = Monitor(true)
            let reporter = Reporter(
                spool: harness.spool,
                owner: Self.configuration(harness) {
                    if isSealed.value { throw VaultIsSealed() }
                    return [("Authorization", "Bearer token")]
                })
            let ids = [try harness.add("one"), try harness.add("two")]
            var waits: [Int64] = []
            for round in 1...8 {
                let summary = try await reporter.submitPending()
                #expect(summary.waiting == 2 && summary.delivered == 0)
                let record = try #require(try harness.record(ids[0]))
                #expect(record.state == .waiting && record.reason == .waiting(.headers))
                #expect(record.charged == 0 && record.failures == round)
                #expect(record.lastError == "the program could not provide the headers (VaultIsSealed)")
                #expect(record.note == record.lastError)
                let next = try #require(summary.nextAttemptMilliseconds)
                waits.append(next - harness.clock.wallMilliseconds)
                let origins = try SpoolInspector(spool: harness.spool).origins()
                #expect(origins.allSatisfy { $0.isOpen && $0.lastError == nil })
                // Both of them are due by then.
                harness.clock.advance(by: 3_600_000)
            }
            #expect(waits.allSatisfy { $0 >= 2_500 && $0 <= 3_600_000 })
            #expect(try #require(waits.last) > 100_000)
            #expect(harness.transport.sent.isEmpty)

            isSealed.withLock { $0 = false }
            #expect(try await reporter.submitPending().delivered == 2)
        }
    }

    @Test("whose provider cancels something of its own are had as little, and not asked for without a pause")
    func cancelled() async throws {
        try await withSpool { harness in
            let asked = Monitor(0)
            let reporter = Reporter(
                spool: harness.spool,
                owner: Self.configuration(harness) {
                    asked.withLock { $0 += 1 }
                    throw CancellationError()
                })
            let id = try harness.add("one")
            #expect(try await reporter.submitPending().waiting == 1)
            #expect(asked.value == 1)
            #expect(try harness.record(id)?.reason == .waiting(.headers))
        }
    }
}
