import Foundation
import Reports
import TestSupport
import Testing

/// What real programs die with is in no report: their environment.
@Suite("Secrets of programs that die", .serialized, .timeLimit(.minutes(10)))
struct RunPrivacyTests {
    private static let secret = "x-planted-9f2c"

    private static let programs: [RuntimeProgram] =
        [RuntimeProgram.c, .addressSanitizer, .python, .node, .java, .ruby].filter(\.isInstalled)

    @Test(
        "a variable that is set for a program is in no payload, name or annotation",
        arguments: programs, ["error", "native", "kill"])
    func environment(program: RuntimeProgram, way: String) async throws {
        try await withTool(server: .always(.response(503))) { tool, server in
            let command = try await program.make(in: tool.home, tool.environment)
            var environment = tool.environment
            (environment["SECRET"], environment["run"]) = (Self.secret, ReportsTool.runner)
            let line = "cd && exec \"$run\" --name shop --sanitizers --java -- \"$@\""
            _ = try await runAsynchronously(
                "/bin/sh", ["-c", line, "sh"] + command + [way], environment: environment)
            // As they were dropped: stored, and so as they are.
            let drops = tool.names(in: "incoming")
            #expect(!drops.isEmpty)
            for name in drops {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(tool.spool)/incoming/\(name)"))
                #expect(bytes.range(of: Data(Self.secret.utf8)) == nil, "\(name)")
            }
            _ = try await tool.submit(to: server)
            let reports = try await tool.objects("list")
            #expect(reports.count == drops.count)
            for report in reports {
                let payload = try await tool.run("cat", report["id"]?.stringValue ?? "")
                #expect(payload.status == 0 && !payload.output.contains(Self.secret), "\(report)")
                #expect(!"\(report)".contains(Self.secret))
            }
        }
    }

    @Test(
        "a child that is killed for want of memory is no death of its parent, and the document counts it",
        .enabled(if: MemoryGroup.isPossible && RuntimeProgram.c.isInstalled, "needs root and a memory group"))
    func childOutOfMemory() async throws {
        try await withTool(server: .always(.response(503))) { tool, server in
            let command = try await RuntimeProgram.c.make(in: tool.home, tool.environment)
            var environment = tool.environment
            (environment["run"], environment["hog"]) = (ReportsTool.runner, command[0])
            environment["group_name"] = "reports-test-\(UUID().uuidString)"
            let line = """
                \(MemoryGroup.enter)
                # What the shell says of its children is a crash text.
                parent='exec 2>/dev/null; "$hog" memory; exit 7'
                "$run" --quiet -- sh -c "$parent" || echo "$?"
                ls "$REPORTS_SPOOL/incoming"
                "$run" --quiet --on crash,exit -- sh -c "$parent" || echo "$?"
                """
            let result = try await runAsynchronously("/bin/sh", ["-c", line], environment: environment)
            _ = try await runAsynchronously("/bin/sh", ["-c", MemoryGroup.remove], environment: environment)
            #expect(result.output == "7\n7\n", "\(result.errors)")
            _ = try await tool.submit(to: server)
            let reports = try await tool.objects("list")
            let document = try #require(reports.first { $0["format"]?.stringValue == "reports-run" })
            #expect(document["annotations"]?["run.cause"]?.stringValue == "exit")
            let text = try await tool.run("cat", document["id"]?.stringValue ?? "").output
            #expect(text.contains(#""oom_kills":1"#) && text.contains(#""code":7"#), "\(text)")
        }
    }
}
