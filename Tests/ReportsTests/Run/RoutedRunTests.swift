import Background
import DurableIO
import TestSupport
import Testing

@testable import Reports

/// Reports go where the routes of a run say, and nothing that one run leaves is lost to the others.
@Suite("Runs with several destinations", .timeLimit(.minutes(2)))
struct RoutedRunTests {
    private static func routing(_ names: [String], _ routes: [Reports.Route]) throws -> Routing {
        try Routing(names.map { NamedDestination($0, .http("http://\($0).example/{id}")) }, routes: routes)
    }

    private static let both = ["crashes", "archive"]
    private static let logsApart: [Reports.Route] = [.to("archive", kinds: [.log])]

    private func submit(_ harness: SpoolHarness, _ routing: Routing?) async throws -> SubmissionSummary {
        var submission = harness.submission
        submission.configuration.routing = routing
        return try await submission.run()
    }

    /// The lane of each report, by its payload.
    private func lane(_ harness: SpoolHarness, _ id: ContentHash) throws -> String? {
        try harness.record(id)?.lane.name
    }

    private func hosts(_ harness: SpoolHarness) -> [String] { harness.transport.sent.map(\.request.endpoint.host) }

    @Test("each report goes to the destination of its route, and its row says so")
    func routed() async throws {
        try await withSpool { harness in
            let crash = try harness.add("crash")
            let log = try harness.add("log", kind: .log)
            let summary = try await submit(harness, Self.routing(Self.both, Self.logsApart))
            #expect(summary.delivered == 2)
            #expect(hosts(harness).sorted() == ["archive.example", "crashes.example"])
            #expect(try lane(harness, crash) == "crashes")
            #expect(try lane(harness, log) == "archive")
        }
    }

    @Test("drops are routed by what is recognised in them")
    func drops() async throws {
        try await withSpool { harness in
            try harness.drop("a.txt", "only text")
            let summary = try await submit(
                harness, Self.routing(Self.both, [.to("archive", formats: ["text"])]))
            #expect(summary.delivered == 1)
            #expect(hosts(harness) == ["archive.example"])
        }
    }

    @Test("a report that a route holds is not sent, is no reason to come again, and waits for other routes")
    func held() async throws {
        try await withSpool { harness in
            let log = try harness.add("log", kind: .log)
            let hold = try Self.routing(Self.both, [.hold(kinds: [.log])])
            let summary = try await submit(harness, hold)
            #expect(hosts(harness) == [])
            #expect((summary.held, summary.heldByRoute, summary.waiting) == (1, 1, 0))
            let record = try harness.record(log)
            #expect(record?.reason == .held(.route))
            #expect(record?.note == "a route keeps it from being sent")
            #expect(record?.attempts == 0)
            #expect(summary.nextAttemptMilliseconds == nil)

            _ = try await submit(harness, hold)
            #expect(hosts(harness) == [])
            #expect(try await submit(harness, Self.routing(Self.both, Self.logsApart)).delivered == 1)
            #expect(hosts(harness) == ["archive.example"])
        }
    }

    @Test("routes that have changed decide again about what was never sent, and not about what was")
    func changed() async throws {
        try await withSpool { harness in
            harness.transport.answer { sent in
                sent.request.endpoint.host == "crashes.example"
                    ? .status(503, headers: [(name: "Retry-After", value: "3600")]) : .status(200)
            }
            let tried = try harness.add("tried")
            _ = try await submit(harness, Self.routing(Self.both, []))
            let fresh = try harness.add("fresh")
            _ = try await submit(harness, Self.routing(Self.both, []))
            #expect(try [tried, fresh].map { try harness.record($0)?.attempts } == [1, 0])

            _ = try await submit(harness, Self.routing(Self.both, [.to("archive")]))
            #expect(try lane(harness, tried) == "crashes")
            #expect(try lane(harness, fresh) == "archive")
        }
    }

    @Test("reports of a destination that was removed go where the routes say now, and begin anew there")
    func removed() async throws {
        try await withSpool { harness in
            harness.transport.answer { _ in .status(503, headers: [(name: "Retry-After", value: "7200")]) }
            let log = try harness.add("log", kind: .log)
            _ = try await submit(harness, Self.routing(Self.both, Self.logsApart))
            #expect(try lane(harness, log) == "archive")
            harness.transport.answer { _ in .status(200) }
            #expect(try await submit(harness, Self.routing(["crashes"], [])).delivered == 1)
            #expect(hosts(harness) == ["archive.example", "crashes.example"])
        }
    }

    @Test("a run without routes sends what is for main, and leaves the rest with a note until a run names it")
    func unrouted() async throws {
        try await withSpool { harness in
            harness.transport.answer { _ in .refused }
            let log = try harness.add("log", kind: .log)
            let routed = try Self.routing(Self.both, Self.logsApart)
            _ = try await submit(harness, routed)
            harness.transport.answer { _ in .status(200) }
            let own = try harness.add("of the app")
            let summary = try await harness.submit()
            #expect((summary.delivered, summary.waiting) == (1, 1))
            #expect(try lane(harness, own) == "main")
            #expect(try harness.record(log)?.note == "no destination archive in this run")

            harness.clock.advance(by: 3_600_000)
            #expect(try await submit(harness, routed).delivered == 1)
            #expect(hosts(harness).last == "archive.example")
            #expect(try harness.record(log)?.note == nil)
        }
    }

    @Test("an app and a tool with other settings on one spool leave each other's reports alone")
    func together() async throws {
        try await withSpool { harness in
            let tool = try Self.routing(Self.both, Self.logsApart)
            _ = try await submit(harness, tool)
            harness.transport.answer { _ in .refused }
            let ofApp = try harness.add("of the app")
            _ = try await harness.submit()
            let ofTool = try harness.add("of the tool")
            _ = try await submit(harness, tool)
            #expect(try lane(harness, ofApp) == "main")
            #expect(try lane(harness, ofTool) == "crashes")
            #expect(try harness.record(ofApp)?.note == "no destination main in this run")
        }
    }

    @Test("what an owner without destinations has enrolled is decided by the next that has some")
    func undecided() async throws {
        try await withSpool { harness in
            let log = try harness.add("log", kind: .log)
            let tool = try Self.routing(Self.both, Self.logsApart)
            _ = try await submit(harness, tool)
            let second = try harness.add("second", kind: .log)
            try await harness.takeIn()
            #expect(try lane(harness, second) == "")
            #expect(try await submit(harness, tool).delivered == 1)
            #expect(try lane(harness, log) == "archive")
            #expect(try lane(harness, second) == "archive")
        }
    }

    @Test("a person who retries a report has the routes decide again, and a held one is not called retried")
    func retried() async throws {
        try await withSpool { harness in
            harness.transport.answer { _ in .status(400) }
            let log = try harness.add("log", kind: .log)
            _ = try await submit(harness, Self.routing(Self.both, []))
            #expect(try lane(harness, log) == "crashes")
            let apart = try Self.routing(Self.both, Self.logsApart)
            let done = try await OrderDispatch(spool: harness.spool, routing: apart).carryOut(.retry, ids: [log.hex])
            #expect(done == [log.hex])
            #expect(try lane(harness, log) == "archive")

            let hold = try Self.routing(Self.both, [.hold()])
            let none = try await OrderDispatch(spool: harness.spool, routing: hold).carryOut(.retry, ids: [log.hex])
            #expect(none == [])
            #expect(try harness.record(log)?.reason == .held(.route))
            #expect(try harness.rooms(of: log) == ["queued"])
            // Without routes it stays where it is, and is sent.
            #expect(try await OrderDispatch(spool: harness.spool).carryOut(.retry, ids: [log.hex]) == [log.hex])
            #expect(try harness.state(log) == .waiting)
        }
    }

    @Test("a report with a request of its own follows no route")
    func ownRequest() async throws {
        try await withSpool { harness in
            var configuration = harness.configuration()
            configuration.routing = try Self.routing(Self.both, [.hold()])
            let reporter = Reporter(spool: harness.spool, owner: configuration)
            try await reporter.submit(
                Array("own".utf8),
                request: .init(method: .put, scheme: "http", authority: "logs.example", path: "/one"))
            #expect(try await reporter.submitPending().delivered == 1)
            #expect(hosts(harness) == ["logs.example"])
        }
    }

    @Test("a ledger that was lost is rebuilt with the destinations of the run")
    func rebuilt() async throws {
        try await withSpool { harness in
            harness.transport.answer { _ in .refused }
            let log = try harness.add("log", kind: .log)
            let routed = try Self.routing(Self.both, Self.logsApart)
            _ = try await submit(harness, routed)
            try harness.loseLedger()
            harness.transport.answer { _ in .status(200) }
            #expect(try await submit(harness, routed).delivered == 1)
            #expect(try lane(harness, log) == "archive")
        }
    }

    @Test("a destination whose access key is nowhere has its reports wait, uncharged, and the others go out")
    func withoutKey() async throws {
        try await withSpool { harness in
            let stuck = try harness.add("for the bucket", kind: .log)
            try harness.add("crash")
            let bucket = Destination.s3(
                bucket: "lab", region: "eu-central-1", credentials: .profile(file: "/nowhere/keys"))
            let routing = try Routing(
                [
                    NamedDestination("server", .http("http://server.example/{id}")),
                    NamedDestination("bucket", bucket),
                ], routes: [.to("bucket", kinds: [.log])])
            let summary = try await submit(harness, routing)
            #expect((summary.delivered, summary.waiting) == (1, 1))
            let record = try harness.record(stuck)
            #expect(record?.reason == .waiting(.headers))
            #expect(record?.charged == 0)
            #expect(record?.note?.contains("aws_access_key_id") == true)
        }
    }

    @Test("what a destination does not take is held before the first attempt, and no delivery there wakes it")
    func notAdmitted() async throws {
        try await withSpool { harness in
            harness.transport.answer { _ in .status(200, headers: [(name: "ETag", value: "\"1\"")]) }
            let long = Dictionary(uniqueKeysWithValues: (0..<6).map { ("k\($0)", String(repeating: "x", count: 220)) })
            let key = (0..<6).map { "{annotation:k\($0)}" }.joined(separator: "/") + "/{id}.gz"
            let bucket = Destination.s3(
                bucket: "lab", region: "eu-central-1", key: key,
                credentials: .key(S3AccessKey(id: "AKIAIOSFODNN7EXAMPLE", secret: "secret")))
            let routing = try Routing([NamedDestination("bucket", bucket)], routes: [])
            let stays = try harness.add("long", annotations: long)
            try harness.add("short")
            let first = try await submit(harness, routing)
            #expect((first.delivered, first.held, first.heldByRoute, first.waiting) == (1, 1, 1, 0))
            try harness.add("another")
            #expect(try await submit(harness, routing).delivered == 1)
            let record = try harness.record(stays)
            #expect((record?.reason, record?.attempts) == (.held(.route), 0))
            #expect(record?.lane.name == "bucket")
            #expect(record?.note == "the destination bucket takes no key of more than 1024 bytes")
        }
    }

    @Test("what a destination did not take goes out by itself once the endpoint says that it may")
    func admittedLater() async throws {
        try await withSpool { harness in
            let id = try harness.add([0, 1, 2, 0xff], named: "noise.bin", kind: .other)
            harness.transport.answer { _ in .status(200) }
            var counts: [Int] = []
            for payload in [OTLPPayload.whole, .whole, .omit] {
                var configuration = harness.configuration()
                configuration.routing = Routing(.otlp(endpoint: "http://127.0.0.1:9", payload: payload))
                let summary = try await Submission(spool: harness.spool, configuration: configuration).run()
                counts.append(summary.delivered)
                if payload == .whole { #expect(try harness.record(id)?.reason == .held(.route)) }
            }
            #expect(counts == [0, 0, 1])
        }
    }

    @Test("a destination that refuses or puts off keeps no report from another")
    func independent() async throws {
        try await withSpool { harness in
            harness.transport.answer { sent in
                switch sent.request.endpoint.host {
                case "down.example": .refused
                case "busy.example": .status(503, headers: [(name: "Retry-After", value: "3600")])
                default: .status(200)
                }
            }
            for index in 0..<30 {
                for name in ["down", "busy", "well"] {
                    try harness.add("\(name) \(index)", annotations: ["to": name])
                }
            }
            let routes = ["down", "busy", "well"].map { Reports.Route.to($0, annotations: ["to": $0]) }
            let summary = try await submit(harness, Self.routing(["down", "busy", "well"], routes))
            #expect(summary.delivered == 30)
            #expect(hosts(harness).filter { $0 == "well.example" }.count == 30)
            #expect(hosts(harness).count < 40)
        }
    }
}
