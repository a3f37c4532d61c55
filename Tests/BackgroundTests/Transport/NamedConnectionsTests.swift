import Background
import DurableIO
import Foundation
import HTTPTypes
import SystemPackage
import TestSupport
import Testing

/// Several destinations with connection settings of their own, in one run.
@Suite("Connection settings by name", .timeLimit(.minutes(5)))
struct NamedConnectionsTests {
    /// Files of one authority in a directory of its own.
    private struct Files {
        let authority: TestAuthority
        let directory: String
        var settings = ConnectionSettings()

        init(_ directory: String, clientOf clients: TestAuthority? = nil, trusting authority: TestAuthority) throws {
            self.directory = directory
            self.authority = authority
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            settings.proxy = .none
            settings.tls.certificateAuthorities = try write("roots.pem", authority.pem)
            guard let identity = try clients?.identity() else { return }
            settings.tls.clientCertificate = try write("client.pem", identity.certificate)
            settings.tls.clientKey = try write("client.key", identity.key)
        }

        private func write(_ name: String, _ text: String) throws -> FilePath {
            try text.write(toFile: directory + "/" + name, atomically: true, encoding: .utf8)
            return FilePath(directory + "/" + name)
        }
    }

    private static func request(_ url: String, by name: String?) throws -> TransferRequest {
        var request = TransferRequest(endpoint: try Endpoint(url), method: .put, fields: [:], answerTimeout: 10)
        request.body = try TransferBody([.bytes(Array("hello".utf8))])
        request.connection = name
        return request
    }

    /// Sends a request over each of the names, all at once.
    private static func send(
        _ urls: [(name: String?, url: String)], over connections: NamedConnections
    ) async throws -> [TransportResult] {
        try await withThrowingTaskGroup(of: (Int, TransportResult).self) { group in
            for (number, (name, url)) in urls.enumerated() {
                let request = try request(url, by: name)
                group.addTask { (number, await connections.send(request)) }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func withConnections(
        _ named: [String: ConnectionSettings], _ body: (NamedConnections) async throws -> Void
    ) async throws {
        var unnamed = ConnectionSettings()
        unnamed.proxy = .none
        let connections = try NamedConnections.open(
            files: POSIXFileSystem(), unnamed: unnamed, named: named.map { ($0.key, $0.value) })
        do {
            try await body(connections)
        } catch {
            await connections.shutdown()
            throw error
        }
        await connections.shutdown()
    }

    @Test("each destination trusts its own authority, and no other's, at the same time")
    func authorities() async throws {
        try await withTemporaryDirectory { path in
            let (one, two) = (
                try Files(path + "/1", trusting: TestAuthority()), try Files(path + "/2", trusting: TestAuthority())
            )
            try await withTLSServer(one.authority.identity(), .always(.response(201))) { frontOne, _ in
                try await withTLSServer(two.authority.identity(), .always(.response(202))) { frontTwo, _ in
                    try await withConnections(["one": one.settings, "two": two.settings]) { connections in
                        let (urlOne, urlTwo) = (frontOne.url(), frontTwo.url())
                        for _ in 0..<3 {
                            let results = try await Self.send(
                                [
                                    ("one", urlOne), ("two", urlTwo), ("one", urlTwo), ("two", urlOne), (nil, urlOne),
                                ], over: connections)
                            #expect(results.map { $0.answer?.status } == [201, 202, nil, nil, nil], "\(results)")
                            #expect(results[2...].allSatisfy { $0.distrust != nil }, "\(results)")
                        }
                    }
                }
            }
        }
    }

    @Test("the client certificate of one destination is shown for no other, not even at the same server")
    func clientCertificates() async throws {
        try await withTemporaryDirectory { path in
            let (server, known, unknown) = (try TestAuthority(), try TestAuthority(), try TestAuthority())
            let names = [
                "known": try Files(path + "/1", clientOf: known, trusting: server).settings,
                "unknown": try Files(path + "/2", clientOf: unknown, trusting: server).settings,
                "none": try Files(path + "/3", trusting: server).settings,
            ]
            let pem = try known.pem
            try await withTLSServer(server.identity(), .always(.response(201)), clients: pem) { front, backend in
                try await withConnections(names) { connections in
                    let ways = ["known", "unknown", "none"].map { (String?.some($0), front.url()) }
                    // The second time, the first destination has a connection that is kept.
                    for round in 1...2 {
                        let results = try await Self.send(ways, over: connections)
                        #expect(results[0].answer?.status == 201, "\(results[0])")
                        #expect(results[1].distrust == "the server does not accept the client certificate")
                        #expect(results[2].distrust == "the server demands a client certificate")
                        #expect(backend.requests.count == round)
                    }
                }
            }
        }
    }

    @Test("each destination goes by its own proxy, or by none, at the same time")
    func proxies() async throws {
        try await withLoopbackServer(.always(.response(201))) { server in
            try await withLoopbackServer(.always(.response(202))) { proxyOne in
                try await withLoopbackServer(.always(.response(203))) { proxyTwo in
                    var (one, two, exempt) = (ConnectionSettings(), ConnectionSettings(), ConnectionSettings())
                    one.proxy = try .server("http://user:secret@127.0.0.1:\(proxyOne.port)", exceptions: "")
                    two.proxy = try .server("http://127.0.0.1:\(proxyTwo.port)", exceptions: "")
                    exempt.proxy = try .server("http://127.0.0.1:\(proxyTwo.port)", exceptions: "127.0.0.0/8")
                    try await withConnections(["one": one, "two": two, "exempt": exempt]) { connections in
                        let names: [String?] = ["one", "two", "exempt", nil]
                        let results = try await Self.send(
                            names.map { ($0, server.url("/\($0 ?? "unnamed")")) }, over: connections)
                        #expect(results.map { $0.answer?.status } == [202, 203, 201, 201], "\(results)")
                    }
                    #expect(proxyOne.requests.map(\.target) == [server.url("/one")])
                    #expect(proxyTwo.requests.map(\.target) == [server.url("/two")])
                    #expect(proxyTwo.requests.allSatisfy { $0.headers["Proxy-Authorization"] == nil })
                    #expect(Set(server.requests.map(\.target)) == ["/exempt", "/unnamed"])
                }
            }
        }
    }

    @Test("equal settings share connections; different ones share none")
    func sharing() async throws {
        try await withLoopbackServer(.always(.response(201))) { server in
            var (same, other) = (ConnectionSettings(), ConnectionSettings())
            same.proxy = .none
            other.proxy = .none
            other.timeouts.answer = .seconds(7)
            try await withConnections(["main": same, "second": same, "other": other]) { connections in
                for name in ["main", "second", nil, "main", "other", "other"] {
                    let result = await connections.send(try Self.request(server.url(), by: name))
                    #expect(result.answer?.status == 201, "\(result)")
                }
                #expect(server.requests.map(\.connection) == [0, 0, 0, 0, 1, 1])
            }
            await server.waitForNoConnections()
        }
    }

    @Test("what has no settings is not sent with another's")
    func unknownName() async throws {
        try await withLoopbackServer(.always(.response(201))) { server in
            try await withConnections(["main": ConnectionSettings()]) { connections in
                let result = await connections.send(try Self.request(server.url(), by: "gone"))
                guard case .noAnswer(.localTrouble(let text)) = result else {
                    Issue.record("\(result)")
                    return
                }
                #expect(text == "there are no connection settings for the destination gone")
                #expect(server.connectionCount == 0)
            }
        }
    }

    @Test("after the shutdown nothing is sent in any way, and no connection is open")
    func shutdown() async throws {
        try await withLoopbackServer(.always(.response(201))) { server in
            var (one, two) = (ConnectionSettings(), ConnectionSettings())
            (one.proxy, two.proxy) = (.none, .none)
            two.timeouts.connect = .seconds(3)
            try await withConnections(["one": one, "two": two]) { connections in
                let ways = ["one", "two"].map { (String?.some($0), server.url()) }
                #expect(try await Self.send(ways, over: connections).allSatisfy { $0.answer?.status == 201 })
                #expect(await connections.side.send(try Self.request(server.url(), by: nil)).answer?.status == 201)
                #expect(server.openConnectionCount == 3)
                await connections.shutdown()
                await server.waitForNoConnections()
                var results = try await Self.send(ways + [(nil, server.url())], over: connections)
                results.append(await connections.side.send(try Self.request(server.url(), by: nil)))
                for result in results {
                    guard case .noAnswer(.interrupted) = result else {
                        Issue.record("\(result)")
                        continue
                    }
                }
                #expect(server.connectionCount == 3)
            }
        }
    }

    @Test("the error about files of all destinations names the first, and a file of the run itself none")
    func errors() throws {
        var broken = ConnectionSettings()
        broken.tls.certificateAuthorities = "/nowhere/roots.pem"
        for (unnamed, name) in [(ConnectionSettings(), "dumps"), (broken, nil)] {
            let error = #expect(throws: NamedConnectionError.self) {
                try NamedConnections.open(
                    files: POSIXFileSystem(), unnamed: unnamed, named: [("dumps", broken), ("archive", broken)])
            }
            #expect(error?.name == name)
            #expect(error?.error.description == "/nowhere/roots.pem: cannot be read: No such file or directory")
        }
    }

    @Test("settings that cannot be used keep no request of others back, and their own is not sent over others")
    func oneBroken() async throws {
        try await withLoopbackServer(.always(.response(201))) { server in
            var (sound, broken) = (ConnectionSettings(), ConnectionSettings())
            sound.proxy = .none
            broken.tls.certificateAuthorities = "/nowhere/roots.pem"
            let connections = try NamedConnections.open(
                files: POSIXFileSystem(), unnamed: broken, named: [("main", sound), ("dumps", broken)])
            let sent = await connections.send(try Self.request(server.url(), by: "main"))
            #expect(sent.answer?.status == 201)
            for name in ["dumps", nil] {
                let result = await connections.send(try Self.request(server.url(), by: name))
                guard case .noAnswer(.unprepared(let text)) = result else {
                    Issue.record("\(result)")
                    continue
                }
                #expect(text == "/nowhere/roots.pem: cannot be read: No such file or directory")
            }
            #expect(server.requests.count == 1)
            #expect(connections.problems.keys.sorted() == ["dumps"])
            await connections.shutdown()
        }
    }

    @Test("the side transport follows no redirect, and gives up on silence in seconds")
    func side() async throws {
        let script = ServerScript { request in
            request.target == "/moved" ? .response(307, headers: [("Location", "/here")]) : .stall
        }
        try await withLoopbackServer(script) { server in
            try await withConnections([:]) { connections in
                let moved = await connections.side.send(try Self.request(server.url("/moved"), by: nil))
                #expect(moved.answer?.status == 307)
                var request = try Self.request(server.url("/silent"), by: nil)
                request.answerTimeout = nil
                let begun = ContinuousClock.now
                let silent = await connections.side.send(request)
                #expect(silent.failure?.description == "no answer in time", "\(silent)")
                #expect(ContinuousClock.now - begun < .seconds(20))
                #expect(server.requests.map(\.target) == ["/moved", "/silent"])
            }
        }
    }
}

#if compiler(>=6.2)
extension NamedConnectionsTests {
    @Test("all of them work on one thread, which starts with the first request and ends with the shutdown")
    func oneThread() async throws {
        await #expect(processExitsWith: .success) {
            setenv("http_proxy", "http://127.0.0.1:1", 1)
            try await withLoopbackServer(.always(.response(201))) { server in
                var (one, two, unnamed) = (ConnectionSettings(), ConnectionSettings(), ConnectionSettings())
                (one.proxy, two.proxy, unnamed.proxy) = (.none, .none, .none)
                two.timeouts.connect = .seconds(3)
                unnamed.timeouts.connect = .seconds(4)
                let connections = try NamedConnections.open(
                    files: POSIXFileSystem(), unnamed: unnamed, named: [("one", one), ("two", two)])
                precondition(loopCount() == 0, "a thread before the first request")
                for name in ["one", "two", nil] {
                    let result = await connections.send(try Self.request(server.url(), by: name))
                    precondition(result.answer?.status == 201, "\(result)")
                    precondition(loopCount() == 1, "\(loopCount()) threads")
                }
                // Not by the proxy of the environment.
                let result = await connections.side.send(try Self.request(server.url(), by: nil))
                precondition(result.answer?.status == 201, "\(result)")
                precondition(loopCount() == 1, "\(loopCount()) threads")
                precondition(server.connectionCount == 4, "\(server.connectionCount) connections")
                await connections.shutdown()
                while loopCount() > 0 { usleep(1_000) }
            }
        }
    }
}
#endif
