import Background
import DurableIO
import HTTPTypes
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct HTTPTransportTests {
    static let smallLimit = 256 << 10

    @Test(
        "A body arrives byte for byte with its length, never in chunks",
        arguments: [0, 1, 5, smallLimit - 1, smallLimit, smallLimit + 1, 3 << 20, (3 << 20) + 17])
    func bodies(byteCount: Int) async throws {
        try await withTransport { fixture in
            try await withLoopbackServer(.always(.response(201))) { server in
                let outcome = await fixture.send(server.url("/r/1"), byteCount: byteCount)
                let answer = try #require(outcome.answer)
                #expect(answer.status == 201)
                #expect(answer.isWholeBodySent)
                #expect(answer.bytesSent == UInt64(byteCount))
                #expect(answer.isLoopback)
                let received = try #require(server.requests.first)
                #expect(received.method == "PUT")
                #expect(received.target == "/r/1")
                #expect(received.headers.values("Content-Length") == ["\(byteCount)"])
                #expect(received.headers["Transfer-Encoding"] == nil)
                #expect(received.headers["Content-Type"] == "text/plain")
                #expect(received.body == TransportFixture.bytes(byteCount))
            }
        }
    }

    @Test("The head of a small request goes out in one packet with its body")
    func headAndBodyAreOnePacket() async throws {
        try await withTransport { fixture in
            try await withLoopbackServer(.always(.response(201))) { server in
                for byteCount in [5, 4_000, 0] {
                    #expect(await fixture.send(server.url(), byteCount: byteCount).answer?.status == 201)
                }
                #expect(server.requests.map(\.connection) == [0, 0, 0])
                #expect(server.requests.map(\.segmentCount) == [1, 2, 3])
            }
        }
    }

    @Test("A body is a prefix and a range of a file", arguments: [10, 400 << 10])
    func prefixAndRange(byteCount: Int) async throws {
        try await withTransport { fixture in
            try await withLoopbackServer(.always(.response(200))) { server in
                let request = try fixture.request(
                    server.url(), byteCount: byteCount, prefix: [1, 2, 3], offset: 1_000)
                _ = await fixture.transport.send(request)
                let expected = [1, 2, 3] + TransportFixture.bytes(1_000 + byteCount).dropFirst(1_000)
                #expect(server.requests.first?.body == expected)
                #expect(server.requests.first?.headers["Content-Length"] == "\(byteCount + 3)")
            }
        }
    }

    @Test("A file that is shorter than promised is the body's fault", arguments: [10, 400 << 10])
    func shortFile(byteCount: Int) async throws {
        try await withTransport { fixture in
            try await withLoopbackServer(.always(.response(200))) { server in
                var request = try fixture.request(server.url(), byteCount: byteCount)
                let file = FileBody(directory: fixture.directory, name: "body")
                request.body = try TransferBody([.range(of: file, offset: 0, length: UInt64(byteCount) + 1)])
                guard case .noAnswer(.unsendable) = await fixture.transport.send(request) else {
                    Issue.record("sent")
                    return
                }
                #expect(server.requests.allSatisfy { !$0.isComplete })
            }
        }
    }

    @Test("A port where nobody listens fails at once, and says that there was no connection")
    func refused() async throws {
        try await withTransport { fixture in
            let port = try RefusingPort()
            let clock = ContinuousClock()
            let start = clock.now
            let request = try fixture.request(port.url(), answerTimeout: 300)
            let failure = try #require(await fixture.transport.send(request).failure)
            #expect(!failure.didConnect)
            #expect(failure.bytesSent == 0)
            // Far from every time-out, however busy the machine is.
            #expect(clock.now - start < .seconds(30))
        }
    }

    @Test("A host that does not resolve is no connection, and its name is in the text")
    func unresolved() async throws {
        try await withTransport { fixture in
            let outcome = await fixture.send("http://no-such-host.invalid/")
            #expect(outcome.failure?.didConnect == false)
        }
    }

    @Test("A connection that breaks in the body did exist", arguments: [1_000, 2 << 20])
    func resetInBody(byteCount: Int) async throws {
        try await withTransport { fixture in
            try await withLoopbackServer(.early(.readBody(500).then(.reset))) { server in
                let outcome = await fixture.send(server.url(), byteCount: byteCount)
                let failure = try #require(outcome.failure)
                #expect(failure.didConnect)
                #expect(server.requests.count == 1, "a fresh connection that breaks is not tried again")
            }
        }
    }

    @Test(
        "An answer before the body is read, whatever becomes of the rest of the body",
        arguments: [401, 413, 429], [1_000, 2 << 20])
    func earlyAnswer(status: Int, byteCount: Int) async throws {
        try await withTransport { fixture in
            let early = Answer.response(status, headers: [("Retry-After", "9")], text: "too much")
            try await withLoopbackServer(.early(early)) { server in
                let outcome = await fixture.send(server.url(), byteCount: byteCount)
                let answer = try #require(outcome.answer)
                #expect(answer.status == status)
                #expect(answer.fields[.retryAfter] == "9")
                #expect(String(decoding: answer.body, as: UTF8.self) == "too much")
            }
        }
    }

    @Test("A 2xx before the body has ended counts when the whole body follows it")
    func earlySuccess() async throws {
        try await withTransport { fixture in
            try await withLoopbackServer(.early(.response(200).then(.readBody()))) { server in
                let outcome = await fixture.send(server.url(), byteCount: 4 << 20)
                let answer = try #require(outcome.answer)
                #expect(answer.isWholeBodySent == (answer.bytesSent == 4 << 20))
                if answer.isWholeBodySent {
                    // Returns when all has come: the answer may be here before the server has read its buffers.
                    await server.wait { $0.first?.bodyByteCount == 4 << 20 }
                    #expect(server.requests.first?.isComplete == true)
                }
            }
        }
    }

    @Test("A 2xx of a server that stops reading is not of the whole body")
    func earlySuccessThenNothing() async throws {
        try await withTransport(progress: 2) { fixture in
            try await withLoopbackServer(
                .early(.readBody(1_000).then(.response(200)).then(.stall)), receiveBufferByteCount: 8_192
            ) { server in
                let outcome = await fixture.send(server.url(), byteCount: 32 << 20)
                if let answer = outcome.answer { #expect(!answer.isWholeBodySent) }
            }
        }
    }

    @Test("Of an answer's text the first KiB is kept", arguments: [0, 1_023, 1_024, 1_025, 60_000, 200_000])
    func receipt(byteCount: Int) async throws {
        try await withTransport { fixture in
            let text = TransportFixture.bytes(byteCount)
            try await withLoopbackServer(.always(.response(200, body: text))) { server in
                let answer = try #require(await fixture.send(server.url()).answer)
                #expect(answer.body == Array(text.prefix(1_024)))
            }
        }
    }

    @Test("An answer whose text never ends is an answer")
    func endlessAnswer() async throws {
        try await withTransport { fixture in
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nstored"
            try await withLoopbackServer(.always(.raw(head).then(.stall))) { server in
                let answer = try #require(await fixture.send(server.url()).answer)
                #expect(answer.status == 200)
            }
        }
    }
}
