import Foundation
import Glibc
import TestSupport
import Testing

/// Programs under `reports-run` whose wrappers are killed while `reports watch` is at work.
@Suite("reports watch, and wrappers that die", .timeLimit(.minutes(3)))
struct WatchRunTests {
    @Test("a program that outlives its wrapper is told of when it ends, and no other event is needed")
    func outlives() async throws {
        try await withTool(server: .accepting) { tool, server in
            try await tool.watching("--endpoint", server.url("/{id}")) { watch, _ in
                let command = [
                    "--quiet", "--orphan", "--stderr", "none", "--", "/bin/sh", "-c",
                    #"echo $$ >"$0.new"; mv "$0.new" "$0"; exec sleep 600"#, tool.home + "/pid",
                ]
                let wrapper = try RunningTool(
                    ReportsTool.runner, command, environment: tool.environment, home: tool.home)
                try await expectSoon { program(tool) != nil }
                let pid = try #require(program(tool))
                defer { kill(pid, SIGKILL) }
                // Of a program whose number was not written down yet nobody knows that it lives.
                try await expectSoon { isNoted(pid, in: tool) }
                // Not waited for: Foundation takes it for alive as long as the program is.
                wrapper.send(SIGKILL)
                // `watch` has swept, and waits for the program.
                try await expectSoon { waitsForProcess(watch.processIdentifier) }
                #expect(server.requests.isEmpty)
                kill(pid, SIGSEGV)
                try await expectSoon { server.requests.count == 1 }
                #expect(server.requests.first?.headers["Report-Kind"] == "crash")
                await wrapper.end()
            }
        }
    }

    private func program(_ tool: ReportsTool) -> Int32? {
        Int32(tool.text(of: tool.home + "/pid").trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Whether the record of a run has the number of its program.
    private func isNoted(_ program: Int32, in tool: ReportsTool) -> Bool {
        tool.names(in: "runs").contains { run in
            tool.text(of: "\(tool.spool)/runs/\(run)/run.json").contains("\"pid\":\(program),")
        }
    }

    /// Whether a process has another one open.
    private func waitsForProcess(_ process: Int32) -> Bool {
        let folder = "/proc/\(process)/fd"
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).contains { name in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
            return target?.contains("pidfd") == true
        }
    }
}
