import TestSupport
import Testing

@Suite("What status says of servers", .timeLimit(.minutes(5)))
struct StatusWordsTests {
    /// What it says of the server at a port, without the address.
    private func words(_ tool: ReportsTool, _ port: UInt16) async throws -> String? {
        let mark = "http://127.0.0.1:\(port):  "
        return try await tool.run("status").output.split(separator: "\n").first { $0.hasPrefix(mark) }
            .map { String($0.dropFirst(mark.count)) }
    }

    @Test("a submit tries a server at once that failed or refused, and waits for one that asked to wait")
    func nextTry() async throws {
        let answer = Monitor(Answer.response(401))
        try await withTool(server: ServerScript { _ in answer.withLock { $0 } }) { tool, server in
            try await tool.add("one")
            #expect(try await tool.submit(to: server).status == 75)
            let held = try await words(tool, server.port)
            #expect(held == "closed, auth, one report is tried at each submit: the server answered 401")
            answer.withLock { $0 = .response(500) }
            #expect(try await tool.submit(to: server).status == 75)
            #expect(server.requests.count == 2)
            let failing = try await words(tool, server.port)
            #expect(failing == "closed, backing off, one report is tried at each submit: the server answered 500")
            answer.withLock { $0 = .response(503, headers: [("Retry-After", "3600")]) }
            #expect(try await tool.submit(to: server).status == 75)
            #expect(server.requests.count == 3)
            let asked = try #require(try await words(tool, server.port))
            let words = /closed, the server asked to wait, tried again from [0-9TZ:.-]+: the server answered 503/
            #expect(asked.wholeMatch(of: words) != nil, "\(asked)")
            #expect(try await tool.submit(to: server).status == 75)
            #expect(server.requests.count == 3)
        }
    }

    @Test("of a closed server to which no report is bound any more it promises no try")
    func deserted() async throws {
        let nobody = try RefusingPort()
        try await withTool(server: .accepting) { tool, server in
            try await tool.add("one")
            #expect(try await tool.run("submit", "--endpoint", nobody.url("/{id}")).status == 75)
            let closed = "closed, backing off, "
            let before = try #require(try await words(tool, nobody.port))
            #expect(before.hasPrefix(closed + "one report is tried at each submit: "), "\(before)")
            _ = try await tool.run("retry", "--all")
            #expect(try await tool.submit(to: server).status == 0)
            let after = try #require(try await words(tool, nobody.port))
            #expect(after.hasPrefix(closed + "and no report goes there any more: "), "\(after)")
            #expect(try await words(tool, server.port) == "open")
        }
    }
}
