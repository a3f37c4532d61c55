import Background
import TestSupport
import Testing

/// Which way a request goes, by the settings and the environment.
@Suite("Proxy rules")
struct ProxyRuleTests {
    private func route(
        _ url: String, _ environment: [String: String], _ settings: ProxySettings = .environment
    ) throws -> String {
        switch try settings.route(to: Endpoint(url), environment: { environment[$0] }) {
        case .direct: "direct"
        case .tunnel(let proxy): "tunnel \(proxy)"
        case .forward(let proxy): "forward \(proxy)"
        case .socks(let proxy): "socks \(proxy)"
        }
    }

    @Test("the environment is read as curl reads it")
    func environment() throws {
        let cases: [(url: String, environment: [String: String], route: String)] = [
            ("http://a.example/", [:], "direct"),
            ("http://a.example/", ["http_proxy": "http://p:1"], "forward http://p:1"),
            ("https://a.example/", ["http_proxy": "http://p:1"], "direct"),
            ("https://a.example/", ["https_proxy": "http://p:1"], "tunnel http://p:1"),
            ("https://a.example/", ["HTTPS_PROXY": "http://p:1"], "tunnel http://p:1"),
            ("https://a.example/", ["https_proxy": "q:2", "HTTPS_PROXY": "http://p:1"], "tunnel http://q:2"),
            // A CGI program's client sets this one.
            ("http://a.example/", ["HTTP_PROXY": "http://p:1"], "direct"),
            ("http://a.example/", ["all_proxy": "socks5://p:1"], "socks socks5://p:1"),
            ("https://a.example/", ["ALL_PROXY": "socks5h://p"], "socks socks5://p:1080"),
            ("http://a.example/", ["http_proxy": "", "all_proxy": "p:1"], "forward http://p:1"),
            ("http://a.example/", ["http_proxy": "p"], "forward http://p:1080"),
            ("http://a.example/", ["http_proxy": "http://[::1]:3128/"], "forward http://[::1]:3128"),
            ("http://a.example/", ["http_proxy": "http://u:p@p:1"], "forward http://***@p:1"),
            ("http://a.example/", ["http_proxy": "p:1", "no_proxy": "a.example"], "direct"),
            ("http://a.example/", ["http_proxy": "p:1", "NO_PROXY": "a.example"], "direct"),
            (
                "http://a.example/", ["http_proxy": "p:1", "no_proxy": "b", "NO_PROXY": "a.example"],
                "forward http://p:1"
            ),
            // Nothing that is not needed can be wrong.
            ("http://a.example/", ["http_proxy": "ftp://p:1", "no_proxy": "*"], "direct"),
        ]
        for (url, environment, expected) in cases {
            #expect(try route(url, environment) == expected, "\(url) \(environment)")
        }
    }

    @Test("a proxy of the settings stands instead of the environment's, and the environment's exceptions hold for it")
    func settings() throws {
        let environment = ["http_proxy": "http://p:1", "no_proxy": "a.example"]
        #expect(try route("http://b.example/", environment, .server("q:2")) == "forward http://q:2")
        #expect(try route("http://a.example/", environment, .server("q:2")) == "direct")
        #expect(try route("http://a.example/", environment, .server("q:2", exceptions: "")) == "forward http://q:2")
        #expect(try route("http://b.example/", environment, .none) == "direct")
        #expect(try route("http://b.example/", environment, .environment.excepting("b.example")) == "direct")
    }

    @Test(
        "hosts that are reached directly",
        arguments: [
            ("a.example", "a.example", true), ("A.Example", "a.eXample", true), ("x.a.example", "a.example", true),
            ("xa.example", "a.example", false), ("a.example", ".a.example", true), ("x.a.example", ".a.example", true),
            ("a.example", "b, a.example", true), ("a.example", "b a.example", true), ("a.example", "*", true),
            ("a.example", "*,b", false), ("a.example", "*.example", false), ("a.example", "example", true),
            ("a.example.", "a.example", true), ("a.example", "a.example.", true), ("a.example", "", false),
            ("a.example", ".", false), ("127.0.0.1", "127.0.0.1", true), ("127.0.0.1", "127.0.0.0/8", true),
            ("128.0.0.1", "127.0.0.0/8", false), ("10.1.2.3", "10.1.2.0/23", true), ("10.1.4.3", "10.1.2.0/23", false),
            ("10.1.2.3", "10.1.2.3/32", true), ("10.1.2.3", "10.1.2.3/33", false), ("10.1.2.3", "0.0.0.0/0", true),
            ("10.1.2.3", "10.1.2.3/x", false), ("127.0.0.1", "0.0.1", false), ("[::1]", "::1", true),
            ("[::1]", "[::1]", true), ("[fe80::2]", "fe80::/10", true), ("[2001:db8::2]", "fe80::/10", false),
            ("[0:0:0:0:0:0:0:1]", "::1", true), ("[::1]", "127.0.0.1", false),
        ])
    func exceptions(host: String, list: String, isDirect: Bool) throws {
        let found = try route("http://\(host)/", ["http_proxy": "p:1", "no_proxy": list])
        // An empty list is none.
        #expect((found == "direct") == isDirect, "\(host) in \"\(list)\"")
    }

    @Test(
        "a proxy that cannot be spoken to is refused, and the reason holds no secret",
        arguments: [
            "https://p:1", "socks4://p:1", "socks4a://p:1", "ftp://p:1", "socks5://u:secret@p:1", "http://",
            "http://p:0",
            "http://p:99999", "http://u:%zzsecret@p:1", "http://u:%ffsecret@p:1", "http://p q:1", "http://[::1", "::1",
            "http://]:1",
            "http://u:12/secret@p:1", "http://u:12#secret@p:1", "http://u:12?secret@p:1",
        ])
    func unusable(url: String) throws {
        let error = #expect(throws: ConnectionSettingsError.self) { try route("http://a/", ["http_proxy": url]) }
        #expect(error?.subject == "$http_proxy")
        #expect(error?.description.contains("secret") == false)
        #expect(throws: ConnectionSettingsError.self) { try ProxySettings.server(url) }
    }

    /// curl itself, with a name that leads to one server directly and to the other by proxy.
    @Test(
        "curl goes the same way", .enabled(if: findExecutable("curl") != nil, "needs curl"),
        arguments: [
            ["http_proxy": "PROXY"], ["HTTP_PROXY": "PROXY"], ["all_proxy": "PROXY"], ["ALL_PROXY": "PROXY"],
            ["http_proxy": "PROXY", "no_proxy": "a.example"], ["http_proxy": "PROXY", "no_proxy": ".a.example"],
            ["http_proxy": "PROXY", "no_proxy": "example"], ["http_proxy": "PROXY", "no_proxy": "xa.example"],
            ["http_proxy": "PROXY", "no_proxy": "*"], ["http_proxy": "PROXY", "NO_PROXY": "b, a.example"],
            ["http_proxy": "PROXY", "no_proxy": "a.example."], ["http_proxy": "", "all_proxy": "PROXY"],
            ["https_proxy": "PROXY"], ["http_proxy": "PROXY", "no_proxy": "b", "NO_PROXY": "a.example"],
        ])
    func curl(given: [String: String]) async throws {
        try await withLoopbackServer(.always(.response(200))) { direct in
            try await withLoopbackServer(.always(.response(200))) { proxy in
                var environment = given.mapValues { $0.replacing("PROXY", with: "http://127.0.0.1:\(proxy.port)") }
                let expected = try route("http://a.example/", environment)
                environment["PATH"] = "/usr/bin:/bin"
                let result = try await runAsynchronously(
                    "curl",
                    ["-sS", "-m", "60", "--connect-to", "a.example:80:127.0.0.1:\(direct.port)", "http://a.example/"],
                    environment: environment)
                // By proxy the rule about where to connect is asked for as a tunnel; either way the proxy is met.
                let wasDirect = direct.connectionCount == 1 && proxy.connectionCount == 0
                #expect(wasDirect == (expected == "direct"), "\(expected), curl: \(result.errors)")
                #expect(direct.connectionCount + proxy.connectionCount > 0)
            }
        }
    }
}
