import Foundation
import Reports
import TestSupport
import Testing

/// Containers in which nobody else sends: `reports-run --submit`.
@Suite("What earlier runs left, and --submit", .timeLimit(.minutes(3)))
struct EarlierRunTests {
    /// Runs a line of shell in which `$run` is `reports-run --quiet --submit 10`.
    private func shell(_ line: String, _ tool: ReportsTool, _ server: LoopbackServer) async throws -> ToolResult {
        var environment = tool.environment
        environment["REPORTS_ENDPOINT"] = server.url("/{id}")
        environment["run"] = ReportsTool.runner
        return try await runAsynchronously("/bin/sh", ["-c", line], environment: environment)
    }

    @Test("a run that was killed is sent by the next one, though that one ends well")
    func killed() async throws {
        try await withTool(server: .accepting) { tool, server in
            let line = #"sh -c '"$run" --quiet --name shop -- sh -c "kill -KILL \$PPID; exec sleep 60 >/dev/null"'"#
            _ = try await shell(line, tool, server)
            #expect(tool.names(in: "runs").count == 1)
            let next = try await shell(#""$run" --quiet --submit 10 -- true"#, tool, server)
            #expect(next.status == 0, "\(next.errors)")
            let kinds = server.requests.map { $0.headers["Report-Kind"] }
            #expect(kinds == ["crash"])
            #expect(tool.names(in: "runs") + tool.names(in: "incoming") == [])
        }
    }

    @Test("and while the program runs, not only at its end")
    func atOnce() async throws {
        try await withTool(server: .accepting) { tool, server in
            try tool.drop("a report of an earlier run", as: "earlier.txt")
            // It ends when the drop is gone from the spool.
            let line = """
                "$run" --quiet --submit 10 -- sh -c \
                'while [ -e "$0/incoming/earlier.txt" ]; do [ $((n += 1)) -lt 20000000 ] || exit 9; done' \
                "\(tool.spool)"
                """
            let result = try await shell(line, tool, server)
            #expect(result.status == 0, "\(result.errors)")
            #expect(try await Deliveries.texts(server) == ["a report of an earlier run"])
        }
    }

    @Test("what could not be sent then is tried again by the next run")
    func queued() async throws {
        try await withTool(server: .accepting) { tool, server in
            try await tool.add("waits since the last run")
            _ = try await shell(#""$run" --quiet --submit 10 -- true"#, tool, server)
            #expect(try await Deliveries.texts(server) == ["waits since the last run"])
        }
    }

    @Test("where nothing waits, nothing is sent and nothing is made")
    func nothing() async throws {
        try await withTool(server: .accepting) { tool, server in
            for _ in 0..<2 { _ = try await shell(#""$run" --quiet --submit 10 -- true"#, tool, server) }
            #expect(!FileManager.default.fileExists(atPath: tool.spool + "/VERSION"))
            #expect(server.requests.isEmpty)
        }
    }
}
