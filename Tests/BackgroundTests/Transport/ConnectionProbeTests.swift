import Background
import DurableIO
import Foundation
import SystemPackage
import TestSupport
import Testing

/// Probes of connections: what each step finds, and that no request is sent.
@Suite("Connection probes", .timeLimit(.minutes(5)))
struct ConnectionProbeTests {
    private func probe(
        _ url: String, tls: TLSSettings = TLSSettings(), proxy: ProxySettings = .none, connect: Int = 5
    ) async throws -> ConnectionFindings {
        var settings = ConnectionSettings()
        (settings.tls, settings.proxy, settings.timeouts.connect) = (tls, proxy, .seconds(connect))
        let transport = try HTTPTransport.open(files: POSIXFileSystem(), settings: settings)
        let findings = await transport.probe(try Endpoint(url))
        await transport.shutdown()
        return findings
    }

    private func trusting(
        _ authority: TestAuthority, in path: String, client: TestAuthority.Identity? = nil
    ) throws -> TLSSettings {
        var settings = TLSSettings()
        func write(_ name: String, _ text: String) throws -> FilePath {
            try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
            return FilePath(path + "/" + name)
        }
        settings.certificateAuthorities = try write("roots.pem", authority.pem)
        guard let client else { return settings }
        settings.clientCertificate = try write("client.pem", client.certificate)
        settings.clientKey = try write("client.key", client.key)
        return settings
    }

    @Test("a plain server is resolved and connected to, and gets no byte", arguments: ["127.0.0.1", "localhost"])
    func plain(host: String) async throws {
        try await withLoopbackServer(.always(.response(201))) { server in
            let findings = try await probe("http://\(host):\(server.port)/a?b")
            #expect(findings.problem == nil)
            #expect(try findings.resolve?.result.get().contains("127.0.0.1") == true)
            #expect(try findings.connect?.result.get() == "127.0.0.1")
            #expect(findings.tls == nil)
            #expect(findings.proxy == nil)
            await server.waitForConnections(count: 1)
            await server.waitForNoConnections()
            #expect(server.connectionCount == 1)
            #expect(server.requests.isEmpty)
            #expect(server.protocolErrors.isEmpty)
        }
    }

    @Test("an address in brackets is one", .enabled(if: LoopbackServer.hasIPv6, "needs IPv6"))
    func literal() async throws {
        let server = try LoopbackServer(.always(.response(201)), isIPv6: true)
        defer { server.stop() }
        let findings = try await probe("http://[::1]:\(server.port)/")
        #expect(try findings.resolve?.result.get() == ["::1"])
        #expect(try findings.connect?.result.get() == "::1")
        #expect(findings.problem == nil)
    }

    @Test("a server over TLS tells its version, and whose certificate it shows", arguments: ["127.0.0.1", "localhost"])
    func handshake(host: String) async throws {
        try await withTemporaryDirectory { path in
            let authority = try TestAuthority()
            for (newest, version) in [(NewestTLS.v12, "1.2"), (.v13, "1.3")] {
                try await withFront(authority.identity(), newest) { front, server in
                    let findings = try await probe(
                        front.url(host: host), tls: trusting(authority, in: path))
                    let handshake = try findings.tls?.result.get()
                    #expect(handshake?.version == version)
                    #expect(handshake?.hasClientCertificate == false)
                    #expect(findings.certificate?.names == ["localhost", "127.0.0.1"])
                    #expect(findings.certificate?.issuer == "A test's authority")
                    let left = Double(findings.certificate?.notAfter ?? 0) / 1_000 - Date().timeIntervalSince1970
                    #expect((80_000...86_401).contains(left), "\(left) s")
                    #expect(server.connectionCount == 0)
                    #expect(front.byteCount == 0)
                }
            }
        }
    }

    @Test("a certificate that is not trusted is told in the words of a request, with whose it is")
    func distrust() async throws {
        try await withTemporaryDirectory { path in
            let authority = try TestAuthority()
            var elsewhere = TestAuthority.Claim()
            (elsewhere.hosts, elsewhere.addresses) = (["elsewhere.example"], [])
            for (identity, reason, names) in [
                (
                    try TestAuthority().identity(), "the server's certificate is not accepted: it has expired",
                    ["localhost", "127.0.0.1"]
                ),
                (
                    try authority.identity(elsewhere), "the server's certificate is for another host",
                    ["elsewhere.example"]
                ),
            ] {
                try await withFront(identity, .v13) { front, _ in
                    let findings = try await probe(front.url(), tls: trusting(authority, in: path))
                    guard case .untrusted(let text) = findings.tls?.problem else {
                        Issue.record("\(String(describing: findings.tls))")
                        return
                    }
                    #expect(text.hasPrefix(reason), "\(text)")
                    #expect(findings.certificate?.names == names)
                    #expect(findings.connect?.problem == nil)
                }
            }
        }
    }

    @Test("a client certificate is shown, and its refusal told, which comes late over TLS 1.3")
    func clientCertificate() async throws {
        try await withTemporaryDirectory { path in
            let (authority, clients) = (try TestAuthority(), try TestAuthority())
            let pem = try clients.pem
            for newest in [NewestTLS.v12, .v13] {
                try await withFront(authority.identity(), newest, clients: pem) { front, _ in
                    for (client, problem) in [
                        (try clients.identity(), nil),
                        (nil, "the server demands a client certificate"),
                        (try authority.identity(), "the server does not accept the client certificate"),
                    ] as [(TestAuthority.Identity?, String?)] {
                        let findings = try await probe(
                            front.url(), tls: trusting(authority, in: path, client: client))
                        // TLS 1.2 says no more than that a handshake has failed.
                        let isTold = newest == .v13 || client != nil
                        if isTold { #expect(findings.problem?.text == problem, "\(newest)") }
                        #expect((findings.problem == nil) == (problem == nil))
                    }
                }
            }
        }
    }

    @Test("failures are told in the words of a request that fails")
    func failures() async throws {
        let closed = try RefusingPort()
        let cases: [(url: String, words: String)] = [
            (closed.url(), "connection failed: Connection refused"),
            ("http://nowhere.invalid/", "the name nowhere.invalid could not be resolved"),
        ]
        for (url, words) in cases {
            let findings = try await probe(url)
            guard case .unreachable(let text) = findings.problem else {
                Issue.record("\(findings)")
                continue
            }
            #expect(text.contains(words), "\(text)")
        }
        let plain = try GreetingServer(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        defer { plain.stop() }
        let findings = try await probe("https://127.0.0.1:\(plain.port)/")
        #expect(findings.connect?.problem == nil)
        #expect(findings.tls?.problem?.text.contains("does not speak TLS") == true, "\(findings)")
    }

    @Test("silence in the handshake ends with the time-out for connecting")
    func silence() async throws {
        let silent = try GreetingServer([])
        defer { silent.stop() }
        let begun = ContinuousClock.now
        let findings = try await probe("https://127.0.0.1:\(silent.port)/", connect: 1)
        #expect(findings.tls?.problem?.text.contains("did not end in time") == true, "\(findings)")
        #expect(ContinuousClock.now - begun < .seconds(15))
    }

    @Test("a plain server's proxy is connected to, and gets no byte")
    func forward() async throws {
        try await withLoopbackServer(.always(.response(201))) { proxy in
            let settings = try ProxySettings.server("http://user:secret@127.0.0.1:\(proxy.port)", exceptions: "")
            let findings = try await probe("http://server.example/", proxy: settings)
            #expect(findings.problem == nil)
            #expect(findings.endsAtProxy)
            #expect(findings.proxy == "http://***@127.0.0.1:\(proxy.port)")
            await proxy.waitForConnections(count: 1)
            await proxy.waitForNoConnections()
            #expect(proxy.requests.isEmpty)
        }
    }

    @Test(
        "a tunnel is made by the proxy, with its credentials, and the handshake goes through it",
        .enabled(if: PeerProcess.find("tinyproxy") != nil, "needs tinyproxy"))
    func tunnel() async throws {
        try await withTemporaryDirectory { path in
            let authority = try TestAuthority()
            try await withHTTPProxy(credentials: ("user", "secret")) { proxy in
                try await withFront(authority.identity(), .v13) { front, server in
                    let tls = try trusting(authority, in: path)
                    let good = try ProxySettings.server("http://user:secret@127.0.0.1:\(proxy.port)", exceptions: "")
                    let findings = try await probe(front.url(), tls: tls, proxy: good)
                    #expect(findings.problem == nil, "\(findings)")
                    #expect(try findings.tls?.result.get().version == "1.3")
                    #expect(findings.certificate?.names == ["localhost", "127.0.0.1"])
                    let none = try ProxySettings.server("http://127.0.0.1:\(proxy.port)", exceptions: "")
                    let refused = try await probe(front.url(), tls: tls, proxy: none)
                    #expect(
                        refused.connect?.problem
                            == .unauthorized("the proxy wants credentials, or does not accept these (407)"))
                    #expect(refused.tls == nil)
                    #expect(server.connectionCount == 0)
                }
            }
        }
    }

    @Test(
        "SOCKS5 leads to plain and secure servers",
        .enabled(if: PeerProcess.find("microsocks") != nil, "needs microsocks"))
    func socks() async throws {
        try await withTemporaryDirectory { path in
            let authority = try TestAuthority()
            try await withSOCKSProxy { proxy in
                let settings = try ProxySettings.server("socks5://127.0.0.1:\(proxy.port)", exceptions: "")
                try await withFront(authority.identity(), .v13) { front, server in
                    for url in [front.url(), server.url(), front.url(host: "localhost")] {
                        let tls = try trusting(authority, in: path)
                        let findings = try await probe(url, tls: tls, proxy: settings)
                        #expect(findings.problem == nil, "\(findings)")
                    }
                }
                let closed = try RefusingPort()
                let refused = try await probe(closed.url(), proxy: settings)
                let words = "the proxy did not connect to the server: SOCKS reply 5"
                #expect(refused.connect?.problem?.text.hasPrefix(words) == true, "\(refused)")
            }
        }
    }

    @Test("a probe that is cancelled ends at once")
    func cancellation() async throws {
        let silent = try GreetingServer([])
        defer { silent.stop() }
        let url = "https://127.0.0.1:\(silent.port)/"
        let begun = ContinuousClock.now
        let task = Task { try await probe(url, connect: 300) }
        task.cancel()
        #expect(try await task.value.problem == .interrupted)
        #expect(ContinuousClock.now - begun < .seconds(20))
    }

    private enum NewestTLS { case v12, v13 }

    private func withFront(
        _ identity: TestAuthority.Identity, _ newest: NewestTLS, clients: String? = nil,
        _ body: (TLSFront, LoopbackServer) async throws -> Void
    ) async throws {
        try await withTLSServer(
            identity, .always(.response(201)), newest: newest == .v12 ? .tlsv12 : .tlsv13, clients: clients, body)
    }
}
