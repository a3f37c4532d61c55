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

    @Test("a dump that was accepted without an id is sent once a day, however often others are submitted")
    func withoutID() async throws {
        try await withCollector { harness, configuration in
            let id = try harness.add("MDMP1")
            harness.transport.answer { _ in .status(200, text: "thank you") }
            for count in 0..<4 {
                _ = try await Submission(spool: harness.spool, configuration: configuration).run()
                #expect(harness.transport.sent.count == 1, "submit \(count)")
                #expect(try harness.record(id)?.reason == .held(.acknowledgement))
                harness.clock.advance(by: 5 * 3_600_000)
            }
            // Deliveries of others do not bring it on either, also where they open the gate.
            harness.transport.answer { _ in .status(404) }
            let second = try harness.add("MDMP2")
            _ = try await Submission(spool: harness.spool, configuration: configuration).run()
            #expect(try harness.record(second)?.reason == .held(.destination))
            harness.transport.answer { _ in Self.good }
            _ = try await Submission(spool: harness.spool, configuration: configuration).run()
            #expect(try harness.record(second)?.state == .delivered)
            #expect(try harness.record(id)?.state == .held)
            #expect(harness.transport.sent.count == 3)

            harness.clock.advance(by: 5 * 3_600_000)
            _ = try await Submission(spool: harness.spool, configuration: configuration).run()
            #expect(try harness.record(id)?.state == .delivered)
        }
    }

    @Test("a person may send a dump again that was accepted without an id")
    func withoutIDRetried() async throws {
        try await withCollector { harness, configuration in
            let id = try harness.add("MDMP1")
            harness.transport.answer { _ in .status(200, text: "thank you") }
            _ = try await Submission(spool: harness.spool, configuration: configuration).run()
            harness.transport.answer { _ in Self.good }
            _ = try await OrderDispatch(spool: harness.spool).carryOut(.retry, ids: [id.hex])
            _ = try await Submission(spool: harness.spool, configuration: configuration).run()
            #expect(try harness.record(id)?.state == .delivered)
        }
    }

    @Test("at a server that knows a report again, one without a proof is tried at each submit")
    func otherKinds() async throws {
        try await withSpool { harness in
            var configuration = harness.configuration()
            var destination = Destination(endpoint: "https://collector.example/{id}")
            destination.acknowledgement = .header("X-Receipt")
            configuration.routing = Routing(destination)
            try harness.add("MDMP1")
            harness.transport.answer { _ in .status(200) }
            for count in 1...3 {
                _ = try await Submission(spool: harness.spool, configuration: configuration).run()
                #expect(harness.transport.sent.count == count)
            }
        }
    }

    @Test("a dump rests when the wait for its answer is cut after all of it was sent, and not when it was cut before")
    func stopped() async throws {
        for isWhole in [true, false] {
            try await withCollector { harness, configuration in
                let id = try harness.add("MDMP1")
                harness.transport.answer { sent in
                    guard sent.index == 0 else { return Self.good }
                    sent.request.onProgress?(sent.request.bodyByteCount - (isWhole ? 0 : 1))
                    return .noAnswer(.interrupted)
                }
                _ = try await Submission(spool: harness.spool, configuration: configuration).run()
                let record = try #require(try harness.record(id))
                guard isWhole else {
                    #expect(record.state == .delivered)
                    return
                }
                #expect(record.reason == .waiting(.unanswered))
                #expect(record.lastError == "interrupted when all of it had been sent")
                #expect(harness.transport.sent.count == 1)
                harness.clock.advance(by: 61_000)
                _ = try await Submission(spool: harness.spool, configuration: configuration).run()
                #expect(try harness.record(id)?.state == .delivered)
            }
        }
    }

    @Test(
        "an answer of something in between leaves open whether the collector has it",
        arguments: [(502, true), (504, true), (520, true), (530, true), (598, true), (599, true), (500, false)])
    func gateways(status: Int, rests: Bool) async throws {
        try await withCollector { harness, configuration in
            let id = try harness.add("MDMP1")
            harness.transport.answer { _ in .status(status) }
            let begin = harness.clock.wallMilliseconds
            let summary = try await Submission(spool: harness.spool, configuration: configuration).run()
            #expect(try harness.record(id)?.reason == .waiting(rests ? .unanswered : .unreachable))
            #expect(((summary.nextAttemptMilliseconds ?? 0) - begin >= 60_000) == rests)
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
