import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// Reports above 8 MiB, which go in parts to servers that can put them together.
///
/// `REPORTS_UPLOAD_MIB` says how large the report is whose sender is killed; the default is 40, a full run takes 256.
@Suite("Large reports in parts", .timeLimit(.minutes(20)))
struct LargeUploadTests {
    private static let mebibytes =
        ProcessInfo.processInfo.environment["REPORTS_UPLOAD_MIB"].flatMap { Int($0) } ?? 40

    private func noise(_ tool: ReportsTool, mebibytes: Int) async throws -> String {
        let path = tool.home + "/noise.core"
        let made = try await tool.shell("head -c \(mebibytes << 20) /dev/urandom > '\(path)'")
        #expect(made.status == 0)
        let added = try await tool.run("add", path, "--json")
        return try #require(try added.objects.first?["id"]?.stringValue, "\(added.errors)")
    }

    private func withServer(
        _ body: (ReportsTool, DraftResumableServer) async throws -> Void
    ) async throws {
        var rules = DraftRules()
        rules.keepsBodies = false
        let server = try DraftResumableServer(rules)
        defer { server.stop() }
        try await withTool { tool in try await body(tool, server) }
    }

    @Test("a sender that is killed five times sends hardly more than once, and show says how far it is")
    func killed() async throws {
        try await withServer { tool, server in
            var generator = SeededGenerator(seed: 5)
            let id = try await noise(tool, mebibytes: Self.mebibytes)
            let wireSize = try #require(try await tool.show(id).count("compressed_size"))
            let size = Int(wireSize)
            // Each connection lets so much through and then nothing, until all five lives are over.
            let areOver = Gate()
            let course = ProxyCourse().holding(
                .toServer, after: size / 6 - Int.random(in: 0..<size / 12, using: &generator), until: areOver)
            let proxy = try CuttingProxy(to: server.port, others: course)
            defer { proxy.stop() }
            for life in 1...5 {
                let running = try tool.start("submit", "--endpoint", proxy.url("/{id}"))
                await proxy.wait { connections in
                    connections.reduce(0) { $0 + $1.bytesToServer } >= size / 12 * life
                }
                await running.killAtOnce()
                for connection in proxy.connections.indices { proxy.cut(connection) }
                await proxy.waitForNoConnections()
                await server.waitForNoTransfers()
            }
            areOver.open()
            let report = try await tool.show(id)
            let acknowledged = try #require(report["upload"]?["offset"]?.integerValue)
            #expect(acknowledged > 0 && acknowledged < wireSize)
            #expect(report["upload"]?["size"]?.integerValue == wireSize)
            #expect(try await tool.run("show", id).output.contains("uploaded:   "))

            let last = try await tool.run("submit", "--endpoint", proxy.url("/{id}"), "--wait", "60")
            #expect(last.status == 0, "\(last.output) \(last.errors)")
            #expect(server.reports.map(\.byteCount) == [size])
            #expect(server.reports.map(\.target) == ["/\(id)"])
            // Its digests were checked by the server on the way.
            #expect(server.reports.first?.headers["Repr-Digest"] != nil)
            let sent = server.requests.reduce(0) { $0 + $1.bodyByteCount }
            #expect(sent <= size * 12 / 10, "\(sent) of \(size)")
            #expect(server.requests.allSatisfy { $0.bodyByteCount <= 8 << 20 })
            #expect(try await tool.show(id)["upload"] == nil)
        }
    }

    @Test("to a server that cannot it goes whole, in one request")
    func unaware() async throws {
        try await withServer { tool, server in
            server.update { $0.speaksDraft = false }
            let id = try await noise(tool, mebibytes: 9)
            #expect(try await tool.run("submit", "--endpoint", server.url("/{id}")).status == 0)
            #expect(server.reports.map(\.target) == ["/\(id)"])
            #expect(server.requests.filter { $0.method != "OPTIONS" }.map(\.method) == ["PUT"])
        }
    }
}
