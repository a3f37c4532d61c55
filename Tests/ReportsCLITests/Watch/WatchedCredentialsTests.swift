import Foundation
import Glibc
import TestSupport
import Testing

/// Credentials that a person corrects while `watch` owns the spool, and the commands by which he then asks for a try.
@Suite("Credentials that change while watch lives", .timeLimit(.minutes(2)))
struct WatchedCredentialsTests {
    /// Accepts what has the token `new`.
    private static let wantsNew = ServerScript {
        $0.headers["Authorization"] == "Bearer new" ? .response(201) : .response(401)
    }

    enum Place: CaseIterable { case option, settings }

    /// Puts the token where headers are read from.
    private func write(_ token: String, _ place: Place, _ tool: ReportsTool) throws {
        // As editors and `install` do it: a new file in the place of the old one.
        let path = try tool.file("draft", place == .option ? "Authorization: \(token)\n" : token + "\n")
        guard rename(path, tool.home + "/token") == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    /// Runs `watch` with the token `old` beside `body`.
    @discardableResult
    private func watching(
        _ place: Place, _ tool: ReportsTool, _ server: LoopbackServer,
        _ body: (ReportsTool, RunningTool) async throws -> Void
    ) async throws -> RunningTool.End {
        var tool = tool
        try write("Bearer old", place, tool)
        let headers = place == .settings ? #", "headers": {"Authorization": {"file": "token"}}"# : ""
        tool.environment["REPORTS_CONFIG"] = try tool.file(
            "reports.json", #"{"endpoint": "\#(server.url("/{id}"))"\#(headers)}"#)
        let changed = tool
        switch place {
        case .option:
            return try await tool.watching("--header", "@\(tool.home)/token") { process, _ in
                try await body(changed, process)
            }
        case .settings:
            return try await tool.watching { process, _ in try await body(changed, process) }
        }
    }

    @Test("a file of headers that has changed counts from the next report on", arguments: Place.allCases)
    func renewed(_ place: Place) async throws {
        try await withTool(server: .accepting) { tool, server in
            try await watching(place, tool, server) { tool, _ in
                try await tool.add("one")
                await server.waitForRequests(count: 1)
                try write("Bearer new", place, tool)
                try await tool.add("two")
                await server.waitForRequests(count: 2)
            }
            #expect(server.requests.map { $0.headers["Authorization"] } == ["Bearer old", "Bearer new"])
        }
    }

    @Test("a file that is gone, half written or no file any more leaves the headers as they were")
    func damaged() async throws {
        try await withTool(server: .accepting) { tool, server in
            try await watching(.settings, tool, server) { tool, _ in
                let path = tool.home + "/token"
                var count = 0
                for damage in [{ _ = unlink(path) }, { _ = mkfifo(path, 0o600) }] {
                    damage()
                    count += 1
                    try await tool.add("report \(count)")
                    await server.waitForRequests(count: count)
                }
                unlink(path)
                try tool.file("token", "\n")
                try await tool.add("last")
                await server.waitForRequests(count: count + 1)
            }
            #expect(server.requests.allSatisfy { $0.headers["Authorization"] == "Bearer old" })
        }
    }

    @Test("after a 401, each submit has the owner try one report, names the owner, and tells what came of it")
    func submit() async throws {
        try await withTool(server: Self.wantsNew) { tool, server in
            try await watching(.settings, tool, server) { tool, process in
                let id = try await tool.add("one")
                try await poll { try await tool.state(of: id) == "held" }
                let count = server.requests.count
                let refused = try await tool.run("submit")
                #expect(refused.status == 75, "\(refused.output)\(refused.errors)")
                #expect(server.requests.count == count + 1)
                #expect(refused.output.contains("held 1"), "\(refused.output)")
                #expect(refused.output.contains("pid \(process.processIdentifier)"), "\(refused.output)")
                let next = "one report is tried at each submit, or "
                let shown = try await tool.run("show", id).output
                #expect(shown.contains(next), "\(shown)")

                let other = try await tool.add("two")
                try write("Bearer new", .settings, tool)
                let accepted = try await tool.run("submit")
                #expect(accepted.status == 0, "\(accepted.output)\(accepted.errors)")
                for id in [id, other] {
                    let state = try await tool.state(of: id)
                    #expect(state == "delivered")
                }
            }
            #expect(tool.names(in: "collected").isEmpty)
        }
    }

    @Test("a retry is sent by the owner, although its server is held", arguments: [true, false])
    func retry(ofAll: Bool) async throws {
        try await withTool(server: Self.wantsNew) { tool, server in
            try await watching(.settings, tool, server) { tool, _ in
                let id = try await tool.add("one")
                try await poll { try await tool.state(of: id) == "held" }
                try write("Bearer new", .settings, tool)
                #expect(try await tool.run("retry", ofAll ? "--all" : id).status == 0)
                let isDelivered = try await poll { try await tool.state(of: id) == "delivered" }
                #expect(isDelivered)
            }
        }
    }
}
