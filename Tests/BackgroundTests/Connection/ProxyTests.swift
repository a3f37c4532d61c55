import Background
import DurableIO
import Foundation
import HTTPTypes
import SystemPackage
import TestSupport
import Testing

/// Requests by way of a proxy: what it is told, what the server gets, and what comes of its refusals.
@Suite("Proxies", .timeLimit(.minutes(10)))
struct ProxyTests {
    private static let sizes = [5, 400 << 10]
    private static let hasTinyproxy = PeerProcess.find("tinyproxy") != nil
    private static let hasMicrosocks = PeerProcess.find("microsocks") != nil

    private func withTrustedServer(
        _ body: (_ tls: TLSSettings, _ front: TLSFront, _ server: LoopbackServer) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { path in
            let authority = try TestAuthority()
            try authority.pem.write(toFile: path + "/roots.pem", atomically: true, encoding: .utf8)
            var tls = TLSSettings()
            tls.certificateAuthorities = FilePath(path + "/roots.pem")
            try await withTLSServer(authority.identity(), .always(.response(201))) { front, server in
                try await body(tls, front, server)
            }
        }
    }

    @Test("a plain server's proxy is asked for the whole URL, with its credentials and the server's name")
    func forwardForm() async throws {
        try await withLoopbackServer(.always(.response(201))) { proxy in
            let settings = try ProxySettings.server("http://us%65r:p%3Aw@127.0.0.1:\(proxy.port)", exceptions: "")
            try await withTransport(proxy: settings) { fixture in
                for (number, byteCount) in Self.sizes.enumerated() {
                    let outcome = await fixture.send("http://server.example:8080/a?b=c", byteCount: byteCount)
                    #expect(outcome.answer?.status == 201, "\(outcome)")
                    let request = proxy.requests[number]
                    #expect(request.target == "http://server.example:8080/a?b=c")
                    #expect(request.headers.values("Host") == ["server.example:8080"])
                    #expect(request.headers.values("Proxy-Authorization") == ["Basic dXNlcjpwOnc="])
                    #expect(request.bodyByteCount == byteCount)
                    let isWhole = request.body == TransportFixture.bytes(byteCount)
                    #expect(isWhole)
                }
                #expect(proxy.connectionCount == 1)
            }
        }
    }

    @Test(
        "a real proxy lets plain requests and tunnels through to whom it knows, and the server sees nothing of it",
        .enabled(if: hasTinyproxy, "needs tinyproxy"), arguments: sizes)
    func credentials(byteCount: Int) async throws {
        try await withHTTPProxy(credentials: ("user", "secret")) { proxy in
            let settings = try ProxySettings.server("http://user:secret@127.0.0.1:\(proxy.port)", exceptions: "")
            try await withTrustedServer { tls, front, server in
                try await withTransport(tls: tls, proxy: settings) { fixture in
                    for url in [server.url("/plain"), front.url("/secure")] {
                        let outcome = await fixture.send(url, byteCount: byteCount)
                        #expect(outcome.answer?.status == 201, "\(url): \(outcome)")
                    }
                }
                #expect(server.requests.map(\.target) == ["/plain", "/secure"])
                for request in server.requests {
                    let isWhole = request.body == TransportFixture.bytes(byteCount)
                    #expect(isWhole)
                    #expect(request.headers["Proxy-Authorization"] == nil)
                }
            }
            let log = try String(contentsOfFile: proxy.directory + "/log", encoding: .utf8)
            #expect(log.contains("CONNECT 127.0.0.1"))
            #expect(log.contains("PUT http://127.0.0.1"))
        }
    }

    @Test("407 is an answer, from a tunnel's proxy as well", arguments: sizes)
    func demand(byteCount: Int) async throws {
        try await withLoopbackServer(.always(.response(407))) { proxy in
            let settings = try ProxySettings.server("http://user:wrong@127.0.0.1:\(proxy.port)", exceptions: "")
            try await withTransport(proxy: settings) { fixture in
                for url in ["http://server.example/", "https://server.example/"] {
                    let outcome = await fixture.send(url, byteCount: byteCount)
                    #expect(outcome.answer?.status == 407, "\(url): \(outcome)")
                    #expect(outcome.answer?.isWholeBodySent == url.hasPrefix("http:"))
                }
            }
        }
    }

    @Test(
        "nothing reaches the server past a real proxy that wants credentials, or others",
        .enabled(if: hasTinyproxy, "needs tinyproxy"), arguments: ["", "user:wrong@"], sizes)
    func refused(credentials: String, byteCount: Int) async throws {
        try await withHTTPProxy(credentials: ("user", "secret")) { proxy in
            let settings = try ProxySettings.server("http://\(credentials)127.0.0.1:\(proxy.port)", exceptions: "")
            try await withTrustedServer { tls, front, server in
                try await withTransport(tls: tls, proxy: settings) { fixture in
                    for url in [server.url(), front.url()] {
                        let outcome = await fixture.send(url, byteCount: byteCount)
                        // tinyproxy says 401 to wrong ones, and cuts off a body that it does not want.
                        let isRefused = [401, 407].contains(outcome.answer?.status) || outcome.failure != nil
                        #expect(isRefused, "\(outcome)")
                    }
                }
                #expect(server.connectionCount == 0)
                #expect(front.byteCount == 0)
            }
        }
    }

    @Test("SOCKS5 leads to plain and secure servers", .enabled(if: hasMicrosocks, "needs microsocks"), arguments: sizes)
    func socks(byteCount: Int) async throws {
        try await withSOCKSProxy { proxy in
            let settings = try ProxySettings.server("socks5://127.0.0.1:\(proxy.port)", exceptions: "")
            try await withTrustedServer { tls, front, server in
                try await withTransport(tls: tls, proxy: settings) { fixture in
                    // The name is resolved by the proxy.
                    let plain = server.url("/plain").replacing("127.0.0.1", with: "localhost")
                    for url in [plain, front.url("/secure")] {
                        let outcome = await fixture.send(url, byteCount: byteCount)
                        #expect(outcome.answer?.status == 201, "\(url): \(outcome)")
                    }
                }
                #expect(server.requests.map(\.target) == ["/plain", "/secure"])
            }
            let log = try String(contentsOfFile: proxy.directory + "/output", encoding: .utf8)
            #expect(log.contains("connected to localhost"))
        }
    }

    @Test(
        "a SOCKS5 proxy that wants a user name is a failure that says so",
        .enabled(if: hasMicrosocks, "needs microsocks"))
    func socksCredentials() async throws {
        try await withSOCKSProxy(credentials: ("user", "secret")) { proxy in
            try await withLoopbackServer(.always(.response(201))) { server in
                let settings = try ProxySettings.server("socks5://127.0.0.1:\(proxy.port)", exceptions: "")
                try await withTransport(proxy: settings) { fixture in
                    let failure = try #require(await fixture.send(server.url()).failure)
                    #expect(failure.description.contains("by way of socks5://127.0.0.1"), "\(failure)")
                    #expect(failure.description.hasPrefix("the proxy demands a user name"), "\(failure)")
                    #expect(!failure.didConnect)
                }
                #expect(server.connectionCount == 0)
            }
        }
    }

    @Test("a proxy that is not there, or cannot connect, is a failure that names it, without its password")
    func unreachable() async throws {
        let port = try RefusingPort()
        let settings = try ProxySettings.server("http://user:secret@127.0.0.1:\(port.port)", exceptions: "")
        try await withTransport(proxy: settings) { fixture in
            for url in ["http://server.example/", "https://server.example/"] {
                let failure = try #require(await fixture.send(url).failure)
                #expect(!failure.didConnect)
                #expect(failure.description.contains("by way of http://***@127.0.0.1:\(port.port)"), "\(failure)")
                #expect(!failure.description.contains("secret"))
            }
        }
        try await withLoopbackServer(.always(.response(502))) { proxy in
            let settings = try ProxySettings.server("http://127.0.0.1:\(proxy.port)", exceptions: "")
            try await withTransport(proxy: settings) { fixture in
                let failure = try #require(await fixture.send("https://server.example/").failure)
                #expect(failure.description.hasPrefix("the proxy did not connect to the server"), "\(failure)")
                #expect(!failure.didConnect)
            }
        }
    }

    @Test("the user's Host stands alone, and the URL names the server; a user without a password has a colon")
    func ownHost() async throws {
        try await withLoopbackServer(.always(.response(201))) { proxy in
            let settings = try ProxySettings.server("http://user@127.0.0.1:\(proxy.port)", exceptions: "")
            try await withTransport(proxy: settings) { fixture in
                var request = try fixture.request("http://server.example/a")
                request.fields[try #require(HTTPField.Name("Host"))] = "logs.example"
                #expect(await fixture.transport.send(request).answer?.status == 201)
            }
            let request = try #require(proxy.requests.first)
            #expect(request.target == "http://server.example/a")
            #expect(request.headers.values("Host") == ["logs.example"])
            #expect(request.headers.values("Proxy-Authorization") == ["Basic dXNlcjo="])
            #expect(!request.headers.all.contains { $0.name.lowercased().contains("authority") })
        }
    }

    @Test("an answer by way of a proxy is no word of this machine's own, wherever the URL points")
    func portal() async throws {
        let page = Answer.response(200, headers: [("Content-Type", "text/html")], text: "<html>log in</html>")
        try await withLoopbackServer(.always(page)) { proxy in
            let settings = try ProxySettings.server("http://127.0.0.1:\(proxy.port)", exceptions: "")
            try await withTransport(proxy: settings) { fixture in
                #expect(await fixture.send("http://localhost:9/a").answer?.isLoopback == false)
            }
            try await withTransport { fixture in
                #expect(await fixture.send(proxy.url()).answer?.isLoopback == true)
            }
        }
    }
}
