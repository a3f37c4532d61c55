import Foundation
import TestSupport
import Testing

/// What Apple's server does when connections break, requests come twice or not at all, and time passes.
@Suite(.timeLimit(.minutes(10)))
struct NIOServerInterruptionTests {
    static let whole = "0123456789"

    @Test("What has come of a broken part stays, and the upload goes on from there")
    func brokenPart() async throws {
        let server = try NIOResumableServer()
        defer { server.stop() }
        let path = try RawUploadClient(server.port, version: "6").create()
        let broken = try RawUploadClient(server.port, version: "6")
        try broken.sendPart("01234", to: path, at: 0, complete: "?1", declaring: 10)
        await server.wait { $0.requests.last?.bodyByteCount == 5 }
        broken.connection.close()
        let next = try RawUploadClient(server.port, version: "6")
        let head = try next.ask("HEAD", path)
        #expect(head.headers["Upload-Offset"] == "5")
        #expect(head.headers["Upload-Complete"] == "?0")
        #expect(try next.append("56789", to: path, at: 5, complete: "?1").status == 200)
        #expect(server.reports.map(\.sha256) == [sha256(Self.whole)])
    }

    @Test("HEAD closes a connection that is still sending; after it a PATCH is taken")
    func overtaking() async throws {
        let server = try NIOResumableServer()
        defer { server.stop() }
        let path = try RawUploadClient(server.port, version: "6").create()
        let halfOpen = try RawUploadClient(server.port, version: "6")
        try halfOpen.sendPart("01234", to: path, at: 0, complete: "?0", declaring: 10)
        await server.wait { $0.requests.last?.bodyByteCount == 5 }
        let next = try RawUploadClient(server.port, version: "6")
        #expect(try next.ask("HEAD", path).headers["Upload-Offset"] == "5")
        #expect(try halfOpen.connection.receive() == "")
        #expect(try next.append("56789", to: path, at: 5, complete: "?1").status == 200)
        #expect(server.reports.map(\.sha256) == [sha256(Self.whole)])
    }

    @Test("A PATCH with a wrong offset destroys the upload: 409 with the right one, then 404")
    func wrongOffset() async throws {
        let server = try NIOResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port, version: "6")
        let path = try client.create()
        _ = try client.append("0123", to: path, at: 0, complete: "?0")
        let conflict = try client.append("56789", to: path, at: 5, complete: "?1")
        #expect(conflict.status == 409)
        #expect(conflict.headers["Upload-Offset"] == "4")
        #expect(conflict.headers["Upload-Complete"] == "?0")
        #expect(try client.ask("HEAD", path).status == 404)
        #expect(try client.append("456789", to: path, at: 4, complete: "?1").status == 404)
        #expect(await server.waitForAbandoned(count: 1) == ["badResumption"])
        #expect(server.reports.isEmpty)
    }

    @Test("So does a right PATCH while another connection is still sending")
    func patchWhileAttached() async throws {
        let server = try NIOResumableServer()
        defer { server.stop() }
        let path = try RawUploadClient(server.port, version: "6").create()
        let halfOpen = try RawUploadClient(server.port, version: "6")
        try halfOpen.sendPart("01234", to: path, at: 0, complete: "?0", declaring: 10)
        await server.wait { $0.requests.last?.bodyByteCount == 5 }
        let next = try RawUploadClient(server.port, version: "6")
        let conflict = try next.append("56789", to: path, at: 5, complete: "?1")
        #expect(conflict.status == 409)
        #expect(conflict.headers["Upload-Offset"] == "5")
        #expect(try next.ask("HEAD", path).status == 404)
    }

    @Test("If the final answer is lost, HEAD says 404 although the application has the report")
    func lostAnswer() async throws {
        let server = try NIOResumableServer()
        defer { server.stop() }
        let path = try RawUploadClient(server.port, version: "6").create()
        await server.waitForNoConnections()
        let proxy = try CuttingProxy(to: server.port, courses: [ProxyCourse().cutting(.toClient, beyond: 0)])
        defer { proxy.stop() }
        let cut = try RawUploadClient(proxy.port, version: "6")
        try cut.sendPart(Self.whole, to: path, at: 0, complete: "?1")
        #expect((try? cut.receive()) == nil)
        await server.waitForNoConnections()
        #expect(server.reports.map(\.sha256) == [sha256(Self.whole)])
        #expect(try RawUploadClient(server.port, version: "6").ask("HEAD", path).status == 404)
    }

    @Test("If the server has not noticed that, HEAD says complete")
    func lostAnswerOnHalfOpenConnection() async throws {
        let server = try NIOResumableServer()
        defer { server.stop() }
        let path = try RawUploadClient(server.port, version: "6").create()
        let vanishing = ProxyCourse().cutting(.toClient, beyond: 0, by: .vanish)
        let proxy = try CuttingProxy(to: server.port, courses: [vanishing])
        defer { proxy.stop() }
        let cut = try RawUploadClient(proxy.port, version: "6")
        try cut.sendPart(Self.whole, to: path, at: 0, complete: "?1")
        #expect((try? cut.receive()) == nil)
        for _ in 0..<2 {
            let head = try RawUploadClient(server.port, version: "6").ask("HEAD", path)
            #expect(head.status == 204)
            #expect(head.headers["Upload-Complete"] == "?1")
            #expect(head.headers["Upload-Offset"] == "10")
            await server.waitForNoConnections()
        }
        #expect(server.reports.map(\.sha256) == [sha256(Self.whole)])
    }

    @Test("After its idle timeout an upload still acknowledges parts and calls itself complete, but reaches nobody")
    func idleTimeout() async throws {
        var rules = NIOResumableServer.Rules()
        rules.idleTimeout = .milliseconds(1)
        let server = try NIOResumableServer(rules)
        defer { server.stop() }
        let client = try RawUploadClient(server.port, version: "6")
        let path = try client.create()
        #expect(await server.waitForAbandoned(count: 1) == ["timeoutWaitingForResumption"])
        #expect(try client.ask("HEAD", path).status == 204)
        let part = try client.append("01234", to: path, at: 0, complete: "?0")
        #expect(part.status == 201)
        #expect(part.headers["Upload-Offset"] == "5")
        try client.sendPart("56789", to: path, at: 5, complete: "?1")
        await server.wait { $0.requests.last?.method == "PATCH" && $0.requests.last?.isComplete == true }
        #expect(!client.connection.isReadable)

        let head = try RawUploadClient(server.port, version: "6").ask("HEAD", path)
        #expect(head.status == 204)
        #expect(head.headers["Upload-Complete"] == "?1")
        #expect(head.headers["Upload-Offset"] == "10")
        // That HEAD closes the connection on which an answer is waited for; until then there is none.
        #expect(try client.connection.receive() == "")
        #expect(server.reports.isEmpty)
    }

    @Test("A restart forgets every upload; port and record stay, and Location begins as told")
    func restart() throws {
        let server = try NIOResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port, version: "6")
        let path = try client.create()
        try server.restart(origin: "http://proxy.example")
        #expect((try? client.ask("HEAD", path)) == nil)
        let next = try RawUploadClient(server.port, version: "6")
        #expect(try next.ask("HEAD", path).status == 404)
        let created = try next.ask("POST", "/reports", ["Upload-Complete": "?0"], "")
        #expect(created.headers["Location"]?.hasPrefix("http://proxy.example/resumable_upload/") == true)
        #expect(server.requests.map(\.method) == ["POST", "HEAD", "POST"])
        server.stop()
        #expect(throws: SocketError.self) { _ = try RawUploadClient(server.port) }
    }
}
