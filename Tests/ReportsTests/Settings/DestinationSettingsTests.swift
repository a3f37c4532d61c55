import Background
import Diagnosis
import Reports
import TestSupport
import Testing

/// Several destinations and the routes between them, as configuration files name them.
@Suite("Destinations in settings")
struct DestinationSettingsTests {
    private static let two = #"""
        {"destinations": {
            "server": {"endpoint": "https://server.example/{id}?key=secret1", "headers": {"A": {"file": "token"}}},
            "dumps": {"endpoint": {"environment": "DUMPS"}, "encoding": "file", "acknowledgement": "header:Receipt",
                "tls_authorities": "roots.pem", "tls_certificate": "/c.pem", "tls_key": "k.pem", "tls_minimum": "1.3",
                "proxy": "http://user:secret2@proxy.example:1", "no_proxy": "localhost"}},
         "routes": [
            {"kinds": ["crash", "hang"], "formats": "minidump", "annotations": {"service": "shop", "n": [1, "2"]},
             "to": "dumps"},
            {"kinds": "log", "hold": true}, {"to": "server"}]}
        """#

    private func withTwo(_ body: (SettingsPlace, [String: String]) throws -> Void) throws {
        try withSettingsPlace(Self.two) { place in
            try place.write("spool/token", "secret3")
            try body(place, ["DUMPS": "https://dumps.example/{id}.gz"])
        }
    }

    @Test("each has its own values, in the order of the file, and connections of its own with the shared time-outs")
    func values() throws {
        try withTwo { place, environment in
            let settings = try place.settings(environment, [.idleTimeout: "7"])
            #expect(settings.destinations.map(\.name) == ["server", "dumps"])
            let routing = try #require(try settings.routing())
            #expect(routing.destinations.map(\.name) == ["server", "dumps"])
            let (server, dumps) = (routing.destinations[0].destination, routing.destinations[1].destination)
            #expect(try server.validate().origin == "https://server.example:443")
            #expect(try dumps.validate().origin == "https://dumps.example:443")
            #expect(server.encoding == nil && dumps.encoding == .file)
            #expect(server.acknowledgement == nil && dumps.acknowledgement == .header("Receipt"))
            #expect(settings.destinations[0].headers.map(\.value) == ["secret3"])
            #expect(settings.destinations[1].headers.isEmpty)
            let connection = try #require(dumps.connection)
            #expect(connection.tls.certificateAuthorities?.string == place.directory + "/spool/roots.pem")
            #expect(connection.tls.clientCertificate == "/c.pem" && connection.tls.minimumVersion == .v13)
            let proxy = try ProxySettings.server("http://user:secret2@proxy.example:1", exceptions: "localhost")
            #expect(connection.proxy == proxy)
            #expect(connection.timeouts.idle == .seconds(7))
            var usual = ConnectionSettings()
            usual.timeouts.idle = .seconds(7)
            #expect(server.connection == usual && settings.connection == usual)
        }
    }

    @Test("routes match as they are written: kinds, formats and annotations, in their order")
    func routes() throws {
        try withTwo { place, environment in
            let routes = try place.settings(environment).routing()?.routes
            #expect(
                routes == [
                    Reports.Route(
                        .to("dumps"), kinds: [.crash, .hang], formats: ["minidump"],
                        annotations: ["service": ["shop"], "n": ["1", "2"]]),
                    .hold(kinds: [.log]), .to("server"),
                ])
        }
        try withSettingsPlace(#"{"destinations": {"a": {"endpoint": "http://a/"}}}"#) { place in
            let routing = try place.settings().routing()
            #expect(routing?.routes == [])
        }
    }

    @Test("each is shown with its place and without its secrets, and so is each route")
    func shown() throws {
        try withTwo { place, environment in
            let shown = try place.settings(environment).shown
            #expect(!"\(shown)".contains("secret"))
            let values = Dictionary(shown.map { ($0.name, $0.value ?? "-") }) { first, _ in first }
            let expected = [
                "destinations.server.endpoint": "https://server.example/{id}?***",
                "destinations.server.headers.A": "***", "destinations.server.encoding": "gzip",
                "destinations.dumps.endpoint": "https://dumps.example/{id}.gz",
                "destinations.dumps.proxy": "http://***@proxy.example:1", "destinations.dumps.encoding": "file",
                "routes[0]": "kind crash or hang, format minidump, n=1 or 2, service=shop: to dumps",
                "routes[1]": "kind log: hold", "routes[2]": "all: to server",
            ]
            for (name, value) in expected { #expect(values[name] == value, "\(name)") }
            #expect(values["endpoint"] == nil && values["max_concurrent"] == "16")
            let source = shown.first { $0.name == "destinations.dumps.endpoint" }?.source
            #expect(source?.subject == "\(place.file): line 3, column 27: destinations.dumps.endpoint")
            let route = shown.first { $0.name == "routes[0]" }
            #expect(
                route?.route.map { JSONValue.object($0).description }
                    == #"{"kinds":["crash","hang"],"formats":["minidump"],"#
                    + #""annotations":{"n":["1","2"],"service":["shop"]},"to":"dumps"}"#)
            #expect(route?.source.subject == "\(place.file): line 7, column 5: routes[0]")
        }
    }

    @Test("options and variables stand over the values of every destination, and members of the file beside them")
    func defaults() throws {
        let json = #"""
            {"encoding": "identity", "proxy": "none", "destinations": {
                "a": {"endpoint": "http://a/"}, "b": {"endpoint": "http://b/", "encoding": "file"}}}
            """#
        try withSettingsPlace(json) { place in
            func encodings(
                _ environment: [String: String] = [:], _ options: [Setting: String] = [:]
            ) throws -> [String] {
                try place.settings(environment, options).destinations.map { $0.encoding?.rawValue ?? "-" }
            }
            #expect(try encodings() == ["identity", "file"])
            #expect(try encodings(["REPORTS_ENCODING": "gzip"]) == ["gzip", "gzip"])
            #expect(try encodings(["REPORTS_ENCODING": "gzip"], [.encoding: "file"]) == ["file", "file"])
            let settings = try place.settings()
            #expect(settings.destinations.map { $0.connection(settings.sending).proxy } == [.none, .none])
            // The machine's members are under those of the spool's file, and those of a destination over both.
            try place.write("etc/reports.json", #"{"encoding": "gzip", "tls_minimum": "1.3"}"#)
            #expect(try encodings() == ["identity", "file"])
            #expect(try place.settings().destinations.map(\.tls.minimumVersion) == [.v13, .v13])
        }
    }

    @Test("an endpoint of the caller is the destination main, and nothing that files say of destinations counts")
    func endpointOfTheCaller() throws {
        try withTwo { place, _ in
            for settings in [
                try place.settings([:], [.endpoint: "http://mine/"]),
                try place.settings(["REPORTS_ENDPOINT": "http://mine/"]),
            ] {
                let routing = try #require(try settings.routing())
                #expect(routing.destinations.map(\.name) == ["main"] && routing.routes == nil)
                #expect(settings.main.headers.isEmpty && settings.routes == nil)
                #expect(settings.shown.first { $0.name == "endpoint" }?.value == "http://mine/")
            }
            // Without an endpoint of the caller, the variable that the file names has to be there.
            #expect(throws: ReportsError.self) { try place.settings() }
        }
    }

    @Test("headers of the caller are those of one destination, and refused for several")
    func headersOfTheCaller() throws {
        try withTwo { place, environment in
            let error = #expect(throws: ReportsError.self) {
                try place.settings(environment.merging(["REPORTS_HEADERS": "B: secret"]) { $1 })
            }
            #expect(error?.code == .badConfiguration)
            let expected = "$REPORTS_HEADERS: there are several destinations (server, dumps), and a header may be"
            #expect(error?.message.hasPrefix(expected) == true, "\(String(describing: error))")
            let header = try HeaderSetting(line: "B: secret", from: .option("--header"))
            let option = #expect(throws: ReportsError.self) { try place.settings(environment, headers: [header]) }
            #expect(option?.code == .badArgument && option?.message.hasPrefix("--header: ") == true)
            let mine = try place.settings(environment, [.endpoint: "http://mine/"], headers: [header])
            #expect(mine.main.headers.map(\.name) == ["B"])
        }
        try withSettingsPlace(#"{"destinations": {"a": {"endpoint": "http://a/", "headers": {"A": "1"}}}}"#) { place in
            let file = try place.settings()
            #expect(file.main.headers.map(\.name) == ["A"])
            let variable = try place.settings(["REPORTS_HEADERS": "B: 2"])
            #expect(variable.main.headers.map(\.name) == ["B"])
        }
    }

    @Test("nothing of it is read where only the spool is asked for, and nothing there can be wrong")
    func spoolAlone() throws {
        let json = #"""
            {"max_count": 5, "endpoint": 1, "headers": 2, "destinations": {"A B": 3}, "routes": [{"to": "nowhere"}],
             "encoding": "zip"}
            """#
        try withSettingsPlace(json) { place in
            #expect(throws: ReportsError.self) { try place.settings() }
            let settings = try place.settingsOfSpool()
            #expect(settings.limits.maximumCount == 5)
            #expect(settings.destinations.map(\.name) == ["main"] && settings.routes == nil)
        }
    }

    @Test("routes behind one that matches all, and destinations without reports, are told and are no slips")
    func idle() throws {
        let destinations = #""destinations": {"a": {"endpoint": "http://a/"}, "b": {"endpoint": "http://b/"}}"#
        func hints(_ routes: String) throws -> [String] {
            var hints: [String] = []
            try withSettingsPlace("{\(destinations), \"routes\": \(routes)}") { place in
                hints = try place.settings().routingHints.map { $0.replacing(place.file + ": ", with: "") }
            }
            return hints
        }
        func none(_ name: String) -> String { "no route leads to the destination \(name): no report goes there" }
        #expect(try hints("[]") == [none("b")])
        #expect(try hints(#"[{"kinds": "log", "to": "b"}]"#) == [])
        #expect(try hints(#"[{"to": "b"}]"#) == [none("a")])
        #expect(try hints(#"[{"kinds": "log", "to": "a"}, {"hold": true}]"#) == [none("b")])
        #expect(
            try hints(#"[{"to": "a"}, {"to": "b"}]"#) == [
                "line 1, column 108: routes[1]: matches no report: routes[0], which stands before it, matches all",
                none("b"),
            ])
    }

    @Test("a format that this version does not know is told and is no slip, unless it is nearly one that it knows")
    func formats() throws {
        let json = #"{"destinations": {"a": {"endpoint": "http://a/"}}, "routes": [{"formats": FORMATS, "to": "a"}]}"#
        func place(_ formats: String, _ body: (SettingsPlace) throws -> Void) throws {
            try withSettingsPlace(json.replacing("FORMATS", with: formats), body)
        }
        try place(#"["minidump", "minidump (damaged)", "wasm-trap-of-2031"]"#) { place in
            let words = try place.settings().routingHints
            #expect(
                words == [
                    "\(place.file): line 1, column 110: routes[0].formats[2]: no report has the format "
                        + "\"wasm-trap-of-2031\" as far as this version knows"
                ])
        }
        try place(#""minidmp""#) { place in
            let problem = try place.problem()
            #expect(
                problem
                    == #"line 1, column 75: routes[0].formats: there is no format "minidmp": did you mean minidump?"#)
        }
    }
}
