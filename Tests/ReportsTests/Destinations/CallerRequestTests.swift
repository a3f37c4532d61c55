import Background
import DurableIO
import Foundation
import HTTPTypes
import Reports
import SystemPackage
import TestSupport
import Testing

@Suite("Reports with a request of their own")
struct OwnRequestTests {
    private static let secret = "Bearer of-the-other-server"

    private static func request(
        _ path: String = "/logs/1", authority: String = "logs.example", hasSecret: Bool = true
    ) throws -> HTTPRequest {
        var request = HTTPRequest(method: .post, scheme: "https", authority: authority, path: path)
        if hasSecret { request.headerFields[.authorization] = secret }
        return request
    }

    /// One life of a program; what it has begun is over when this returns.
    private func living<Result>(
        _ harness: SpoolHarness, existingReports: CallerRequests.Handler? = nil,
        _ body: (Reporter) async throws -> Result
    ) async throws -> Result {
        let reporter = Reporter(
            spool: harness.spool, owner: harness.configuration(), existingReports: existingReports)
        let result = try await body(reporter)
        try await reporter.submitPending()
        return result
    }

    @Test("submit sends it where the caller says, as the caller says, and no other place is told")
    func sent() async throws {
        try await withSpool { harness in
            let id = try await living(harness) { reporter in
                var request = try Self.request()
                request.headerFields[.contentType] = "text/x-log"
                request.headerFields[.contentLength] = "3"
                return try await reporter.submit(
                    Array("log".utf8), request: request, kind: .log, identifier: "the log")
            }
            #expect(harness.transport.sent.count == 1)
            let sent = try #require(harness.transport.sent.first?.request)
            #expect(sent.endpoint.description == "https://logs.example/logs/1")
            #expect(sent.method == .post)
            #expect(sent.fields[.authorization] == Self.secret)
            #expect(sent.fields[.contentType] == "text/x-log")
            #expect(sent.fields[.contentEncoding] == "gzip")
            #expect(sent.fields[.contentLength] == nil)
            #expect(sent.fields[values: try #require(HTTPField.Name("Idempotency-Key"))] == ["\"\(id)\""])
            let view = try SpoolInspector(spool: harness.spool).report(id)
            #expect(view.state == "delivered")
            #expect(view.name == Array("the log".utf8))
            #expect(view.request?.headerNames == ["Authorization", "Content-Type"])
        }
    }

    @Test("a file is submitted under its name, and stays where it is")
    func file() async throws {
        try await withSpool { harness in
            let path = harness.path + "/a.log"
            try Data("log".utf8).write(to: URL(fileURLWithPath: path))
            let id = try await living(harness) { reporter in
                try await reporter.submit(fileAt: FilePath(path), request: Self.request())
            }
            #expect(harness.transport.sent.map(\.request.endpoint.host) == ["logs.example"])
            #expect(try SpoolInspector(spool: harness.spool).report(id).name == Array("a.log".utf8))
            #expect(FileManager.default.fileExists(atPath: path))
        }
    }

    @Test("the values of its headers are in no file")
    func secrets() async throws {
        try await withSpool { harness in
            harness.transport.answer { _ in .status(503) }
            _ = try await living(harness) { reporter in
                try await reporter.submit(Array("log".utf8), request: Self.request())
            }
            let files = try #require(FileManager.default.enumerator(atPath: harness.path)).compactMap { $0 as? String }
            #expect(files.contains("ledger.sqlite"))
            for file in files {
                let bytes = FileManager.default.contents(atPath: "\(harness.path)/\(file)") ?? Data()
                #expect(bytes.range(of: Data("of-the-other-server".utf8)) == nil, "\(file)")
            }
        }
    }

    /// A report whose program has died before it was sent.
    private func orphan(_ harness: SpoolHarness, hasSecret: Bool = true) async throws -> String {
        harness.transport.answer { _ in .refused }
        let id = try await living(harness) { reporter in
            try await reporter.submit(
                Array("log".utf8), request: Self.request(hasSecret: hasSecret), identifier: "mine")
        }
        harness.transport.answer { _ in .status(200) }
        harness.clock.advance(by: 3_600_000)
        return id
    }

    @Test("in the next life it rests until the same bytes are submitted again, and stops nobody")
    func resting() async throws {
        try await withSpool { harness in
            let id = try await orphan(harness)
            let before = harness.transport.sent.count
            let other = try await living(harness) { try await $0.collect(Array("other".utf8)) }
            #expect(harness.sent.dropFirst(before) == [other])
            let view = try SpoolInspector(spool: harness.spool).report(id)
            #expect(view.state == "held")
            #expect(view.reason == "caller")

            _ = try await living(harness) { reporter in
                try await reporter.submit(Array("log".utf8), request: Self.request("/logs/2"))
            }
            let sent = try #require(harness.transport.sent.last?.request)
            #expect(sent.endpoint.path == "/logs/2")
            #expect(sent.fields[.authorization] == Self.secret)
            #expect(try SpoolInspector(spool: harness.spool).report(id).state == "delivered")
        }
    }

    @Test("a handler of existing reports is asked for the request, and told what is known")
    func handler() async throws {
        try await withSpool { harness in
            let id = try await orphan(harness)
            // A life without a handler has laid it down meanwhile.
            _ = try await living(harness) { _ in }
            let asked = Monitor<[ExistingReport]>([])
            _ = try await living(
                harness,
                existingReports: { report in
                    asked.withLock { $0.append(report) }
                    return try Self.request()
                }
            ) { _ in }
            let report = try #require(asked.value.first)
            #expect(asked.value.count == 1)
            #expect(report.id == id)
            #expect(report.identifier == "mine")
            #expect(report.method == "POST")
            #expect(report.url == "https://logs.example/logs/1")
            #expect(report.headerNames == ["Authorization"])
            #expect(report.submittedMilliseconds > 0)
            #expect(report.attempts == 3)
            #expect(harness.transport.sent.last?.request.fields[.authorization] == Self.secret)
            #expect(try SpoolInspector(spool: harness.spool).report(id).state == "delivered")
        }
    }

    enum Refusal: CaseIterable, Sendable {
        case nothing, anotherServer, anotherMethod, failure
    }

    @Test("a handler that gives none, or another server's, or fails, sends nothing", arguments: Refusal.allCases)
    func refusingHandler(refusal: Refusal) async throws {
        struct Locked: Error {}
        try await withSpool { harness in
            let id = try await orphan(harness)
            let before = harness.transport.sent.count
            _ = try await living(
                harness,
                existingReports: { _ in
                    switch refusal {
                    case .nothing: nil
                    case .anotherServer: try Self.request(authority: "elsewhere.example")
                    case .anotherMethod:
                        HTTPRequest(method: .get, scheme: "https", authority: "logs.example", path: "/")
                    case .failure: throw Locked()
                    }
                }
            ) { _ in }
            #expect(harness.transport.sent.count == before)
            let view = try SpoolInspector(spool: harness.spool).report(id)
            #expect(view.state == (refusal == .failure ? "waiting" : "held"))
            #expect(try harness.findings() == [])
        }
    }

    @Test("laid down by an owner who did not know the request, it goes with the next submission of who does")
    func otherOwner() async throws {
        try await withSpool { harness in
            let reporter = Reporter(spool: harness.spool, owner: harness.configuration())
            let owner = try #require(try await harness.own())
            let id = try await reporter.submit(Array("log".utf8), request: Self.request())
            _ = try await reporter.submitPending()
            try await owner.resign()
            // As the tool of a timer does.
            _ = try await harness.submit()
            #expect(try SpoolInspector(spool: harness.spool).report(id).reason == "caller")
            #expect(try await reporter.submitPending().delivered == 1)
            #expect(harness.transport.sent.map(\.request.endpoint.host) == ["logs.example"])
        }
    }

    @Test("a report that was collected first goes where it is submitted to later")
    func collectedFirst() async throws {
        try await withSpool { harness in
            let id = try harness.add("log").hex
            try await harness.takeIn()
            _ = try await living(harness) { reporter in
                try await reporter.submit(Array("log".utf8), request: Self.request())
            }
            #expect(harness.transport.sent.map(\.request.endpoint.host) == ["logs.example"])
            #expect(try SpoolInspector(spool: harness.spool).report(id).state == "delivered")
        }
    }

    @Test("an origin that accepts it is there for the others of the same origin, too")
    func sharedGate() async throws {
        try await withSpool { harness in
            harness.transport.answer { $0.request.endpoint.path == "/own" ? .status(200) : .status(401) }
            let other = try await living(harness) { try await $0.collect(Array("other".utf8)) }
            #expect(try SpoolInspector(spool: harness.spool).report(other).reason == "auth")
            harness.transport.answer { _ in .status(200) }
            var own = HTTPRequest(method: .post, scheme: "http", authority: "collector.example", path: "/own")
            own.headerFields[.authorization] = Self.secret
            let reporter = Reporter(spool: harness.spool, owner: harness.configuration())
            try await reporter.submit(Array("log".utf8), request: own)
            _ = try await reporter.submitPending()
            #expect(try SpoolInspector(spool: harness.spool).report(other).state == "delivered")
        }
    }

    @Test("without headers of its own anybody sends it: nothing of the request is missing")
    func whole() async throws {
        try await withSpool { harness in
            let id = try await orphan(harness, hasSecret: false)
            // As the tool does, which knows no program's requests.
            #expect(try await harness.submit().delivered == 1)
            #expect(harness.transport.sent.last?.request.endpoint.description == "https://logs.example/logs/1")
            #expect(try SpoolInspector(spool: harness.spool).report(id).state == "delivered")
        }
    }

    @Test("a lost ledger does not send it elsewhere")
    func lostLedger() async throws {
        try await withSpool { harness in
            let id = try await orphan(harness)
            try harness.loseLedger()
            let before = harness.transport.sent.count
            try await harness.submit()
            #expect(harness.transport.sent.count == before)
            #expect(try SpoolInspector(spool: harness.spool).report(id).reason == "caller")
        }
    }

    @Test("its server and the others' have nothing to do with each other")
    func twoServers() async throws {
        try await withSpool { harness in
            harness.transport.answer { $0.request.endpoint.host == "logs.example" ? .status(200) : .refused }
            let (own, other) = try await living(harness) { reporter in
                let other = try await reporter.collect(Array("other".utf8), kind: .crash)
                return (try await reporter.submit(Array("log".utf8), request: Self.request()), other)
            }
            #expect(try SpoolInspector(spool: harness.spool).report(own).state == "delivered")
            #expect(try SpoolInspector(spool: harness.spool).report(other).state == "waiting")
        }
    }

    @Test("without a destination only reports with a request of their own leave")
    func noDestination() async throws {
        try await withSpool { harness in
            var owner = harness.configuration()
            owner.routing = nil
            let reporter = Reporter(spool: harness.spool, owner: owner)
            let stays = try await reporter.collect(Array("other".utf8))
            try await reporter.submit(Array("log".utf8), request: Self.request())
            let summary = try await reporter.submitPending()
            #expect(harness.transport.sent.map(\.request.endpoint.host) == ["logs.example"])
            #expect(summary.waiting == 1)
            #expect(try SpoolInspector(spool: harness.spool).report(stays).state == "queued")
        }
    }

    @Test(
        "a request that cannot be used is refused, and nothing is stored",
        arguments: [
            (HTTPRequest(method: .get, scheme: "https", authority: "a.example", path: "/"), "not by GET"),
            (HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/"), "no absolute URL"),
            (HTTPRequest(method: .post, scheme: "ftp", authority: "a.example", path: "/"), "scheme other than"),
            (HTTPRequest(method: .post, scheme: "https", authority: "me:pw@a.example", path: "/"), "user name"),
            (
                HTTPRequest(
                    method: .post, scheme: "https", authority: "a.example", path: "/",
                    headerFields: [.contentEncoding: "br"]), "set by Reports itself"
            ),
        ])
    func unusable(request: HTTPRequest, words: String) async throws {
        try await withSpool { harness in
            let reporter = Reporter(spool: harness.spool, owner: harness.configuration())
            let error = await #expect(throws: ReportsError.self) {
                try await reporter.submit(Array("log".utf8), request: request)
            }
            #expect(error?.code == .badArgument)
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
            let stored = try harness.entries("collected")
            #expect(stored == [])
        }
    }
}
