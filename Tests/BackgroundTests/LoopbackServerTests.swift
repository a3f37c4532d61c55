import Foundation
import TestSupport
import Testing

/// What the server of the other tests does, seen by a client that knows nothing of it.
@Suite(.timeLimit(.minutes(10)))
struct LoopbackServerTests {
    static let ok = "HTTP/1.1 200 Scripted\r\nContent-Length: 2\r\n\r\nok"

    // MARK: Requests

    @Test("A request arrives as it was sent, field order, case and repetition included")
    func request() async throws {
        try await withLoopbackServer(.always(.response(200, text: "ok"))) { server in
            let client = try LoopbackClient(port: server.port)
            try client.send("PUT /a%20b?c=d HTTP/1.1\r\nHost: x\r\nX-B: 1\r\nx-a:\t2 \r\nX-b: 3\r\n")
            try client.send("Content-Length: 5\r\n\r\nhello")
            #expect(try client.receive(Self.ok.utf8.count) == Self.ok)
            let request = try #require(await server.waitForRequests(count: 1).first)
            #expect(request.method == "PUT")
            #expect(request.target == "/a%20b?c=d")
            #expect(request.headers.all.map(\.name) == ["Host", "X-B", "x-a", "X-b", "Content-Length"])
            #expect(request.headers["X-A"] == "2")
            #expect(request.headers.values("x-b") == ["1", "3"])
            #expect(request.headers["x-c"] == nil)
            #expect(request.text == "hello")
            #expect(request.bodyByteCount == 5)
            #expect(request.isComplete)
        }
    }

    @Test("A chunked body is put together, extensions and trailers aside")
    func chunked() async throws {
        try await withLoopbackServer(.always(.response(200, text: "ok"))) { server in
            let client = try LoopbackClient(port: server.port)
            try client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n")
            try client.send("A\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\nGET /next HTTP/1.1\r\n\r\n")
            #expect(try client.receive(2 * Self.ok.utf8.count) == Self.ok + Self.ok)
            let requests = server.requests
            #expect(requests.map(\.text) == ["abc0123456789", ""])
            #expect(requests.map(\.target) == ["/", "/next"])
        }
    }

    @Test("Connections are kept alive and numbered")
    func keepAlive() async throws {
        let script = ServerScript { .response(200, text: "\($0.index)\($0.connection)") }
        try await withLoopbackServer(script) { server in
            for _ in 0..<2 {
                let client = try LoopbackClient(port: server.port)
                for _ in 0..<2 {
                    try client.send("GET / HTTP/1.1\r\n\r\n")
                    _ = try client.receive(Self.ok.utf8.count)
                }
            }
            await server.waitForNoConnections()
            #expect(server.requests.map(\.index) == [0, 1, 2, 3])
            #expect(server.requests.map(\.connection) == [0, 0, 1, 1])
            #expect(server.connectionCount == 2)
            #expect(server.openConnectionCount == 0)
        }
    }

    @Test("Connection: close ends the connection, whoever says it")
    func connectionClose() async throws {
        let script = ServerScript.inTurn(
            .response(200, text: "ok"), .response(200, headers: [("Connection", "close")], text: "ok"))
        try await withLoopbackServer(script) { server in
            let first = try LoopbackClient(port: server.port)
            try first.send("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n")
            #expect(try first.receive() == Self.ok)
            let second = try LoopbackClient(port: server.port)
            try second.send("GET / HTTP/1.1\r\n\r\n")
            #expect(try second.receive().hasSuffix("Connection: close\r\nContent-Length: 2\r\n\r\nok"))
        }
    }

    @Test("Bodies can be counted instead of kept")
    func countedBodies() async throws {
        try await withLoopbackServer(.always(.response(200, text: "ok")), keepsBodies: false) { server in
            let client = try LoopbackClient(port: server.port)
            let count = 16 << 20
            try client.send("POST / HTTP/1.1\r\nContent-Length: \(count)\r\n\r\n")
            try client.send([UInt8](repeating: 7, count: count))
            #expect(try client.receive(Self.ok.utf8.count) == Self.ok)
            #expect(server.requests.map(\.bodyByteCount) == [count])
            #expect(server.requests.map(\.body) == [[]])
        }
    }

    @Test("A body broken off is on record as such, and the script is not asked")
    func brokenOff() async throws {
        let asked = Gate()
        try await withLoopbackServer(.always(.open(asked))) { server in
            let client = try LoopbackClient(port: server.port)
            try client.send("POST / HTTP/1.1\r\nContent-Length: 20\r\n\r\n0123456789")
            client.close()
            let request = try #require(await server.waitForRequests(count: 1).first)
            #expect(request.bodyByteCount == 10)
            #expect(!request.isComplete)
            await server.waitForNoConnections()
            #expect(!asked.isOpen)
            #expect(server.protocolErrors.isEmpty)
        }
    }

    @Test(
        "What is not HTTP is told, and ends the connection",
        arguments: [
            "nonsense\r\n\r\n", "GET /\r\n\r\n", "GET / SPDY/1\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        ])
    func protocolErrors(bytes: String) async throws {
        try await withLoopbackServer(.always(.response(200))) { server in
            let client = try LoopbackClient(port: server.port)
            try client.send(bytes)
            #expect((try? client.receive()) ?? "" == "")
            await server.waitForNoConnections()
            #expect(server.protocolErrors.count == 1)
        }
    }

    @Test("Many clients at once are all served and recorded")
    func manyClients() async throws {
        try await withLoopbackServer(ServerScript { .response(200, text: $0.target) }) { server in
            let port = server.port
            let count = 100
            for number in 0..<count {
                startThread {
                    let client = try? LoopbackClient(port: port)
                    try? client?.send("GET /\(number) HTTP/1.1\r\nConnection: close\r\n\r\n")
                    _ = try? client?.receive()
                }
            }
            let requests = await server.waitForRequests(count: count)
            #expect(Set(requests.map(\.target)) == Set((0..<count).map { "/\($0)" }))
            #expect(Set(requests.map(\.index)) == Set(0..<count))
        }
    }

    // MARK: curl's view

    @Test("curl is satisfied, with Expect: 100-continue and with chunks", .enabled(if: findExecutable("curl") != nil))
    func curl() async throws {
        try await withLoopbackServer(ServerScript { .response(201, text: "\($0.bodyByteCount)") }) { server in
            let body = [UInt8](repeating: 65, count: 3 << 20)
            for field in ["Expect: 100-continue", "Transfer-Encoding: chunked"] {
                let result = try run(
                    "curl", ["-sS", "--expect100-timeout", "50", "-H", field, "-T", "-", server.url("/x")],
                    input: body)
                #expect(result.status == 0, "\(result.errors)")
                #expect(result.output == "\(body.count)")
            }
            let head = try run("curl", ["-sS", "--head", server.url("/h")])
            #expect(head.status == 0)
            #expect(head.output.hasPrefix("HTTP/1.1 201"))
            #expect(server.requests.map(\.method) == ["PUT", "PUT", "HEAD"])
            #expect(server.requests.first?.body == body)
            #expect(server.protocolErrors.isEmpty)
        }
    }

    @Test("curl names each fault as what it is", .enabled(if: findExecutable("curl") != nil))
    func curlFaults() async throws {
        let faults: [(Answer, Int32)] = [
            (.close, 52), (.reset, 56), (.raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").then(.close), 18),
            (.raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").then(.close), 56),
            (.drip(200, body: [1, 2, 3], byteCount: 7, everyMilliseconds: 1), 0), (.response(204), 0),
            (.response(103).then(.response(200, text: "x")), 0),
        ]
        try await withLoopbackServer(ServerScript { faults[$0.index].0 }) { server in
            for (_, status) in faults {
                let result = try run("curl", ["-sS", "-o", "/dev/null", server.url()])
                #expect(result.status == status, "\(result.errors)")
            }
        }
        let refusing = try RefusingPort()
        #expect(try run("curl", ["-sS", refusing.url()]).status == 7)
    }
}
