import Foundation
import TestSupport
import Testing

/// The faults that a ``LoopbackServer`` can be told to make, byte by byte.
@Suite(.timeLimit(.minutes(10)))
struct LoopbackServerFaultTests {
    static let ok = "HTTP/1.1 200 Scripted\r\nContent-Length: 2\r\n\r\nok"
    static let refusal = "HTTP/1.1 413 Scripted\r\nContent-Length: 0\r\n\r\n"

    @Test("An answer from the head comes before the body, and the connection goes on")
    func earlyAnswer() async throws {
        let script = ServerScript.always(.response(200, text: "ok")).deciding { request in
            request.method == "PUT" ? .response(413) : nil
        }
        try await withLoopbackServer(script) { server in
            let client = try LoopbackClient(port: server.port)
            try client.send("PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\n")
            #expect(try client.receive(Self.refusal.utf8.count) == Self.refusal)
            #expect(server.requests.map(\.bodyByteCount) == [0])
            #expect(server.requests.map(\.isComplete) == [false])
            try client.send("0123456789GET / HTTP/1.1\r\n\r\n")
            #expect(try client.receive(Self.ok.utf8.count) == Self.ok)
            #expect(server.requests.map(\.bodyByteCount) == [10, 0])
            #expect(server.requests.map(\.isComplete) == [true, true])
        }
    }

    @Test("An early answer and then a reset in mid-body")
    func earlyAnswerAndReset() async throws {
        let readSome = Gate()
        try await withLoopbackServer(.early(.readBody(4).then(.open(readSome)).then(.reset))) { server in
            let client = try LoopbackClient(port: server.port)
            try client.send("PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\n01234567")
            await readSome.wait()
            let error = #expect(throws: SocketError.self) { _ = try client.receive() }
            #expect(error?.errno == ECONNRESET)
            #expect(server.requests.map(\.text) == ["0123"])
        }
    }

    @Test("A reset after the whole request, before any answer")
    func reset() async throws {
        try await withLoopbackServer(.always(.reset)) { server in
            let client = try LoopbackClient(port: server.port)
            try client.send("PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
            let error = #expect(throws: SocketError.self) { _ = try client.receive() }
            #expect(error?.errno == ECONNRESET)
            #expect(server.requests.map(\.isComplete) == [true])
        }
    }

    @Test("A close without an answer is an end, not an error")
    func close() async throws {
        try await withLoopbackServer(.always(.close)) { server in
            let client = try LoopbackClient(port: server.port)
            try client.send("PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
            #expect(try client.receive() == "")
        }
    }

    @Test("Raw bytes are sent as they are", arguments: ["", "\u{1}garbage", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nX"])
    func raw(bytes: String) async throws {
        try await withLoopbackServer(.always(.raw(bytes).then(.close))) { server in
            let client = try LoopbackClient(port: server.port)
            try client.send("GET / HTTP/1.1\r\n\r\n")
            #expect(try client.receive() == bytes)
        }
    }

    @Test("An answer waits for its gate")
    func gate() async throws {
        let gate = Gate()
        let script = ServerScript.always(.delay(until: gate, then: .response(200, text: "ok")))
        try await withLoopbackServer(script) { server in
            let client = try LoopbackClient(port: server.port)
            try client.send("GET / HTTP/1.1\r\n\r\n")
            await server.waitForRequests(count: 1)
            #expect(!client.isReadable)
            gate.open()
            #expect(try client.receive(Self.ok.utf8.count) == Self.ok)
            // Open once is open for good.
            try client.send("GET / HTTP/1.1\r\n\r\n")
            #expect(try client.receive(Self.ok.utf8.count) == Self.ok)
        }
    }

    @Test("A server that stops reading in mid-body fills the client's pipe")
    func stopsReading() async throws {
        let readSome = Gate()
        let script = ServerScript.early(.readBody(10).then(.open(readSome)).then(.stall))
        try await withLoopbackServer(script, receiveBufferByteCount: 16 * 1_024) { server in
            let client = try LoopbackClient(port: server.port)
            try client.send("PUT / HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n0123456789")
            await readSome.wait()
            let piece = [UInt8](repeating: 0, count: 64 * 1_024)
            var sent = 0
            while let count = try client.sendWithoutWaiting(piece) { sent += count }
            #expect(sent < 64 << 20)
            #expect(server.requests.map(\.bodyByteCount) == [10])
            #expect(!client.isReadable)
        }
    }

    @Test("A stalled server notices that its client has gone")
    func stallEndsWithClient() async throws {
        try await withLoopbackServer(.always(.stall)) { server in
            let client = try LoopbackClient(port: server.port)
            try client.send("GET / HTTP/1.1\r\n\r\n")
            await server.waitForRequests(count: 1)
            #expect(server.openConnectionCount == 1)
            client.close()
            await server.waitForNoConnections()
            #expect(server.openConnectionCount == 0)
        }
    }

    @Test("A half-closed answer ends for the client while the server still reads")
    func finishSending() async throws {
        try await withLoopbackServer(.always(.raw("part").then(.finishSending))) { server in
            let client = try LoopbackClient(port: server.port)
            try client.send("GET /1 HTTP/1.1\r\n\r\n")
            #expect(try client.receive() == "part")
            try client.send("GET /2 HTTP/1.1\r\n\r\n")
            #expect(await server.waitForRequests(count: 2).map(\.target) == ["/1", "/2"])
        }
    }

    @Test("Content can be answered in its middle, and the script is told if it breaks off")
    func midBody() async throws {
        let broken = Gate()
        var script = ServerScript.always(.response(200, text: "ok"))
        script.onHead = { _ in .response(103).then(.whenComplete) }
        script.onBody = { request, piece in
            piece.contains(UInt8(ascii: "!")) ? .raw("\(request.bodyByteCount);") : nil
        }
        script.onBreak = { _ in broken.open() }
        try await withLoopbackServer(script) { server in
            let client = try LoopbackClient(port: server.port)
            let interim = "HTTP/1.1 103 Scripted\r\n\r\n"
            try client.send("PUT / HTTP/1.1\r\nContent-Length: 6\r\n\r\n")
            #expect(try client.receive(interim.utf8.count) == interim)
            try client.send("ab!")
            #expect(try client.receive(2) == "3;")
            try client.send("de!")
            #expect(try client.receive(2 + Self.ok.utf8.count) == "6;" + Self.ok)
            #expect(server.requests.map(\.text) == ["ab!de!"])
            #expect(!broken.isOpen)
            try client.send("PUT / HTTP/1.1\r\nContent-Length: 6\r\n\r\nab")
            client.close()
            await broken.wait()
            #expect(server.requests.map(\.isComplete) == [true, false])
        }
    }

    @Test("One connection can be ended from outside")
    func hangUp() async throws {
        try await withLoopbackServer(.always(.stall)) { server in
            let clients = try (0..<2).map { number in
                let client = try LoopbackClient(port: server.port)
                try client.send("GET /\(number) HTTP/1.1\r\n\r\n")
                return client
            }
            let requests = await server.waitForRequests(count: 2)
            server.hangUp(try #require(requests.first { $0.target == "/1" }).connection)
            #expect(try clients[1].receive() == "")
            #expect(!clients[0].isReadable)
            server.hangUp(7)
        }
    }

    @Test("Stopping ends every connection, whatever it is doing")
    func stopping() async throws {
        let endless = Gate()
        let script = ServerScript { request in
            switch request.target {
            case "/stall": .stall
            case "/gate": .delay(until: endless, then: .response(200))
            case "/drip": .drip(200, everyMilliseconds: 3_600_000)
            case "/pause": .pause(milliseconds: 3_600_000)
            case "/flood": .raw([UInt8](repeating: 0, count: 64 << 20))
            default: .response(200)
            }
        }
        let server = try LoopbackServer(
            script.deciding { $0.target == "/unread" ? .stall : nil }, receiveBufferByteCount: 16 * 1_024)
        let targets = ["/stall", "/gate", "/drip", "/pause", "/flood", "/unread", "/idle"]
        let clients = try targets.map { target in
            let client = try LoopbackClient(port: server.port)
            try client.send("GET \(target) HTTP/1.1\r\n\r\n")
            return client
        }
        let half = try LoopbackClient(port: server.port)
        try half.send("PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\n123")
        await server.waitForRequests(count: targets.count)
        await server.waitForConnections(count: targets.count + 1)
        server.stop()
        server.stop()
        #expect(server.openConnectionCount == 0)
        for client in clients + [half] {
            _ = try? client.receive()
            #expect(client.isReadable)
        }
        #expect(throws: SocketError.self) { _ = try LoopbackClient(port: server.port) }
    }

    @Test("Waiting ends when the server stops and when the task is cancelled")
    func waiting() async throws {
        let server = try LoopbackServer(.always(.close))
        let cancelled = Task { await server.waitForRequests(count: 1).count }
        cancelled.cancel()
        #expect(await cancelled.value == 0)
        async let waiting = server.waitForRequests(count: 1).count
        server.stop()
        #expect(await waiting == 0)
        let gate = Gate()
        let atGate = Task { await gate.wait() }
        atGate.cancel()
        await atGate.value
        #expect(!gate.isOpen)
    }
}
