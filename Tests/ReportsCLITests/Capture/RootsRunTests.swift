import Foundation
import Glibc
import TestSupport
import Testing

/// Runs of root's in the spool of a service's user that were killed: that user cannot look into them.
@Suite("What reports-run of root's has left", .enabled(if: OtherUser.isAvailable, "needs root and setpriv"))
struct RootsRunTests {
    private func withLeftRun(_ body: (ReportsTool, LoopbackServer) async throws -> Void) async throws {
        try await withTool(server: .accepting) { tool, server in
            chmod(tool.home, 0o755)
            mkdir(tool.spool, 0o700)
            chown(tool.spool, OtherUser.nobody, OtherUser.nobody)
            #expect(try await tool.submit(to: server).status == 0)
            let script = try tool.file("killed", "echo $$ >\"$HOME/pid\"; kill -KILL $PPID; exec sleep 60 >/dev/null")
            _ = try await runAsynchronously(
                "/bin/sh", ["-c", #""\#(ReportsTool.runner)" --quiet -- sh "\#(script)"; true"#],
                environment: tool.environment)
            #expect(tool.names(in: "runs").count == 1)
            // The kernel may still be at the end of the program.
            let pid = try String(contentsOfFile: tool.home + "/pid", encoding: .utf8).dropLast()
            try await expectSoon {
                let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
                return stat?.contains(") Z ") ?? true
            }
            try await body(tool, server)
        }
    }

    @Test("doctor says that there is one, also to the spool's user, and changes nothing")
    func named() async throws {
        try await withLeftRun { tool, _ in
            for result in [try await tool.run("doctor"), try await OtherUser.run(tool, ["doctor"])] {
                #expect(result.status == 0)
                #expect(result.output.hasPrefix("note: runs: 1 of root's: "), "\(result.output)\(result.errors)")
            }
            #expect(tool.names(in: "runs").count == 1)
            // It has a directory outside of the spool, too, which the test must not leave behind.
            _ = try await tool.run("doctor", "--repair")
            #expect(tool.names(in: "runs") == [])
        }
    }

    @Test("the spool's user leaves it to root, whose submit tells of it and sends that")
    func submitted() async throws {
        try await withLeftRun { tool, server in
            let words = ["submit", "--endpoint", server.url("/{id}")]
            #expect(try await OtherUser.run(tool, words).status == 0)
            #expect(server.requests.isEmpty)
            let result = try await tool.run(words)
            #expect(result.status == 0, "\(result.errors)")
            #expect(tool.names(in: "runs") == [])
            #expect(server.requests.map { $0.headers["Report-Kind"] } == ["crash"])
            #expect(try await tool.run("doctor").output == ReportsTool.wellWords)
        }
    }

    @Test("so does root's doctor --repair")
    func repaired() async throws {
        try await withLeftRun { tool, _ in
            let result = try await tool.run("doctor", "--repair")
            #expect(result.status == 0, "\(result.errors)")
            #expect(tool.names(in: "runs") == [] && tool.names(in: "incoming").count == 1)
        }
    }

    @Test("and watch that root starts")
    func watched() async throws {
        try await withLeftRun { tool, server in
            let process = try tool.start("watch", "--endpoint", server.url("/{id}"))
            try await expectSoon { process.errors.contains(" delivered ") }
            process.send(SIGTERM)
            #expect(await process.end().status == 0)
            #expect(tool.names(in: "runs") == [])
            #expect(server.requests.map { $0.headers["Report-Kind"] } == ["crash"])
        }
    }
}
