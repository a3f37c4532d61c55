import Foundation
import Glibc
import TestSupport
import Testing

/// `reports-run --submit`, for containers in which nothing else sends.
@Suite("reports-run --submit")
struct SubmitAtEndTests {
    private static let crash = """
        echo "Traceback (most recent call last):
          File \\"shop.py\\", line 4, in settle
        ValueError: the till is empty" >&2
        kill -ABRT $$
        """

    private func run(
        _ tool: ReportsTool, _ endpoint: String, seconds: String = "10", _ program: String = crash
    ) async throws -> (result: ToolResult, time: Duration) {
        var environment = tool.environment
        environment["REPORTS_ENDPOINT"] = endpoint
        let start = ContinuousClock.now
        let result = try await runAsynchronously(
            ReportsTool.runner, ["--submit", seconds, "--", "/bin/sh", "-c", program], environment: environment)
        return (result, ContinuousClock.now - start)
    }

    private func ownWords(_ result: ToolResult) -> [Substring] {
        result.errors.split(separator: "\n").filter { $0.hasPrefix("reports") }
    }

    @Test("the crash is at the server when it ends, and it ends as the program has ended")
    func delivers() async throws {
        try await withTool(server: .accepting) { tool, server in
            let (result, _) = try await run(tool, server.url("/{id}"))
            #expect(result.wasSignalled && result.status == SIGABRT)
            #expect(result.output.isEmpty && ownWords(result).isEmpty, "\(result.errors)")
            #expect(
                server.requests.map { $0.headers["Report-Kind"] }.sorted { ($0 ?? "") < ($1 ?? "") }
                    == ["crash", "diagnostic"])
            #expect(tool.names(in: "incoming") + tool.names(in: "queued") + tool.names(in: "runs") == [])
        }
    }

    @Test("after an end that is nothing to tell of, nothing is submitted")
    func nothingToTell() async throws {
        try await withTool(server: .accepting) { tool, server in
            let (result, _) = try await run(tool, server.url("/{id}"), "exit 3")
            #expect(result.status == 3 && !result.wasSignalled && result.errors.isEmpty, "\(result.errors)")
            // Who submits, makes the ledger.
            #expect(server.requests.isEmpty && !FileManager.default.fileExists(atPath: tool.spool + "/ledger.sqlite"))
        }
    }

    @Test("with a server that is down it ends as the program has ended, at once, and the crash waits")
    func deadServer() async throws {
        try await withTool { tool in
            let (result, time) = try await run(tool, "http://127.0.0.1:9/{id}", seconds: "60")
            #expect(result.wasSignalled && result.status == SIGABRT)
            #expect(time < .seconds(30), "\(time)")
            #expect(ownWords(result) == ["reports-run: the report waits in the spool: nobody has taken it yet"])
            #expect(tool.names(in: "queued").count == 2)
            let states = try await tool.objects("list").map { $0["state"]?.stringValue }
            #expect(states.count == 2 && states.allSatisfy { $0 == "waiting" || $0 == "queued" }, "\(states)")
        }
    }

    @Test("with a server that never answers it takes no longer than was given, and the crash waits")
    func silentServer() async throws {
        try await withTool(server: .always(.stall)) { tool, server in
            let (result, time) = try await run(tool, server.url("/{id}"), seconds: "1")
            #expect(result.wasSignalled && result.status == SIGABRT)
            #expect(server.requests.count > 0)
            #expect(time < .seconds(20), "\(time)")
            #expect(tool.names(in: "queued").count == 2)
            // What was under way is given back, and nothing is to be repaired.
            #expect(try await tool.run("doctor").output == ReportsTool.wellWords)
        }
    }

    @Test("asked to end while it submits, it ends at once, and the crash waits")
    func interrupted() async throws {
        try await withTool(server: .always(.stall)) { tool, server in
            var tool = tool
            tool.environment["REPORTS_ENDPOINT"] = server.url("/{id}")
            let wrapper = try RunningTool(
                ReportsTool.runner, ["--submit", "60", "--", "/bin/sh", "-c", Self.crash],
                environment: tool.environment, home: tool.home)
            try await poll { !server.requests.isEmpty || !wrapper.isRunning }
            #expect(wrapper.isRunning)
            let start = ContinuousClock.now
            wrapper.send(SIGTERM)
            let end = await wrapper.end()
            #expect(end.wasSignalled && end.status == SIGABRT)
            #expect(ContinuousClock.now - start < .seconds(30))
            #expect(tool.names(in: "queued").count == 2)
        }
    }

    @Test("without an endpoint it says so once, ends as the program has ended, and the crash waits")
    func noEndpoint() async throws {
        try await withTool { tool in
            let (result, _) = try await run(tool, "")
            #expect(result.wasSignalled && result.status == SIGABRT)
            #expect(ownWords(result).count <= 1, "\(result.errors)")
            #expect(tool.names(in: "incoming").count + tool.names(in: "queued").count == 2, "\(tool.allFiles())")
        }
    }
}
