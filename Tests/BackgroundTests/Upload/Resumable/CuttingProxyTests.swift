import Foundation
import TestSupport
import Testing

/// The proxy that breaks connections, seen from both its sides.
@Suite(.timeLimit(.minutes(10)))
struct CuttingProxyTests {
    static let ok = "HTTP/1.1 200 Scripted\r\nContent-Length: 2\r\n\r\nok"
    static let head = "PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\n"

    /// Runs `body` with a server, and a proxy in front of it.
    private func withProxy(
        _ script: ServerScript = .always(.response(200, text: "ok")),
        courses: [ProxyCourse] = [],
        _ body: (CuttingProxy, LoopbackServer) async throws -> Void
    ) async throws {
        try await withLoopbackServer(script) { server in
            let proxy = try CuttingProxy(to: server.port, courses: courses)
            defer { proxy.stop() }
            try await body(proxy, server)
        }
    }

    @Test("Everything passes as it is, and is counted each way")
    func passing() async throws {
        try await withProxy { proxy, server in
            let body = [UInt8](repeating: 65, count: 5 << 20)
            let head = "PUT / HTTP/1.1\r\nContent-Length: \(body.count)\r\n\r\n"
            for number in 1...2 {
                let client = try LoopbackClient(port: proxy.port)
                try client.send(head)
                try client.send(body)
                #expect(try client.receive(Self.ok.utf8.count) == Self.ok)
                #expect(proxy.bytesToServer == number * (head.utf8.count + body.count))
                #expect(proxy.bytesToClient == number * Self.ok.utf8.count)
            }
            #expect(server.requests.map(\.body) == [body, body])
            await proxy.waitForNoConnections()
            #expect(proxy.connections.map(\.cut) == [nil, nil])
        }
    }

    @Test("An end from either side passes, and the other direction goes on")
    func halfClose() async throws {
        try await withProxy(.always(.raw("part").then(.finishSending))) { proxy, server in
            let client = try LoopbackClient(port: proxy.port)
            try client.send("GET /1 HTTP/1.1\r\n\r\n")
            #expect(try client.receive() == "part")
            try client.send("GET /2 HTTP/1.1\r\n\r\n")
            #expect(await server.waitForRequests(count: 2).map(\.target) == ["/1", "/2"])
            client.finishSending()
            await proxy.waitForNoConnections()
            await server.waitForNoConnections()
        }
    }

    @Test("A reset from the server passes, and so does a server that is not there")
    func reset() async throws {
        try await withProxy(.always(.reset)) { proxy, server in
            let client = try LoopbackClient(port: proxy.port)
            try client.send("GET / HTTP/1.1\r\n\r\n")
            let error = #expect(throws: SocketError.self) { _ = try client.receive() }
            #expect(error?.errno == ECONNRESET)
            server.stop()
            let other = try LoopbackClient(port: proxy.port)
            #expect(throws: SocketError.self) { _ = try other.receive() }
            await proxy.waitForNoConnections()
        }
    }

    @Test("The first connection is cut after a number of bytes to the server, the next is not")
    func cutToServer() async throws {
        let passed = Self.head.utf8.count + 4
        try await withProxy(courses: [.cut(.toServer, after: passed)]) { proxy, server in
            let client = try LoopbackClient(port: proxy.port)
            try client.send(Self.head + "0123456789")
            let error = #expect(throws: SocketError.self) { _ = try client.receive() }
            #expect(error?.errno == ECONNRESET)
            let broken = try #require(await server.waitForRequests(count: 1).first)
            #expect(!broken.isComplete)
            #expect(broken.text == "0123")
            #expect(proxy.bytesToServer == passed)
            #expect(proxy.connections.first?.cut == .reset)
            let next = try LoopbackClient(port: proxy.port)
            try next.send(Self.head + "0123456789")
            #expect(try next.receive(Self.ok.utf8.count) == Self.ok)
        }
    }

    @Test("Before any byte has passed the server sees at most a connection")
    func cutAtOnce() async throws {
        try await withProxy(courses: [.cut(.toServer, after: 0)]) { proxy, server in
            let client = try LoopbackClient(port: proxy.port)
            #expect(throws: SocketError.self) { _ = try client.receive() }
            await proxy.waitForCuts(count: 1)
            #expect(proxy.bytesToServer == 0)
            #expect(server.requests.isEmpty)
        }
    }

    @Test("An answer is cut in its middle, with an end")
    func cutToClient() async throws {
        try await withProxy(courses: [.cut(.toClient, after: 12, by: .finish)]) { proxy, server in
            let client = try LoopbackClient(port: proxy.port)
            try client.send("GET / HTTP/1.1\r\n\r\n")
            #expect(try client.receive() == "HTTP/1.1 200")
            await server.waitForNoConnections()
            #expect(proxy.bytesToClient == 12)
            #expect(proxy.connections.first?.cut == .finish)
        }
    }

    @Test("An answer is lost when the server has given it")
    func lostAnswer() async throws {
        try await withProxy(courses: [ProxyCourse().cutting(.toClient, beyond: 0)]) { proxy, server in
            let client = try LoopbackClient(port: proxy.port)
            try client.send(Self.head + "0123456789")
            #expect(throws: SocketError.self) { _ = try client.receive() }
            #expect(server.requests.map(\.isComplete) == [true])
            #expect(proxy.bytesToClient == 0)
        }
    }

    @Test("A client that vanishes is not noticed by the server")
    func vanishing() async throws {
        let passed = Self.head.utf8.count + 4
        try await withProxy(courses: [.cut(.toServer, after: passed, by: .vanish)]) { proxy, server in
            let client = try LoopbackClient(port: proxy.port)
            try client.send(Self.head + "0123456789")
            #expect(throws: SocketError.self) { _ = try client.receive() }
            await proxy.waitForCuts(count: 1)
            // The server answers another connection, and still has the first.
            let next = try LoopbackClient(port: proxy.port)
            try next.send("GET / HTTP/1.1\r\n\r\n")
            #expect(try next.receive(Self.ok.utf8.count) == Self.ok)
            #expect(server.openConnectionCount == 2)
            #expect(server.requests.count == 1)
            server.hangUp(0)
            await proxy.wait { $0.first?.isOpen == false }
        }
    }

    @Test("A direction is held until its gate opens", arguments: [ProxyCourse.Direction.toServer, .toClient])
    func holding(direction: ProxyCourse.Direction) async throws {
        let gate = Gate()
        let passed = direction == .toServer ? Self.head.utf8.count + 4 : 12
        try await withProxy(courses: [ProxyCourse().holding(direction, after: passed, until: gate)]) { proxy, server in
            let client = try LoopbackClient(port: proxy.port)
            try client.send(Self.head + "0123456789")
            await proxy.wait { ($0.first.map { $0.bytesToServer + $0.bytesToClient } ?? 0) >= passed }
            if direction == .toServer {
                #expect(server.requests.isEmpty)
            } else {
                #expect(try client.receive(12) == "HTTP/1.1 200")
            }
            #expect(!client.isReadable)
            gate.open()
            #expect(try client.receive(Self.ok.utf8.count - (direction == .toServer ? 0 : 12)).hasSuffix("ok"))
            #expect(server.requests.map(\.text) == ["0123456789"])
        }
    }

    @Test("A held connection is cut by order")
    func order() async throws {
        let never = Gate()
        try await withProxy(courses: [ProxyCourse().holding(.toServer, after: 3, until: never)]) { proxy, server in
            let client = try LoopbackClient(port: proxy.port)
            try client.send(Self.head)
            await proxy.wait { $0.first?.bytesToServer == 3 }
            proxy.cut(0)
            #expect(throws: SocketError.self) { _ = try client.receive() }
            await server.waitForNoConnections()
            proxy.cut(0)
            proxy.cut(7)
            #expect(proxy.connections.map(\.cut) == [.reset])
        }
    }

    @Test("A slow direction passes everything, a little at a time")
    func pacing() async throws {
        let slow = ProxyCourse().pacing(.toServer, byteCount: 16, everyMilliseconds: 1)
        try await withProxy(courses: [slow]) { proxy, server in
            let client = try LoopbackClient(port: proxy.port)
            let start = ContinuousClock.now
            try client.send("PUT / HTTP/1.1\r\nContent-Length: 320\r\n\r\n")
            try client.send([UInt8](repeating: 65, count: 320))
            #expect(try client.receive(Self.ok.utf8.count) == Self.ok)
            // 320 bytes are 20 pieces of 16, with a pause between any two.
            #expect(ContinuousClock.now - start >= .milliseconds(19))
            #expect(server.requests.map(\.bodyByteCount) == [320])
        }
    }

    @Test("Stopping ends every connection, whatever it is doing")
    func stopping() async throws {
        let never = Gate()
        try await withLoopbackServer(.always(.stall)) { server in
            let courses = [
                ProxyCourse().holding(.toServer, after: 0, until: never),
                ProxyCourse().pacing(.toServer, byteCount: 1, everyMilliseconds: 3_600_000),
                .cut(.toServer, after: 4, by: .vanish),
            ]
            let proxy = try CuttingProxy(to: server.port, courses: courses)
            let clients = try (0..<4).map { _ in
                let client = try LoopbackClient(port: proxy.port)
                try client.send("GET / HTTP/1.1\r\n\r\n")
                return client
            }
            await proxy.waitForCuts(count: 1)
            await server.waitForRequests(count: 1)
            proxy.stop()
            proxy.stop()
            #expect(proxy.connections.allSatisfy { !$0.isOpen })
            await server.waitForNoConnections()
            for client in clients {
                _ = try? client.receive()
                #expect(client.isReadable)
            }
            #expect(throws: SocketError.self) { _ = try LoopbackClient(port: proxy.port) }
        }
    }
}
