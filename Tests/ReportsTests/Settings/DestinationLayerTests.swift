import TestSupport
import Testing

@testable import Reports

/// Which of the configuration files says where reports go, and which secrets go there.
@Suite("Destinations in the machine's and the spool's settings")
struct DestinationLayerTests {
    /// What counts, as `NAME endpoint header,header`.
    private func texts(_ settings: Settings) -> [String] {
        settings.destinations.map { one in
            let endpoint = one.entries[.endpoint]?.shownText ?? "-"
            return "\(one.name) \(endpoint) \(one.headers.map(\.name).joined(separator: ","))"
        }
    }

    private static let machine = #"""
        {"destinations": {"a": {"endpoint": "http://a/", "headers": {"A": "secret"}},
            "b": {"endpoint": "http://b/", "headers": {"B": "secret"}, "proxy": "none", "tls_authorities": "/b.pem"}},
         "routes": [{"kinds": "log", "to": "b"}], "max_count": 9}
        """#

    @Test("the strongest file that has endpoint or destinations decides where reports go, with all of its routes")
    func unit() throws {
        try withSettingsPlace(#"{"endpoint": "http://spool/"}"#) { place in
            try place.write("etc/reports.json", Self.machine)
            let endpoint = try place.settings()
            #expect(texts(endpoint) == ["main http://spool/ "] && endpoint.routes == nil)
            #expect(endpoint.limits.maximumCount == 9)
            #expect(endpoint.withheldHeaders.isEmpty)

            try place.write("spool/reports.json", #"{"destinations": {"c": {"endpoint": "http://c/"}}}"#)
            let destinations = try place.settings()
            #expect(texts(destinations) == ["c http://c/ "] && destinations.routes?.isEmpty == true)

            try place.write("etc/reports.json", #"{"endpoint": "http://machine/", "headers": {"A": "secret"}}"#)
            let overEndpoint = try place.settings()
            #expect(texts(overEndpoint) == ["c http://c/ "])
            #expect(
                overEndpoint.withheldHeaders
                    == ["the headers of \(place.systemFile) are not sent, because \(place.file) has destinations"])

            try place.write("etc/reports.json", Self.machine)
            try place.write("spool/reports.json", #"{"max_count": 3}"#)
            let machine = try place.settings()
            #expect(texts(machine) == ["a http://a/ A", "b http://b/ B"])
            #expect(machine.routes?.map(\.route) == [.to("b", kinds: [.log])])
            #expect(machine.limits.maximumCount == 3)
        }
    }

    @Test("the machine's destinations are not looked at where the spool's file leads, and their slips are none")
    func slips() throws {
        try withSettingsPlace(#"{"endpoint": "http://spool/"}"#) { place in
            try place.write("etc/reports.json", #"{"destinations": {"a": {"endpoint": {"file": "gone"}}}}"#)
            #expect(try texts(place.settings()) == ["main http://spool/ "])
            try place.write("spool/reports.json", "{}")
            let error = #expect(throws: ReportsError.self) { try place.settings() }
            let expected = "\(place.systemFile): line 1, column 37: destinations.a.endpoint: "
            #expect(error?.message.hasPrefix(expected) == true, "\(String(describing: error))")
        }
    }

    @Test(
        "a destination's headers go nowhere where a stronger file leads it, which is said",
        arguments: [
            (#"{"proxy": "http://proxy.example:1"}"#, "proxy"),
            (#"{"tls_authorities": "roots.pem"}"#, "tls_authorities"),
        ])
    func withheld(spool: String, member: String) throws {
        try withSettingsPlace(spool) { place in
            try place.write("etc/reports.json", Self.machine)
            let settings = try place.settings()
            // The second has a proxy and authorities of its own.
            #expect(texts(settings) == ["a http://a/ ", "b http://b/ B"])
            #expect(
                settings.withheldHeaders == [
                    "the headers of the destination a of \(place.systemFile) are not sent, because \(place.file) has "
                        + member
                ])
            try place.write("spool/reports.json", #"{"no_proxy": "x", "encoding": "file"}"#)
            let others = try place.settings()
            #expect(texts(others) == ["a http://a/ A", "b http://b/ B"] && others.withheldHeaders.isEmpty)
        }
    }

    @Test("headers of the spool's file go to the machine's destination if there is one, and are refused for several")
    func headersOfStrongerFile() throws {
        try withSettingsPlace(#"{"headers": {"C": "secret"}}"#) { place in
            try place.write("etc/reports.json", Self.machine)
            #expect(
                try place.problem().hasPrefix(
                    "line 1, column 13: headers: there are several destinations (a, b), and a header may be a secret"))
            try place.write("etc/reports.json", #"{"destinations": {"a": {"endpoint": "http://a/"}}}"#)
            #expect(try texts(place.settings()) == ["a http://a/ C"])
            // They stand instead of those that could not be sent.
            try place.write("spool/reports.json", #"{"headers": {"C": "secret"}, "proxy": "none"}"#)
            try place.write(
                "etc/reports.json", #"{"destinations": {"a": {"endpoint": "http://a/", "headers": {"A": "secret"}}}}"#)
            let replaced = try place.settings()
            #expect(texts(replaced) == ["a http://a/ C"] && replaced.withheldHeaders.isEmpty)
        }
    }
}
