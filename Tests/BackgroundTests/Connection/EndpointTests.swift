import Background
import DurableIO
import TestSupport
import Testing

/// What is let through to the client, whose own parsers stop the process at some of what is no host.
@Suite("Endpoints")
struct EndpointTests {
    @Test(
        "what is no host is refused",
        arguments: [
            "[", "]", "[]", "[/", "[::1", "::1", "[::1]x", "a:1:2", "%5B", "a%62", "[1]", "[127.0.0.1]",
            "[fe80::1%25eth0]",
            "[::g]", "a b", "", ":80", "a:+80", "a:0", "a:65536", "a:-1", "a:8o", "a@b", "\u{e4}.example", "a,b", "a;b",
            "(a)",
            String(repeating: "a", count: 254),
        ])
    func refused(host: String) {
        #expect(throws: Endpoint.Problem.self) { try Endpoint("http://\(host)/x") }
    }

    @Test(
        "what is a host goes through",
        arguments: [
            ("a", "http://a:80"), ("A.Example.", "http://a.example.:80"), ("a_b-c.d~e:81", "http://a_b-c.d~e:81"),
            ("127.0.0.1:1", "http://127.0.0.1:1"), ("[::1]", "http://[::1]:80"),
            ("[2001:DB8::2]:65535", "http://[2001:db8::2]:65535"),
            ("a:", "http://a:80"), ("1", "http://1:80"),
        ])
    func accepted(host: String, origin: String) throws {
        #expect(try Endpoint("http://\(host)/x").origin == origin)
    }

    @Test(
        "only this machine's own addresses are loopback, and no name that begins like one",
        arguments: [
            ("http://127.0.0.1/", true), ("http://127.9.9.9:80/", true), ("http://localhost/", true),
            ("http://[::1]:8080/", true), ("http://127.evil.example/", false), ("http://127.0.0.1.example/", false),
            ("http://128.0.0.1/", false), ("http://localhost.example/", false),
        ])
    func loopback(url: String, expected: Bool) throws {
        #expect(try Endpoint(url).isLoopback == expected)
    }

    @Test("a redirect to what is no host leads nowhere, and one that names none stays")
    func redirects() throws {
        let base = try Endpoint("http://a.example/b")
        for location in ["http://[/x", "//]/x", "http://\(String(repeating: "a.", count: 150))/x", "http://%5B/"] {
            #expect(base.resolving(location: location) == nil, "\(location)")
        }
    }

    @Test("names that a SOCKS proxy cannot be told are never sent to it", arguments: [254, 300])
    func longNames(count: Int) async throws {
        try await withLoopbackServer(.always(.stall)) { proxy in
            let settings = try ProxySettings.server("socks5://127.0.0.1:\(proxy.port)", exceptions: "")
            try await withTransport(proxy: settings) { fixture in
                let outcome = await fixture.send("http://\(String(repeating: "a", count: count))/")
                // The fixture's own words for a URL that is none.
                guard case .noAnswer(.unsendable) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
            }
            #expect(proxy.connectionCount == 0)
        }
    }
}
