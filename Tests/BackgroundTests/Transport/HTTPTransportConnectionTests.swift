import Background
import DurableIO
import HTTPTypes
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct HTTPTransportConnectionTests {
    @Test("307 and 308 on the same origin are followed, body and all", arguments: [307, 308], [10, 400 << 10])
    func followed(status: Int, byteCount: Int) async throws {
        try await withTransport { fixture in
            let script = ServerScript { request in
                request.target == "/old" ? .response(status, headers: [("Location", "/new?x=1")]) : .response(200)
            }
            try await withLoopbackServer(script) { server in
                let request = try fixture.request(server.url("/old"), byteCount: byteCount)
                #expect(await fixture.transport.send(request).answer?.status == 200)
                #expect(server.requests.map(\.target) == ["/old", "/new?x=1"])
                #expect(server.requests.map(\.bodyByteCount) == [byteCount, byteCount])
            }
        }
    }

    @Test("Other redirects, and those to another origin, are answers", arguments: [301, 302, 303, 307, 308])
    func notFollowed(status: Int) async throws {
        try await withTransport { fixture in
            try await withLoopbackServer(.always(.response(200))) { other in
                let target = status == 307 || status == 308 ? other.url("/new") : "/new"
                let script = ServerScript.always(.response(status, headers: [("Location", target)]))
                try await withLoopbackServer(script) { server in
                    let outcome = await fixture.send(server.url("/old"))
                    #expect(outcome.answer?.status == status)
                    #expect(server.requests.count == 1)
                    #expect(other.requests.isEmpty)
                }
            }
        }
    }

    @Test("A circle of redirects ends")
    func circle() async throws {
        try await withTransport { fixture in
            try await withLoopbackServer(.always(.response(307, headers: [("Location", "/again")]))) { server in
                #expect(await fixture.send(server.url()).failure != nil)
                #expect(server.requests.count == 5)
            }
        }
    }

    @Test("A kept connection that the server has closed is no failure: the request goes out once more")
    func stale() async throws {
        try await withTransport { fixture in
            // The second request on the first connection meets its end; on a new connection all is well.
            let script = ServerScript { $0.index == 1 ? .close : .response(200) }
            try await withLoopbackServer(script) { server in
                #expect(await fixture.send(server.url()).answer?.status == 200)
                #expect(await fixture.send(server.url()).answer?.status == 200)
                #expect(server.requests.count == 3)
            }
        }
    }

    @Test("A request that is sent once goes over a connection of its own, and not again if that is closed")
    func sentOnce() async throws {
        try await withTransport { fixture in
            let script = ServerScript { $0.index == 3 ? .close : .response(200) }
            try await withLoopbackServer(script) { server in
                var request = try fixture.request(server.url())
                #expect(await fixture.send(server.url()).answer?.status == 200)
                request.isSentOnce = true
                for _ in 0..<2 { #expect(await fixture.transport.send(request).answer?.status == 200) }
                #expect(server.connectionCount == 3)
                #expect(await fixture.transport.send(request).failure?.isConnectionLost == true)
                #expect(server.requests.count == 4)
            }
        }
    }

    @Test("However many kept connections have been closed, each request goes out at most twice, and arrives")
    func manyStale() async throws {
        try await withTransport(maximumConnections: 8) { fixture in
            // Every second request on a connection meets its end; the server never says so beforehand.
            let seen = Monitor([Int: Int]())
            let script = ServerScript { request in
                let count = seen.withLock { seen in
                    seen[request.connection, default: 0] += 1
                    return seen[request.connection] ?? 0
                }
                return count > 1 ? .close : .response(200)
            }
            try await withLoopbackServer(script) { server in
                for round in 1...6 {
                    let requests = try (0..<8).map { _ in try fixture.request(server.url()) }
                    let statuses = await withTaskGroup(of: Int?.self) { group in
                        for request in requests {
                            group.addTask { await fixture.transport.send(request).answer?.status }
                        }
                        return await group.reduce(into: [Int?]()) { $0.append($1) }
                    }
                    #expect(statuses == Array(repeating: 200, count: 8), "round \(round)")
                }
                // Once it is known, nothing is sent twice any more.
                let before = server.requests.count
                #expect(before <= 2 * 48)
                #expect(await fixture.send(server.url()).answer?.status == 200)
                #expect(server.requests.count == before + 1)
            }
        }
    }

    @Test("A server that closes all connections once, as by a restart, is sent to over kept ones again")
    func restarted() async throws {
        try await withTransport(maximumConnections: 8) { fixture in
            try await withLoopbackServer(.always(.response(200))) { server in
                let request = try fixture.request(server.url())
                func sendEight() async -> [Int?] {
                    await withTaskGroup(of: Int?.self) { group in
                        for _ in 0..<8 { group.addTask { await fixture.transport.send(request).answer?.status } }
                        return await group.reduce(into: [Int?]()) { $0.append($1) }
                    }
                }
                #expect(await sendEight() == Array(repeating: 200, count: 8))
                for connection in 0..<server.connectionCount { server.hangUp(connection) }
                #expect(await sendEight() == Array(repeating: 200, count: 8))
                let before = server.connectionCount
                for _ in 0..<40 { #expect(await fixture.send(server.url()).answer?.status == 200) }
                #expect(server.connectionCount <= before + 2)
            }
        }
    }

    @Test("A server that closes every connection is tried once more, and not again")
    func closing() async throws {
        try await withTransport { fixture in
            let script = ServerScript { $0.index == 0 ? .response(200) : .close }
            try await withLoopbackServer(script) { server in
                #expect(await fixture.send(server.url()).answer?.status == 200)
                let failure = try #require(await fixture.send(server.url()).failure)
                #expect(failure.didConnect)
                #expect(server.requests.count == 3)
                #expect(await fixture.send(server.url()).failure != nil)
                #expect(server.requests.count == 4, "no second try before it has answered again")
            }
        }
    }

    @Test("A peer that never answers ends in its time, and is not asked a second time", arguments: [5, 400 << 10])
    func silent(byteCount: Int) async throws {
        try await withTransport { fixture in
            let script = ServerScript { $0.index == 0 ? .response(200) : .stall }
            try await withLoopbackServer(script) { server in
                #expect(await fixture.send(server.url()).answer?.status == 200)
                let request = try fixture.request(server.url(), byteCount: byteCount, answerTimeout: 1)
                let failure = try #require(await fixture.transport.send(request).failure)
                #expect(failure.didConnect)
                #expect(!failure.isConnectionLost)
                #expect(server.requests.count == 2)
            }
        }
    }

    @Test("A peer that stops reading ends in its time")
    func notReading() async throws {
        try await withTransport(progress: 1) { fixture in
            try await withLoopbackServer(.early(.stall), receiveBufferByteCount: 8_192) { server in
                let request = try fixture.request(server.url(), byteCount: 32 << 20, answerTimeout: 60)
                let failure = try #require(await fixture.transport.send(request).failure)
                #expect(failure.didConnect)
                #expect(failure.bytesSent < 32 << 20)
            }
        }
    }

    @Test(
        "What is not HTTP is a failure of the server's, and its text is one short line",
        arguments: ["nonsense\r\n\r\n", "HTTP/1.1 xyz\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a"])
    func garbage(bytes: String) async throws {
        try await withTransport { fixture in
            try await withLoopbackServer(.always(.raw(bytes).then(.close))) { server in
                let failure = try #require(await fixture.send(server.url()).failure)
                #expect(failure.didConnect)
                #expect(failure.description.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f })
                #expect(failure.description.count < 150)
                #expect(server.requests.count == 1)
            }
        }
    }

    @Test("Interim answers are passed over")
    func interim() async throws {
        try await withTransport { fixture in
            let answer = Answer.response(103, headers: [("Link", "</x>")]).then(.response(201))
            try await withLoopbackServer(.always(answer)) { server in
                #expect(await fixture.send(server.url()).answer?.status == 201)
            }
        }
    }

    @Test("Requests share kept connections, and are never more than the limit")
    func connections() async throws {
        try await withTransport(maximumConnections: 2) { fixture in
            try await withLoopbackServer(.always(.response(200))) { server in
                let request = try fixture.request(server.url())
                await withTaskGroup(of: Int?.self) { group in
                    for _ in 0..<40 {
                        group.addTask { await fixture.transport.send(request).answer?.status }
                    }
                    for await status in group { #expect(status == 200) }
                }
                #expect(server.connectionCount <= 2)
                #expect(server.requests.count == 40)
            }
        }
    }

    @Test("A cancelled request is neither answer nor failure", arguments: [5, 2 << 20])
    func cancelled(byteCount: Int) async throws {
        try await withTransport { fixture in
            let arrived = Gate()
            try await withLoopbackServer(.early(Answer.open(arrived).then(.stall))) { server in
                let request = try fixture.request(server.url(), byteCount: byteCount)
                let send = Task { await fixture.transport.send(request) }
                await arrived.wait()
                send.cancel()
                guard case .noAnswer(.interrupted) = await send.value else {
                    Issue.record("not cancelled")
                    return
                }
            }
        }
    }

    @Test("A transport that is dropped without a shutdown takes nothing down")
    func dropped() async throws {
        try await withLoopbackServer(.always(.response(200))) { server in
            try await withTemporaryDirectory { path in
                let files = POSIXFileSystem()
                let fixture = TransportFixture(
                    directory: try files.openDirectory(.init(path)), transport: try HTTPTransport.open(files: files))
                #expect(await fixture.send(server.url()).answer?.status == 200)
            }
            await server.waitForNoConnections()
        }
    }
}
