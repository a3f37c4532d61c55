import Background
import TestSupport
import Testing

/// Servers that speak no HTTP, or no TLS: people are told, and by its greeting what it is.
@Suite("Servers that speak something else", .timeLimit(.minutes(5)))
struct ForeignProtocolTests {
    struct Greeting: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var bytes: [UInt8]
        /// What the message says after the address.
        var words: String

        init(_ name: String, _ bytes: [UInt8], _ words: String) {
            (testDescription, self.bytes, self.words) = (name, bytes, words)
        }

        init(_ name: String, _ text: String, _ words: String) { self.init(name, Array(text.utf8), words) }
    }

    static let greetings = [
        Greeting(
            "SSH", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
            "does not speak HTTP (it begins with SSH-2.0-OpenSSH_9.2p1 Debian-2): check the port"),
        Greeting("redis", "-ERR unknown\r\n", "does not speak HTTP (it begins with -ERR unknown): check the port"),
        Greeting(
            "SMTP that steers terminals", "220 \u{1b}[31mmail\r\n",
            "does not speak HTTP (it begins with 220 \u{fffd}[31mmail): check the port"),
        Greeting(
            "a line without end", String(repeating: "a", count: 100_000),
            "does not speak HTTP (it begins with \(String(repeating: "a", count: 60))…): check the port"),
        Greeting(
            "a database", [0x4a, 0, 0, 0, 0x0a, 0x38, 0x2e, 0x30, 0],
            "does not speak HTTP (it begins with the bytes 4a 00 00 00 0a 38 2e 30): check the port"),
        Greeting("TLS", [21, 3, 1, 0, 2, 2, 70], "does not speak HTTP but TLS: write https://"),
    ]

    @Test("are told by what they say first, asked or not", arguments: greetings, [5, 400 << 10])
    func greeting(_ greeting: Greeting, byteCount: Int) async throws {
        try await withTransport { fixture in
            for script in [
                ServerScript.always(.raw(greeting.bytes).then(.stall)), .early(.raw(greeting.bytes).then(.stall)),
            ] {
                try await withLoopbackServer(script) { server in
                    let failure = try #require(await fixture.send(server.url(), byteCount: byteCount).failure)
                    #expect(failure.description == "127.0.0.1:\(server.port) \(greeting.words)")
                    #expect(failure.didConnect)
                    #expect(!failure.isConnectionLost)
                }
            }
        }
    }

    @Test("while the end of a request waits to go out, too", arguments: [400, 1_000, 2_600, 4_000])
    func whileSending(kibibytes: Int) async throws {
        try await withTransport { fixture in
            // Nothing of it is read, so that it stands still where the buffers on the way are full.
            let answer = Answer.pause(milliseconds: 200).then(.raw("SSH-2.0-x\r\n")).then(.stall)
            try await withLoopbackServer(.early(answer)) { server in
                let failure = try #require(await fixture.send(server.url(), byteCount: kibibytes << 10).failure)
                let words = "does not speak HTTP (it begins with SSH-2.0-x): check the port"
                #expect(failure.description == "127.0.0.1:\(server.port) \(words)")
            }
        }
    }

    @Test("and that speak before they are asked are told as well")
    func unasked() async throws {
        try await withTransport { fixture in
            let server = try GreetingServer(Array("SSH-2.0-x\r\n".utf8))
            defer { server.stop() }
            for _ in 0..<20 {
                let failure = await fixture.send("http://127.0.0.1:\(server.port)/").failure
                let words = "does not speak HTTP (it begins with SSH-2.0-x): check the port"
                #expect(failure?.description == "127.0.0.1:\(server.port) \(words)")
            }
        }
    }

    @Test(
        "https to what speaks none says so",
        arguments: ["HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "SSH-2.0-x\r\n", "220 mail ESMTP\r\n"])
    func noTLS(greeting: String) async throws {
        try await withTransport { fixture in
            let server = try GreetingServer(Array(greeting.utf8))
            defer { server.stop() }
            let failure = try #require(await fixture.send("https://127.0.0.1:\(server.port)/").failure)
            let words = "does not speak TLS: write http://, or check the port"
            #expect(failure.description == "127.0.0.1:\(server.port) \(words)")
        }
    }

    @Test("an answer in pieces, or behind empty lines, is HTTP")
    func pieces() async throws {
        let head = "TTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
        for script in [
            ServerScript.always(.raw("H").then(.pause(milliseconds: 50)).then(.raw(head))),
            .always(.raw("\r\n\r\nH").then(.pause(milliseconds: 50)).then(.raw(head))),
        ] {
            try await withTransport { fixture in
                try await withLoopbackServer(script) { server in
                    #expect(await fixture.send(server.url()).answer?.status == 201)
                    #expect(await fixture.send(server.url()).answer?.status == 201)
                }
            }
        }
    }

    @Test("Go's word for http to its TLS port is about the connection, an application's 400 is not")
    func goServer() {
        let text = "Client sent an HTTP request to an HTTPS server.\n"
        #expect(ConnectionComplaint.of(status: 400, contentType: nil, body: Array(text.utf8)) == .notOverTLS)
        #expect(ConnectionComplaint.of(status: 400, contentType: "text/plain", body: Array(text.utf8)) == nil)
        #expect(ConnectionComplaint.of(status: 400, contentType: nil, body: Array(("\"" + text).utf8)) == nil)
    }
}
