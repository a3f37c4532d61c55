import Foundation
import TestSupport
import Testing

/// Interruptions, and the faults that a ``DraftResumableServer`` can be told to make.
@Suite(.timeLimit(.minutes(10)))
struct DraftServerFaultTests {
    // MARK: Interruptions

    @Test("What has come of a broken part stays, and the upload goes on from there")
    func brokenPart() async throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let path = try RawUploadClient(server.port).create()
        let client = try RawUploadClient(server.port)
        try client.sendPart("01234", to: path, at: 0, complete: "?1", declaring: 10)
        await server.waitForOffset(5)
        client.connection.close()
        await server.waitForNoTransfers()
        let next = try RawUploadClient(server.port)
        let head = try next.ask("HEAD", path)
        #expect(head.headers["Upload-Offset"] == "5")
        #expect(head.headers["Upload-Complete"] == "?0")
        #expect(try next.append("56789", to: path, at: 5, complete: "?1").status == 200)
        #expect(server.reports.map(\.sha256) == [sha256("0123456789")])
        #expect(server.record.abandoned.isEmpty)
    }

    @Test("A request to an upload ends the one that is still sending to it", arguments: ["HEAD", "PATCH", "DELETE"])
    func overtaking(method: String) async throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let path = try RawUploadClient(server.port).create()
        let halfOpen = try RawUploadClient(server.port)
        try halfOpen.sendPart("01234", to: path, at: 0, complete: "?0", declaring: 10)
        await server.waitForOffset(5)
        let next = try RawUploadClient(server.port)
        switch method {
        case "PATCH": #expect(try next.append("56789", to: path, at: 5, complete: "?0").status == 204)
        default: #expect(try next.ask(method, path).status == 204)
        }
        #expect(try halfOpen.connection.receive() == "")
        // What still comes on the first connection has no meaning any more.
        try? halfOpen.connection.send("xxxxx")
        #expect(server.uploads.map(\.offset) == [method == "PATCH" ? 10 : 5])
    }

    @Test("A restart loses uploads or not, as told; the port stays, and so does the record", arguments: [true, false])
    func restart(losingState: Bool) async throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let path = try client.create()
        try client.sendPart("01234", to: path, at: 0, complete: "?0", declaring: 10)
        await server.waitForOffset(5)
        try server.restart(losingState: losingState)
        #expect((try? client.receive()) == nil)
        let next = try RawUploadClient(server.port)
        let head = try next.ask("HEAD", path)
        #expect(head.status == (losingState ? 404 : 204))
        #expect(head.headers["Upload-Offset"] == (losingState ? nil : "5"))
        #expect(server.requests.map(\.method) == ["POST", "PATCH", "HEAD"])
        #expect(server.requests.map(\.connection) == [0, 0, 1])
    }

    @Test("A stopped server refuses connections, and comes back on its port")
    func stopAndRestart() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let path = try RawUploadClient(server.port).create()
        server.stop()
        let error = #expect(throws: SocketError.self) { _ = try RawUploadClient(server.port) }
        #expect(error?.errno == ECONNREFUSED)
        try server.restart(losingState: false)
        #expect(try RawUploadClient(server.port).ask("HEAD", path).status == 204)
    }

    // MARK: Faults

    @Test("The nth request of its kind is refused, and has no effect")
    func refusal() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        server.inject(.status(503, headers: [("Retry-After", "7")]), into: .append, from: 2, times: 2)
        let client = try RawUploadClient(server.port)
        let path = try client.create()
        #expect(try client.append("a", to: path, at: 0, complete: "?0").status == 204)
        for _ in 0..<2 {
            let answer = try client.append("b", to: path, at: 1, complete: "?0")
            #expect(answer.status == 503)
            #expect(answer.headers["Retry-After"] == "7")
            #expect(answer.headers["Upload-Complete"] == nil)
        }
        #expect(try client.append("b", to: path, at: 1, complete: "?1").status == 200)
        #expect(server.reports.map(\.sha256) == [sha256("ab")])
    }

    @Test("Location may be on another origin")
    func foreignLocation() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        server.update { $0.sendsInterimResponses = true }
        server.inject(.location("https://elsewhere.example/u/1"), into: .creation)
        let answer = try RawUploadClient(server.port).ask("POST", "/", ["Upload-Complete": "?0"], "")
        #expect(answer.headers["Location"] == "https://elsewhere.example/u/1")
        #expect(answer.interim.map { $0.headers["Location"] } == ["https://elsewhere.example/u/1"])
    }

    @Test("The final answer may be lost although the application has the report; HEAD still tells")
    func lostAnswer() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let path = try client.create()
        server.inject(.loseAnswer, into: .append)
        try client.sendPart("abc", to: path, at: 0, complete: "?1")
        #expect(try client.connection.receive() == "")
        #expect(server.reports.count == 1)
        let head = try RawUploadClient(server.port).ask("HEAD", path)
        #expect(head.headers["Upload-Complete"] == "?1")
        #expect(head.headers["Upload-Offset"] == "3")
    }

    @Test("An answer may never come, or come when told")
    func silence() async throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let path = try client.create()
        let gate = Gate()
        server.inject(.replaceAnswer { .delay(until: gate, then: $0) }, into: .append)
        try client.sendPart("abc", to: path, at: 0, complete: "?1")
        await server.waitForReports(count: 1)
        #expect(!client.connection.isReadable)
        gate.open()
        #expect(try client.receive().headers["Upload-Complete"] == "?1")

        server.inject(.silence, into: .retrieval)
        try client.send("HEAD", path)
        await server.waitForRequests(count: 3)
        #expect(!client.connection.isReadable)
        #expect(try RawUploadClient(server.port).ask("HEAD", path).status == 204)
    }

    @Test("A connection may break after an exact number of bytes is stored", arguments: [0, 1, 9, 10])
    func breakOff(byteCount: Int) throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let path = try RawUploadClient(server.port).create()
        server.inject(.breakOff(afterByteCount: byteCount), into: .append)
        let client = try RawUploadClient(server.port)
        try client.sendPart("0123456789", to: path, at: 0, complete: "?1")
        #expect((try? client.receive()) == nil)
        #expect(server.uploads.map(\.offset) == [byteCount])
        let next = try RawUploadClient(server.port)
        let rest = String("0123456789".dropFirst(byteCount))
        #expect(try next.append(rest, to: path, at: byteCount, complete: "?1").status == 200)
        #expect(server.reports.map(\.sha256) == [sha256("0123456789")])
    }

    @Test("Acknowledged bytes may be lost, with the bytes or without", arguments: [true, false])
    func lostBytes(keepsBodies: Bool) throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        server.update { $0.keepsBodies = keepsBodies }
        let client = try RawUploadClient(server.port)
        let path = try client.create()
        _ = try client.append("0123", to: path, at: 0, complete: "?0")
        _ = try client.append("4567", to: path, at: 4, complete: "?0")
        server.inject(.loseBytes(downTo: 5), into: .retrieval)
        let left = keepsBodies ? 5 : 4
        #expect(try client.ask("HEAD", path).headers["Upload-Offset"] == "\(left)")
        let rest = String("0123456789".dropFirst(left))
        #expect(try client.append(rest, to: path, at: left, complete: "?1").status == 200)
        #expect(server.reports.map(\.sha256) == [sha256("0123456789")])
    }

    @Test("An offset may be claimed that is not so")
    func claimedOffset() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        let path = try client.create()
        server.inject(.claimOffset(99), into: .retrieval)
        #expect(try client.ask("HEAD", path).headers["Upload-Offset"] == "99")
        #expect(try client.ask("HEAD", path).headers["Upload-Offset"] == "0")
        server.inject(.claimOffset(7), into: .append)
        #expect(try client.append("abc", to: path, at: 0, complete: "?0").headers["Upload-Offset"] == "7")
        server.inject(.claimOffset(8), into: .append)
        let conflict = try client.append("def", to: path, at: 7, complete: "?0")
        #expect(conflict.status == 409)
        #expect(conflict.headers["Upload-Offset"] == "8")
    }

    @Test("An upload may be forgotten, or be gone")
    func forgottenUpload() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        let client = try RawUploadClient(server.port)
        for (fault, status) in [(DraftFault.forget, 404), (.expire, 410)] {
            let path = try client.create()
            server.inject(fault, into: .append)
            #expect(try client.append("a", to: path, at: 0, complete: "?1").status == status)
            #expect(try client.ask("HEAD", path).status == status)
        }
        #expect(server.reports.isEmpty)
    }

    @Test("A large report is hashed, not kept")
    func largeReport() throws {
        let server = try DraftResumableServer()
        defer { server.stop() }
        server.update { $0.keepsBodies = false }
        let client = try RawUploadClient(server.port)
        let path = try client.create()
        let part = String(repeating: "abcdefgh", count: 1 << 20)
        #expect(try client.append(part, to: path, at: 0, complete: "?0").status == 204)
        #expect(try client.append(part, to: path, at: part.utf8.count, complete: "?1").status == 200)
        #expect(server.reports.map(\.byteCount) == [2 * part.utf8.count])
        #expect(server.reports.map(\.sha256) == [sha256(part + part)])
        #expect(server.reports.map(\.body) == [[]])
    }
}
