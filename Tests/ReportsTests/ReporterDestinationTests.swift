import Background
import DurableIO
import Reports
import SystemPackage
import TestSupport
import Testing

/// A reporter with several destinations, as a program makes it.
@Suite("A reporter with several destinations")
struct ReporterDestinationTests {
    @Test("each report goes to the destination of the first route that matches it, else to the first destination")
    func routes() async throws {
        try await withTemporaryDirectory { directory in
            try await withLoopbackServer(.always(.response(201))) { first in
                try await withLoopbackServer(.always(.response(201))) { second in
                    let reporter = try Reporter(
                        spool: FilePath(directory + "/spool"),
                        destinations: ["z-first": .http(first.url("/{id}")), "a-second": .http(second.url("/{id}"))],
                        routes: [
                            .hold(kinds: [.other]), .to("a-second", annotations: ["team": "dumps"]),
                            .to("a-second", kinds: [.hang]),
                        ])
                    let plain = try await reporter.collect(Array("one".utf8), kind: .crash)
                    let annotated = try await reporter.collect(
                        Array("two".utf8), kind: .crash, annotations: ["team": "dumps"])
                    let hang = try await reporter.collect(Array("three".utf8), kind: .hang)
                    try await reporter.collect(Array("four".utf8), kind: .other)
                    let summary = try await reporter.submitPending()
                    #expect(summary.delivered == 3 && summary.held == 1)
                    #expect(first.requests.map(\.target) == ["/\(plain)"])
                    #expect(Set(second.requests.map(\.target)) == ["/\(annotated)", "/\(hang)"])
                    await reporter.shutdown()
                }
            }
        }
    }

    @Test("names, routes and URLs are checked when it is made")
    func slips() throws {
        try withTemporaryDirectory { directory in
            let path = FilePath(directory + "/spool")
            let good = Destination.http("http://127.0.0.1:9/{id}")
            func problem(_ destinations: KeyValuePairs<String, Destination>, _ routes: [Reports.Route] = []) -> String {
                do {
                    _ = try Reporter(spool: path, destinations: destinations, routes: routes)
                    return "none"
                } catch {
                    let error = error as? ReportsError
                    #expect(error?.code == .badConfiguration)
                    return error?.message ?? ""
                }
            }
            #expect(problem(["a": good, "b-2": good], [.to("b-2"), .hold()]) == "none")
            #expect(problem([:]) == "there is no destination")
            #expect(problem(["A": good]).hasPrefix("a destination's name has 1 to 32 of a-z, 0-9 and -"))
            #expect(problem(["a": good, "a": good]) == "the destination a is given twice")
            #expect(problem(["a": good], [.to("b")]) == "a route leads to \"b\", but there is no such destination")
            #expect(
                problem(["a": good, "b": .http("server")]).hasPrefix("the destination b: the endpoint has no scheme"))
        }
    }

    @Test("a destination's connection is its own, and the reporter's is that of the others")
    func connections() async throws {
        try await withTemporaryDirectory { directory in
            try await withLoopbackServer(.always(.response(201))) { server in
                let path = FilePath(directory + "/spool")
                var configuration = Reporter.Configuration()
                configuration.connection.proxy = try .server("http://127.0.0.1:1")
                var direct = Destination.http(server.url("/{id}"))
                direct.connection = ConnectionSettings()
                direct.connection?.proxy = .none
                let reporter = try Reporter(
                    spool: path, destinations: ["direct": direct], configuration: configuration)
                try await reporter.collect(Array("one".utf8))
                #expect(try await reporter.submitPending().delivered == 1)
                await reporter.shutdown()
            }
        }
    }
}
