import Reports
import TestSupport
import Testing

/// What is said of destinations and routes that cannot be: where the slip is, and what belongs there.
@Suite("Slips in destinations and routes")
struct DestinationSlipTests {
    @Test(
        "a slip in destinations is told with line, column, key and what is expected",
        arguments: [
            (
                "[]", #"line 1, column 18: destinations: expected an object of names and destinations, as {"dumps": "#
            ),
            (#""http://a/""#, "line 1, column 18: destinations: expected an object of names and destinations, as"),
            ("{}", #"line 1, column 18: destinations: expected one destination at least, as {"dumps": {"endpoint""#),
            (
                #"{"A B": {"endpoint": "http://a/"}}"#,
                #"line 1, column 19: destinations.A B: a destination's name has 1 to 32 of a-z, 0-9 and -, which "A B""#
            ),
            (#"{"": {"endpoint": "http://a/"}}"#, "destinations.: a destination's name has 1 to 32"),
            (#"{"a": "http://a/"}"#, #"column 24: destinations.a: expected an object, as {"endpoint": "https://…"}"#),
            (#"{"a": {}}"#, #"column 24: destinations.a: has no endpoint: say where its reports go, as "endpoint": "#),
            (
                #"{"a": {"endpont": "http://a/"}}"#,
                "column 25: destinations.a.endpont: there is no member endpont: did you mean endpoint?"
            ),
            (
                #"{"a": {"colour": "red"}}"#,
                "destinations.a.colour: there is no member colour: expected one of headers, endpoint, encoding"
            ),
            (
                #"{"a": {"endpoint": "http://a/", "max_count": 1}}"#,
                "column 50: destinations.a.max_count: max_count is no setting of a destination: write it beside"
            ),
            (#"{"a": {"routes": []}}"#, "destinations.a.routes: routes is no setting of a destination"),
            (
                #"{"a": {"endpoint": "server"}}"#,
                "column 37: destinations.a.endpoint: the endpoint has no scheme: write http:// or https:// in front"
            ),
            (#"{"a": {"endpoint": "ftp://a/secret"}}"#, "destinations.a.endpoint: the endpoint"),
            (
                #"{"a": {"endpoint": "http://a/{name}"}}"#,
                "destinations.a.endpoint: the endpoint has the unknown mark {name}: the marks are"
            ),
            (#"{"a": {"endpoint": 1}}"#, "destinations.a.endpoint: the endpoint has no scheme"),
            (#"{"a": {"endpoint": null}}"#, "destinations.a.endpoint: expected an http"),
            (#"{"a": {"endpoint": {"file": "none"}}}"#, "none: No such file or directory"),
            (#"{"a": {"endpoint": {"environment": "NONE"}}}"#, "destinations.a.endpoint: $NONE is not set"),
            (
                #"{"a": {"endpoint": "http://a/", "encoding": "br"}}"#,
                #"column 62: destinations.a.encoding: expected gzip, file or identity, found "br""#
            ),
            (
                #"{"a": {"endpoint": "http://a/", "proxy": "https://u:secret@p:1"}}"#,
                "destinations.a.proxy: is a proxy reached over TLS"
            ),
            (#"{"a": {"headers": []}}"#, #"destinations.a.headers: expected an object, as {"Authorization""#),
            (
                #"{"a": {"headers": {"Content-Length": "1"}}}"#,
                "destinations.a.headers.Content-Length: Content-Length is set by Reports itself"
            ),
            (#"{"a": {"headers": {"A": "secret\n"}}}"#, "destinations.a.headers.A: the value of A holds control"),
            (
                #"{"a": {"endpoint": "http://a/"}, "a": {"endpoint": "http://b/"}}"#,
                "column 51: destinations.a: is given in line 1 already: leave one of them"
            ),
        ])
    func destinations(json: String, expected: String) throws {
        try withSettingsPlace(#"{"destinations": "# + json + "}") { place in
            let problem = try place.problem()
            #expect(problem.contains(expected), "\(problem)")
            #expect(problem.hasPrefix("line 1, column "), "\(problem)")
            #expect(!problem.contains("secret"), "\(problem)")
            let error = #expect(throws: ReportsError.self) { try place.settings() }
            #expect(error?.code == .badConfiguration)
        }
    }

    @Test(
        "a slip in routes is told with line, column, key and what is expected",
        arguments: [
            ("{}", #"routes: expected a list of routes, as [{"kinds": ["crash"], "to": "dumps"}], found an object"#),
            (#"["a"]"#, #"column 2: routes[0]: expected an object, as {"kinds": ["crash"], "to": "dumps"}, found a"#),
            (
                #"[{"to": "a"}, {"kind": "crash", "to": "a"}]"#,
                "column 16: routes[1].kind: there is no member kind: did you mean kinds?"
            ),
            (#"[{"when": 1}]"#, "routes[0].when: there is no member when: expected one of kinds, formats, annotations"),
            ("[{}]", #"column 2: routes[0]: expected "to": NAME or "hold": true, found neither"#),
            (#"[{"kinds": "log"}]"#, #"routes[0]: expected "to": NAME or "hold": true, found neither"#),
            (#"[{"to": "a", "hold": true}]"#, "column 2: routes[0]: has both to and hold: leave one of them"),
            (#"[{"hold": false}]"#, "column 11: routes[0].hold: expected true, found false: to send them, name a"),
            (#"[{"hold": "yes"}]"#, "routes[0].hold: expected true, found a text"),
            (#"[{"to": true}]"#, "routes[0].to: expected the name of a destination, found true"),
            (#"[{"to": "dmups"}]"#, #"column 9: routes[0].to: there is no destination "dmups": did you mean dumps?"#),
            (#"[{"to": "elsewhere"}]"#, #"routes[0].to: there is no destination "elsewhere": there is a, dumps"#),
            (
                #"[{"kinds": ["log", "crahs"], "to": "a"}]"#,
                #"column 20: routes[0].kinds[1]: there is no kind "crahs": did you mean crash?"#
            ),
            (
                #"[{"kinds": "minidump", "to": "a"}]"#,
                #"column 12: routes[0].kinds: there is no kind "minidump": kinds are crash, hang, diagnostic, log, other"#
            ),
            (#"[{"kinds": [], "to": "a"}]"#, "routes[0].kinds: expected a kind at least: leave kinds out for any"),
            (#"[{"kinds": {}, "to": "a"}]"#, "routes[0].kinds: expected a kind or a list of them, found an object"),
            (#"[{"formats": [null], "to": "a"}]"#, "column 15: routes[0].formats[0]: expected a format, found null"),
            (#"[{"formats": "go-panik", "to": "a"}]"#, #"there is no format "go-panik": did you mean go-panic?"#),
            (
                #"[{"annotations": "shop", "to": "a"}]"#,
                #"routes[0].annotations: expected an object of keys and values, as {"service": "shop"}, found a text"#
            ),
            (#"[{"annotations": {}, "to": "a"}]"#, "routes[0].annotations: expected an object of keys and values"),
            (
                #"[{"annotations": {"a b": "x"}, "to": "a"}]"#,
                #"column 19: routes[0].annotations.a b: "a b" is no annotation key"#
            ),
            (#"[{"annotations": {"a": []}, "to": "a"}]"#, "routes[0].annotations.a: expected a value at least"),
            (
                #"[{"annotations": {"version": ["1", 2.10]}, "to": "a"}]"#,
                "routes[0].annotations.version[1]: expected a text: put the number in quotes"
            ),
            (
                #"[{"annotations": {"a": "x\ny"}, "to": "a"}]"#,
                "routes[0].annotations.a: holds control characters"
            ),
            (#"[{"to": "a", "to": "dumps"}]"#, "column 14: routes[0].to: is given in line 2 already"),
        ])
    func routes(json: String, expected: String) throws {
        let destinations = #"{"a": {"endpoint": "http://a/"}, "dumps": {"endpoint": "http://b/"}}"#
        try withSettingsPlace("{\"destinations\": \(destinations), \"routes\":\n\(json)}") { place in
            let problem = try place.problem()
            #expect(problem.contains(expected), "\(problem)")
            #expect(problem.hasPrefix("line 2, column "), "\(problem)")
        }
    }

    @Test(
        "what cannot stand beside destinations, or without them, is named",
        arguments: [
            (
                #"{"endpoint": "http://a/", "destinations": {"a": {"endpoint": "http://a/"}}}"#,
                "line 1, column 2: endpoint: cannot stand beside destinations: write it into the destination that it is for"
            ),
            (
                #"{"destinations": {"a": {"endpoint": "http://a/"}}, "headers": {"A": "secret"}}"#,
                "line 1, column 52: headers: cannot stand beside destinations: write it into the destination"
            ),
            (
                #"{"endpoint": "http://a/", "routes": [{"to": "a"}]}"#,
                "line 1, column 27: routes: there are no destinations to lead to: name them in destinations"
            ),
            (#"{"destination": {}}"#, "destination: there is no such setting: did you mean destinations?"),
            (#"{"route": []}"#, "route: there is no such setting: did you mean routes?"),
            (#"{destinations: {}}"#, "line 1, column 2: names stand in double quotes: write \"destinations\""),
        ])
    func mixtures(json: String, expected: String) throws {
        try withSettingsPlace(json) { place in
            let problem = try place.problem()
            #expect(problem.hasPrefix(expected) || problem.contains(": " + expected), "\(problem)")
        }
    }
}
