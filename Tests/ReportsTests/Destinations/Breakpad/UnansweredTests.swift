import Background
import DurableIO
import TestSupport
import Testing

@testable import Reports

/// A dump whose answer was lost: a collector takes each copy for another dump.
@Suite("Minidumps without an answer", .timeLimit(.minutes(5)))
struct UnansweredTests {
    private static let good = TransportResult.status(200, text: "CrashID=bp-1")

    private static func lost(_ request: TransferRequest, all: Bool) -> TransportResult {
        let bytesSent = all ? request.bodyByteCount : request.bodyByteCount - 1
        return .noAnswer(
            .failure(
                TransportFailure("connection lost", didConnect: true, bytesSent: bytesSent, isConnectionLost: true)))
    }

    private func withCollector(
        _ endpoint: String = "minidump+https://collector.example/submit",
        _ body: (SpoolHarness, SpoolOwner.Configuration) async throws -> Void
    ) async throws {
        try await withSpool { harness in
            var configuration = harness.configuration()
            configuration.routing = Routing(Destination(endpoint: endpoint))
            configuration.maximumConcurrent = 1
            try await body(harness, configuration)
        }
    }

    @Test("it rests a minute, whatever else the collector takes meanwhile, and the others need not")
    func rests() async throws {
        try await withCollector { harness, configuration in
            let first = try harness.add("MDMP1")
            let bodies = Monitor<[[UInt8]]>([])
            let keep = { @Sendable (request: TransferRequest) in
                let bytes = request.body.flatMap { try? DestinationContractTests.bytes(of: $0) } ?? []
                bodies.withLock { $0.append(bytes) }
            }
            harness.transport.answer {
                keep($0.request)
                return Self.lost($0.request, all: true)
            }
            let begin = harness.clock.wallMilliseconds
            var summary = try await Submission(spool: harness.spool, configuration: configuration).run()
            #expect(harness.transport.sent.count == 1, "the only dump there is gets no second opinion")
            #expect(try harness.record(first)?.reason == .waiting(.unanswered))
            #expect(try harness.record(first)?.charged == 0)
            #expect((summary.nextAttemptMilliseconds ?? 0) - begin >= 60_000)

            harness.clock.advance(by: 59_000)
            let second = try harness.add("MDMP2")
            harness.transport.answer {
                keep($0.request)
                return Self.good
            }
            summary = try await Submission(spool: harness.spool, configuration: configuration).run()
            #expect(try harness.record(second)?.state == .delivered)
            #expect(try harness.record(first)?.state == .waiting)
            #expect(harness.transport.sent.count == 2)

            harness.clock.advance(by: 2_000)
            summary = try await Submission(spool: harness.spool, configuration: configuration).run()
            #expect(try harness.record(first)?.state == .delivered)
            let sent = bodies.withLock { $0 }
            try #require(sent.count == 3)
            #expect(
                !sent[0].isEmpty && sent[0] == sent[2], "a person can tell by guid and report_id that it is the same")
        }
    }

    @Test("a person may send it again at once")
    func retried() async throws {
        try await withCollector { harness, configuration in
            let id = try harness.add("MDMP1")
            harness.transport.answer { Self.lost($0.request, all: true) }
            _ = try await Submission(spool: harness.spool, configuration: configuration).run()
            harness.transport.answer { _ in Self.good }
            _ = try await OrderDispatch(spool: harness.spool).carryOut(.retry, ids: [id.hex])
            _ = try await Submission(spool: harness.spool, configuration: configuration).run()
            #expect(try harness.record(id)?.state == .delivered)
        }
    }

    @Test("a dump of which a part is missing there cannot have been taken, and does not rest")
    func cut() async throws {
        try await withCollector { harness, configuration in
            let id = try harness.add("MDMP1")
            harness.transport.answer { Self.lost($0.request, all: false) }
            let summary = try await Submission(spool: harness.spool, configuration: configuration).run()
            #expect(try harness.record(id)?.reason == .waiting(.unreachable))
            #expect((summary.nextAttemptMilliseconds ?? 0) - harness.clock.wallMilliseconds < 60_000)
        }
    }

    @Test("requests of dumps are never repeated by the transport, and those of other kinds may be")
    func sentOnce() async throws {
        for (endpoint, isOnce) in [
            ("minidump+https://collector.example/submit", true), ("https://collector.example/{id}", false),
        ] {
            try await withCollector(endpoint) { harness, configuration in
                try harness.add("MDMP1")
                harness.transport.answer { _ in Self.good }
                _ = try await Submission(spool: harness.spool, configuration: configuration).run()
                #expect(harness.transport.sent.map(\.request.isSentOnce) == [isOnce])
            }
        }
    }
}
