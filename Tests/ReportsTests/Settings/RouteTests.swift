import Background
import Reports
import TestSupport
import Testing

/// What is shown of proxies is what is in force.
@Suite("The proxy in force")
struct RouteTests {
    private static let https = #""endpoint": "https://server.example/{id}""#

    @Test(
        "a proxy is shown as it is understood",
        arguments: [
            ("none", "none"), ("NONE", "none"), ("environment", "environment"), ("Environment", "environment"),
            ("proxy.example:3128", "http://proxy.example:3128"), ("proxy.example", "http://proxy.example:1080"),
            ("http://user:secret@proxy.example:1", "http://***@proxy.example:1"),
            ("socks5h://[::1]:9", "socks5://[::1]:9"),
        ])
    func shown(written: String, expected: String) throws {
        try withSettingsPlace("{\(Self.https), \"proxy\": \"\(written)\"}") { place in
            let settings = try place.settings()
            let shown = settings.shown.first { $0.name == "proxy" }
            #expect(shown?.value == expected)
            #expect(shown?.source.description == place.file)
            if expected.contains("://") {
                #expect(settings.main.route?.text == expected)
                #expect(settings.main.route?.source == place.file)
            }
        }
    }

    @Test("a host that is reached directly is shown as such, whatever the proxy, with what says so")
    func exceptions() throws {
        let json = "{\(Self.https), \"proxy\": \"http://proxy.example:1\", \"no_proxy\": \".example\"}"
        try withSettingsPlace(json) { place in
            let route = try #require(try place.settings().main.route)
            #expect(route == ("direct", place.file))
            let option = try #require(try place.settings([:], [.noProxy: "other"]).main.route)
            #expect(option == ("http://proxy.example:1", place.file))
            let variable = try #require(try place.settings(["REPORTS_NO_PROXY": "server.example"]).main.route)
            #expect(variable == ("direct", "$REPORTS_NO_PROXY"))
        }
    }

    @Test("without an endpoint nothing is said; none is reached directly")
    func none() throws {
        try withSettingsPlace(#"{"proxy": "none"}"#) { place in
            #expect(try place.settings().main.route == nil)
            let route = try #require(try place.settings(["REPORTS_ENDPOINT": "http://a/"]).main.route)
            #expect(route == ("direct", place.file))
        }
    }

    @Test("which variable of the environment decides")
    func variables() throws {
        func choice(_ environment: [String: String], exceptions: String? = nil) throws -> ProxySettings.Choosing {
            try ProxySettings.environment.excepting(exceptions)
                .choose(for: try Endpoint("https://server.example/"), environment: { environment[$0] })
        }
        let proxy = try ProxyServer("http://proxy.example:1", from: "")
        let url = "http://proxy.example:1"
        #expect(try choice([:]) == .direct)
        #expect(try choice(["HTTPS_PROXY": url]) == .proxy(proxy, variable: "HTTPS_PROXY"))
        #expect(try choice(["http_proxy": url]) == .direct)
        #expect(try choice(["all_proxy": url, "no_proxy": "a"]) == .proxy(proxy, variable: "all_proxy"))
        #expect(try choice(["all_proxy": url, "NO_PROXY": ".example"]) == .exempt(variable: "NO_PROXY"))
        #expect(try choice(["all_proxy": url], exceptions: "server.example") == .exempt(variable: nil))
    }
}
