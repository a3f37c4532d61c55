import Digests
import DurableIO
import Reports
import TestSupport
import Testing

@Suite("A server that is not there, or not well")
struct DeadServerTests {
    private static let payloads = (1...1_000).map { "report number \($0)" }

    @Test("no server: the end comes within seconds, nothing is charged, nothing is lost")
    func noServerEndsSoonAndLosesNothing() async throws {
        let nobody = try RefusingPort()
        try await withTool(server: .accepting) { tool, server in
            let id = try await tool.add("patience")
            let start = ContinuousClock.now
            let result = try await tool.run("submit", "--json", "--endpoint", nobody.url("/{id}"))
            #expect(ContinuousClock.now - start < .seconds(10))
            #expect(result.status == 75)
            #expect(try result.objects.first?.count("waiting") == 1)
            let report = try await tool.show(id)
            #expect(report["state"]?.stringValue == "waiting")
            #expect(report.count("charged") == 0)
            #expect(report["last_error"]?.stringValue?.contains("refused") == true)
            #expect(tool.names(in: "queued") == ["\(id).gz"])

            // Another address that works takes it at once: the delay was about the dead one.
            let delivered = try await tool.submit(to: server)
            #expect(delivered.status == 0, "\(delivered.output)")
            #expect(Deliveries.ids(server) == [id])
        }
    }

    @Test("1,000 queued and an origin that resets every connection: a handful of probes, nothing charged")
    func deadOriginCostsAHandfulOfProbes() async throws {
        try await withTool(server: .early(.reset)) { tool, server in
            for (number, text) in Self.payloads.enumerated() { try tool.drop(text, as: "\(number).log") }
            let result = try await tool.submit(to: server)
            #expect(result.status == 75)
            #expect(server.connectionCount <= 12, "\(server.connectionCount) connections")
            let again = server.connectionCount
            #expect(try await tool.submit(to: server).status == 75)
            #expect(server.connectionCount <= again + 4)
            let reports = try await tool.objects("list")
            #expect(reports.count == 1_000)
            #expect(reports.allSatisfy { ["queued", "waiting"].contains($0["state"]?.stringValue) })
            let tried = reports.first { $0.count("attempts") ?? 0 > 0 }?["id"]?.stringValue
            #expect(try await tool.show(try #require(tried)).count("charged") == 0)
        }
    }

    @Test("one report over which the server resets does not stop the other 99")
    func oneBadReportDoesNotStopTheOthers() async throws {
        let bad = ContentHash.of("report number 1").hex
        let script = ServerScript.accepting.deciding { $0.target == "/" + bad ? .readBody().then(.reset) : nil }
        try await withTool(server: script) { tool, server in
            for (number, text) in Self.payloads.prefix(100).enumerated() { try tool.drop(text, as: "\(number).log") }
            var delivered: Int64 = 0
            // A probe may meet the bad one first; then the others follow when the gate opens again.
            #expect(
                try await poll {
                    delivered += try await tool.summary(to: server, "--wait", "6").count("delivered") ?? 0
                    return delivered == 99
                })
            #expect(Set(Deliveries.ids(server)).count == 100)
            let report = try await tool.show(bad)
            #expect(report["state"]?.stringValue == "waiting")
            #expect(tool.names(in: "queued") == ["\(bad).gz"])
        }
    }

    @Test("an expired token with 200 queued costs a handful of requests, parks nothing, and all go with a new one")
    func expiredTokenCostsAHandfulOfRequests() async throws {
        let script = ServerScript { request in
            .response(request.headers["Authorization"] == "Bearer new" ? 201 : 401)
        }
        try await withTool(server: script) { tool, server in
            for (number, text) in Self.payloads.prefix(200).enumerated() { try tool.drop(text, as: "\(number).log") }
            let expired = try await tool.submit(to: server, "--header", "Authorization: Bearer old")
            #expect(expired.status == 75)
            #expect(try expired.objects.first?.count("rejected") == 0)
            #expect(server.requests.count <= 8, "\(server.requests.count) requests")
            #expect(tool.names(in: "parked").isEmpty)
            let held = try await tool.objects("list", "--state", "held")
            #expect(!held.isEmpty && held.allSatisfy { $0["reason"]?.stringValue == "auth" })
            #expect(held.allSatisfy { $0.count("last_status") == 401 })

            let renewed = try await tool.submit(to: server, "--header", "Authorization: Bearer new")
            #expect(renewed.status == 0, "\(renewed.output)")
            #expect(try renewed.objects.first?.count("delivered") == 200)
            #expect(Set(Deliveries.ids(server)).count == 200)
        }
    }

    @Test("a server that stalls is left at the deadline, and the report given back")
    func stallingServerIsLeftAtTheDeadline() async throws {
        try await withTool(server: .always(.stall)) { tool, server in
            let id = try await tool.add("slow")
            let result = try await tool.submit(to: server, "--deadline", "1")
            #expect(result.status == 75, "\(result.errors)")
            let report = try await tool.show(id)
            #expect(report["state"]?.stringValue == "waiting")
            #expect(report.count("charged") == 0)
        }
    }
}
