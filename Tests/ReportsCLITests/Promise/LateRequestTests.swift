import Digests
import DurableIO
import Glibc
import Reports
import TestSupport
import Testing

/// Requests to an owner that dies before it carries them out, or at any moment of doing so.
@Suite("Requests whose owner is killed", .enabled(if: findExecutable("strace") != nil, "needs strace"))
struct LateRequestTests {
    /// How far the run that carries the request out has come when it is killed: a part of its calls.
    private static let parts = Array(stride(from: 0.06, to: 1, by: 0.125))
    private static let refusals = Array(repeating: 400, count: 50)
    private static let parked = ContentHash.of("parked").hex
    private static let busy = ContentHash.of("busy").hex

    @Test("a remove does not reach the same bytes when they come again")
    func remove() async throws {
        try await atEachPart(of: Self.points("remove", parkedStatuses: [400])) { part, point in
            try await remove(part, killedAt: point)
        }
    }

    @Test("a retry is one retry")
    func retry() async throws {
        try await atEachPart(of: Self.points("retry", parkedStatuses: Self.refusals)) { part, point in
            try await retry(part, killedAt: point)
        }
    }

    /// - Returns: whether the run that carries the request out was killed.
    private func remove(_ part: Double, killedAt point: KillPoint) async throws -> Bool {
        var wasKilled = false
        try await Self.withRequest("remove", parkedStatuses: [400]) { tool, server in
            wasKilled = try await submitKilled(tool, server, at: point)
            // Whether the request was carried out or not: they are wanted now.
            try await tool.add("parked")
            _ = try await tool.submit(to: server)
            if try await tool.state(of: Self.parked) == "rejected" {
                // The remove was void, the bytes were counted and are still there.
                #expect(try await tool.show(Self.parked).count("occurrences") == 2)
                #expect(try await tool.run("retry", Self.parked).status == 0)
            }
            try await expectAllDelivered([Self.parked, Self.busy], tool, server, "killed at \(part)")
            #expect(try await tool.state(of: Self.parked) == "delivered")
            #expect(tool.names(in: "collected").isEmpty)
        }
        return wasKilled
    }

    private func retry(_ part: Double, killedAt point: KillPoint) async throws -> Bool {
        var wasKilled = false
        try await Self.withRequest("retry", parkedStatuses: Self.refusals) { tool, server in
            let before = Deliveries.ids(server).count { $0 == Self.parked }
            wasKilled = try await submitKilled(tool, server, at: point)
            for _ in 0..<3 { _ = try await tool.submit(to: server) }
            #expect(tool.names(in: "collected").isEmpty)
            // A kill between sending and settling makes it two requests; the others send nothing more.
            let tries = Deliveries.ids(server).count { $0 == Self.parked } - before
            #expect((1...2).contains(tries), "killed at \(part): \(tries) times")
            #expect(try await tool.state(of: Self.parked) == "rejected")
            #expect(try await tool.run("doctor").status == 0)
        }
        return wasKilled
    }

    /// A spool with a parked report, and a request about it filed with an owner that was killed before it looked.
    private static func withRequest(
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
            // It looks for requests again within a second.
            owner.send(SIGSTOP)
            #expect(try await tool.run(request, Self.parked).output == Self.parked + "\n")
            await owner.killAtOnce()
            #expect(tool.names(in: "collected").count == 1)
            try await body(tool, server)
        }
    }

    private static func points(_ request: String, parkedStatuses: [Int]) async throws -> [KillPoint] {
        var points: [KillPoint] = []
        try await withRequest(request, parkedStatuses: parkedStatuses) { tool, server in
            points = try await KillPoint.trace(
                submit(server), environment: tool.environment, from: tool.spool
            ).points
        }
        #expect(points.count > 500, "\(points.count) calls")
        return points
    }

    private static func submit(_ server: LoopbackServer) -> [String] {
        [ReportsTool.path, "submit", "--endpoint", server.url("/{id}")]
    }

    /// Does something that is killed at a call, once at each part of all the calls.
    private func atEachPart(
        of points: [KillPoint], _ body: (Double, KillPoint) async throws -> Bool
    ) async throws {
        var killed = 0
        for part in Self.parts where try await body(part, points[Int(part * Double(points.count))]) { killed += 1 }
        // Which thread makes a call differs from run to run, so that one may be missing in another.
        #expect(killed > Self.parts.count / 2, "\(killed) of \(Self.parts.count) were killed")
    }

    private func submitKilled(
        _ tool: ReportsTool, _ server: LoopbackServer, at point: KillPoint
    ) async throws -> Bool {
        let result = try await point.kill(Self.submit(server), environment: tool.environment)
        return result.wasSignalled && result.status == SIGKILL
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
