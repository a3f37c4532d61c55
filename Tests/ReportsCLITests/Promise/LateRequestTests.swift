import Digests
import DurableIO
import Reports
import TestSupport
import Testing

/// Requests to an owner that dies before it carries them out, or at any moment of doing so.
@Suite("Requests whose owner is killed", .enabled(if: findExecutable("strace") != nil, "needs strace"))
struct LateRequestTests {
    private static let calls = [500, 700, 800, 900, 1_000, 1_100, 1_200, 1_400]
    private static let parked = ContentHash.of("parked").hex
    private static let busy = ContentHash.of("busy").hex

    @Test("a remove does not reach the same bytes when they come again", arguments: calls)
    func remove(call: Int) async throws {
        try await withRequest("remove", parkedStatuses: [400]) { tool, server in
            try await submitKilled(tool, server, at: call)
            // Whether the request was carried out or not: they are wanted now.
            try await tool.add("parked")
            _ = try await tool.submit(to: server)
            if try await tool.state(of: Self.parked) == "rejected" {
                // The remove was void, the bytes were counted and are still there.
                #expect(try await tool.show(Self.parked).count("occurrences") == 2)
                #expect(try await tool.run("retry", Self.parked).status == 0)
            }
            try await expectAllDelivered([Self.parked, Self.busy], tool, server, "killed at \(call)")
            #expect(try await tool.state(of: Self.parked) == "delivered")
            #expect(tool.names(in: "collected").isEmpty)
        }
    }

    @Test("a retry is one retry", arguments: calls)
    func retry(call: Int) async throws {
        try await withRequest("retry", parkedStatuses: Array(repeating: 400, count: 50)) { tool, server in
            let before = Deliveries.ids(server).count { $0 == Self.parked }
            try await submitKilled(tool, server, at: call)
            for _ in 0..<3 { _ = try await tool.submit(to: server) }
            #expect(tool.names(in: "collected").isEmpty)
            // A kill between sending and settling makes it two requests; the others send nothing more.
            let tries = Deliveries.ids(server).count { $0 == Self.parked } - before
            #expect((1...2).contains(tries), "killed at \(call): \(tries) times")
            #expect(try await tool.state(of: Self.parked) == "rejected")
            #expect(try await tool.run("doctor").status == 0)
        }
    }

    /// A spool with a parked report, and a request about it filed with an owner that was killed before it looked.
    private func withRequest(
        _ request: String, parkedStatuses: [Int], _ body: (ReportsTool, LoopbackServer) async throws -> Void
    ) async throws {
        let tries = Tally()
        let script = ServerScript { received in
            let number = tries.next(received.target)
            if received.target == "/" + Self.parked {
                return .response(number < parkedStatuses.count ? parkedStatuses[number] : 201)
            }
            return number == 0 ? .stall : .response(201)
        }
        try await withTool(server: script) { tool, server in
            #expect(try await tool.add("parked") == Self.parked)
            #expect(try await tool.submit(to: server).status == 65)
            #expect(try await tool.add("busy") == Self.busy)
            let owner = try tool.start("submit", "--endpoint", server.url("/{id}"))
            await server.waitForRequests(count: 2)
            #expect(try await tool.run(request, Self.parked).output == Self.parked + "\n")
            await owner.killAtOnce()
            #expect(tool.names(in: "collected").count == 1)
            try await body(tool, server)
        }
    }

    private func submitKilled(_ tool: ReportsTool, _ server: LoopbackServer, at call: Int) async throws {
        let strace = ["-f", "-qq", "-o", "/dev/null", "-e", "inject=all:signal=SIGKILL:when=\(call)"]
        let submit = [ReportsTool.path, "submit", "--endpoint", server.url("/{id}")]
        _ = try await runAsynchronously("strace", strace + submit, environment: tool.environment)
    }
}

/// Counts how often something came.
private final class Tally: Sendable {
    private let counts = Monitor<[String: Int]>([:])

    /// How often it came before.
    func next(_ name: String) -> Int {
        counts.withLock { counts in
            defer { counts[name, default: 0] += 1 }
            return counts[name, default: 0]
        }
    }
}
