import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

@Suite("What the server put off")
struct RetryAfterTests {
    @Test("nothing is sent early by a second process, and the schedule survives kill -9")
    func nothingIsSentEarlyAndTheScheduleSurvives() async throws {
        let times = Monitor<[ContinuousClock.Instant]>([])
        let script = ServerScript { request in
            times.withLock { $0.append(.now) }
            return request.index == 0 ? .response(503, headers: [("Retry-After", "10")]) : .response(201)
        }
        try await withTool(server: script) { tool, server in
            let id = try await tool.add("put off")
            // This process learns of the delay, sleeps for it, and is killed asleep.
            let first = try tool.start("submit", "--wait", "60", "--endpoint", server.url("/{id}"))
            #expect(try await poll { try await tool.show(id)["reason"]?.stringValue == "retry-after" })
            await first.killAtOnce()

            let early = try await tool.submit(to: server)
            let report = try await tool.show(id)
            // On a machine that was busy for 10 s the second process comes too late to be early.
            try #require(times.value.first.map { ContinuousClock.now - $0 < .seconds(10) } == true)
            #expect(early.status == 75)
            #expect(try early.objects.first?.count("waiting") == 1)
            #expect(server.requests.count == 1)
            #expect(report.count("charged") == 0)
            #expect(report["history"]?[0]?.count("retry_after") == 10)

            let late = try await tool.submit(to: server, "--wait", "30")
            #expect(late.status == 0, "\(late.errors)")
            #expect(try late.objects.first?.count("delivered") == 1)
            let seen = times.value
            #expect(seen.count == 2)
            #expect(seen[1] - seen[0] >= .seconds(10))
        }
    }

    @Test("a retry by hand does not go before the server's time either")
    func retryByHandDoesNotGoEarlier() async throws {
        try await withTool(server: .always(.response(503, headers: [("Retry-After", "600")]))) { tool, server in
            let id = try await tool.add("put off")
            #expect(try await tool.submit(to: server).status == 75)
            #expect(try await tool.run("retry", id).status == 0)
            #expect(try await tool.submit(to: server).status == 75)
            #expect(server.requests.count == 1)
        }
    }

    @Test(
        "every form of the time is understood",
        arguments: [
            ("delay-seconds", "600", 600), ("IMF-fixdate", "Mon, 23 Nov 2026 10:10:00 GMT", 600),
            ("RFC 850", "Monday, 23-Nov-26 10:10:00 GMT", 600), ("asctime", "Mon Nov 23 10:10:00 2026", 600),
            ("huge", "99999999999999999999999", 86_400), ("far date", "Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ])
    func everyFormIsUnderstood(_ form: String, _ value: String, _ seconds: Int64) async throws {
        let headers = [("Date", "Mon, 23 Nov 2026 10:00:00 GMT"), ("Retry-After", value)]
        try await withTool(server: .always(.response(503, headers: headers))) { tool, server in
            let id = try await tool.add("put off: \(form)")
            let before = LinuxClock().wallMilliseconds
            let summary = try await tool.summary(to: server)
            let after = LinuxClock().wallMilliseconds
            let text = try #require(summary["next_attempt_at"]?.stringValue)
            let next = try #require(RFC3339.milliseconds(text))
            // Never earlier than asked; the spread is half of it at most.
            #expect(next >= before + seconds * 1_000 && next <= after + seconds * 1_500 + 1_000, "\(text)")
            #expect(try await tool.show(id)["state"]?.stringValue == "waiting")
            #expect(try await tool.submit(to: server).status == 75)
            #expect(server.requests.count == 1)
        }
    }

    @Test("--wait does not sleep for what is due after it")
    func waitDoesNotSleepForWhatIsDueLater() async throws {
        try await withTool(server: .always(.response(503, headers: [("Retry-After", "600")]))) { tool, server in
            try await tool.add("put off")
            let start = ContinuousClock.now
            #expect(try await tool.submit(to: server, "--wait", "30").status == 75)
            #expect(ContinuousClock.now - start < .seconds(10))
        }
    }
}
