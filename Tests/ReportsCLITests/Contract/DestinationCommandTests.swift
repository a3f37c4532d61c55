import Foundation
import TestSupport
import Testing

/// Several destinations in `reports.json`, as the tool uses and tells them.
@Suite("Destinations of the tool", .timeLimit(.minutes(10)))
struct DestinationCommandTests {
    private func configure(_ tool: ReportsTool, _ json: String) throws {
        try FileManager.default.createDirectory(
            atPath: tool.spool, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try json.write(toFile: tool.spool + "/reports.json", atomically: true, encoding: .utf8)
    }

    private static let two = #"""
        {"destinations": {
            "server": {"endpoint": "https://server.example/{id}?key=hidden", "headers": {"Authorization": "hidden"}},
            "dumps": {"endpoint": "http://127.0.0.1:9/{id}", "proxy": "http://u:hidden@127.0.0.1:1"}},
         "routes": [{"kinds": "crash", "to": "dumps"}, {"hold": true}]}
        """#

    @Test("settings and status show each destination and each route, and no secret")
    func shown() async throws {
        try await withTool { tool in
            try configure(tool, Self.two)
            let objects = try await tool.objects("settings")
            let rows = Dictionary(objects.map { ($0["name"]?.stringValue ?? "", $0) }) { first, _ in first }
            let endpoint = rows["destinations.server.endpoint"]
            #expect(endpoint?["value"]?.stringValue == "https://server.example/{id}?***")
            #expect(endpoint?["source"]?.stringValue == tool.spool + "/reports.json")
            #expect(rows["destinations.server.headers.Authorization"]?["value"]?.stringValue == "***")
            #expect(rows["destinations.dumps.proxy"]?["value"]?.stringValue == "http://***@127.0.0.1:1")
            #expect(rows["destinations.dumps.encoding"]?["default"]?.stringValue == "gzip")
            let route = rows["routes[0]"]
            #expect(route?["value"]?.stringValue == "kind crash: to dumps")
            #expect(route?["route"]?["kinds"]?.arrayValue?.first?.stringValue == "crash")
            #expect(route?["route"]?["to"]?.stringValue == "dumps")
            #expect(rows["routes[1]"]?["route"]?["hold"] == .bool(true))
            #expect(rows["endpoint"] == nil)
            #expect(!"\(objects)".contains("hidden"))

            let text = try await tool.run("settings").output
            #expect(text.contains("destinations.dumps.endpoint") && text.contains("kind crash: to dumps"))
            #expect(!text.contains("hidden"))

            let status = try await tool.run("status")
            #expect(status.status == 0 && !status.output.contains("hidden"), "\(status.errors)")
            #expect(status.output.contains("routes[1]:  all: hold  (\(tool.spool)/reports.json)"))
            #expect(status.output.contains("route to dumps:  http://***@127.0.0.1:1  (\(tool.spool)/reports.json)"))
            #expect(!status.output.contains("endpoint:  none"))
            let json = try #require(try await tool.objects("status").first)
            #expect(json["settings"]?["routes[0]"]?["value"]?.stringValue == "kind crash: to dumps")
            #expect(json["connections"]?["dumps"]?["value"]?.stringValue == "http://***@127.0.0.1:1")
            #expect(json["connections"]?["server"]?["value"]?.stringValue == "direct")
            #expect(json["route"] == .null && !"\(json)".contains("hidden"))
        }
    }

    @Test("settings say which proof of receipt a kind of destination demands by itself")
    func ownProof() async throws {
        try await withTool { tool in
            // Without the spool there is nothing to show.
            try configure(tool, "{}")
            for (endpoint, proof) in [
                ("https://h.example/{id}", String?.none), ("otlp+https://h.example", nil),
                ("s3://bucket?region=r", "own: the ETag or the id of S3"),
                ("sentry+https://key@h.example/1", "own: the id of the event"),
                ("minidump+https://h.example/", "own: CrashID= in the answer"),
            ] {
                let row = try await tool.objects("settings", "--endpoint", endpoint).first {
                    $0["name"]?.stringValue == "acknowledgement"
                }
                #expect(row?["value"]?.stringValue == proof, "\(endpoint)")
                #expect(row?["default"]?.stringValue == proof, "\(endpoint)")
            }
            let set = try await tool.run(
                "settings", "--endpoint", "sentry+https://key@h.example/1", "--acknowledgement", "any")
            let lines = set.output.split(separator: "\n").filter { $0.hasPrefix("acknowledgement ") }
            let words = lines.map { $0.split(separator: " ").map(String.init) }
            #expect(words == [["acknowledgement", "any", "--acknowledgement"]], "\(set.output)")
        }
    }

    @Test("a slip ends a command with its place; retry tells it and goes on; add takes no notice")
    func slips() async throws {
        try await withTool { tool in
            let id = try await tool.add("one")
            try configure(
                tool, #"{"destinations": {"a": {"endpoint": "http://127.0.0.1:9/"}}, "routes": [{"to": "b"}]}"#)
            let place = "\(tool.spool)/reports.json: line 1, column 80: routes[0].to: there is no destination \"b\""
            for command in ["submit", "settings", "status"] {
                let result = try await tool.run(command)
                #expect(result.status == 78 && result.errors.contains(place), "\(command): \(result.errors)")
            }
            #expect(try await tool.run("check").output.contains("there is no destination"))
            let retry = try await tool.run("retry", id)
            #expect(retry.status == 0 && retry.output == id + "\n", "\(retry.errors)")
            #expect(retry.errors.contains(place))
            #expect(retry.errors.contains(": the destinations and routes of the settings are not used"))
            let added = try await tool.run("add", tool.file("two", "two"))
            #expect(added.status == 0 && added.errors.isEmpty, "\(added.errors)")
        }
    }

    @Test("with several destinations a header of the caller is refused, for it would go to all")
    func headers() async throws {
        try await withTool { tool in
            try configure(tool, Self.two)
            for command in ["submit", "settings"] {
                let option = try await tool.run(command, "--header", "A: hidden")
                #expect(option.status == 64 && option.output.isEmpty)
                #expect(option.errors.contains("--header: there are several destinations (server, dumps)"))
                var other = tool
                other.environment["REPORTS_HEADERS"] = "A: hidden"
                let variable = try await other.run(command)
                #expect(variable.status == 78 && variable.errors.contains("$REPORTS_HEADERS: there are several"))
                #expect(!(option.errors + variable.errors).contains("hidden"))
            }
        }
    }

    @Test("what a bucket needs besides its endpoint is asked for by submit alone, before it sends")
    func surroundings() async throws {
        try await withTool { tool in
            let id = try await tool.add("one")
            try configure(tool, #"{"destinations": {"b": {"endpoint": "s3://bucket/"}}}"#)
            let submit = try await tool.run("submit")
            #expect(submit.status == 78 && submit.errors.contains("the destination b: the endpoint names no region"))
            #expect(try await tool.show(id)["attempts"]?.integerValue == 0)
            // Beside another one it keeps only its own reports.
            try configure(
                tool,
                #"{"destinations": {"a": {"endpoint": "http://127.0.0.1:9/"}, "b": {"endpoint": "s3://bucket/"}}}"#)
            let both = try await tool.run("submit")
            #expect(both.status == 75 && both.errors.contains("the destination b: the endpoint names no region"))
            #expect(both.errors.contains("its reports wait"))
            #expect(try await tool.show(id)["attempts"]?.integerValue == 1)
            for words in [["settings"], ["status"], ["retry", id]] {
                let result = try await tool.run(words)
                #expect(result.status == 0 && !result.errors.contains("region"), "\(words): \(result.errors)")
            }
        }
    }

    @Test("a report goes where the routes lead, and with --endpoint to that address, without the file's headers")
    func submit() async throws {
        let script = ServerScript.always(.response(201))
        try await withTool(server: script) { tool, server in
            try configure(
                tool,
                #"""
                {"destinations": {
                    "one": {"endpoint": "\#(server.url("/one/{id}"))", "headers": {"X-One": "1"}},
                    "two": {"endpoint": "\#(server.url("/two/{id}"))", "headers": {"X-Two": "2"}}},
                 "routes": [{"kinds": "hang", "to": "two"}]}
                """#)
            let crash = try await tool.run("add", tool.file("a", "a"), "--kind", "crash")
            let hang = try await tool.run("add", tool.file("b", "b"), "--kind", "hang")
            #expect(crash.status == 0 && hang.status == 0)
            let result = try await tool.run("submit")
            #expect(result.status == 0 && result.output == "delivered 2\n", "\(result.errors)")
            let requests = server.requests.sorted { $0.target < $1.target }
            #expect(requests.map { $0.target.prefix(5) } == ["/one/", "/two/"])
            #expect(requests.map { $0.headers["X-One"] ?? "-" } == ["1", "-"])
            #expect(requests.map { $0.headers["X-Two"] ?? "-" } == ["-", "2"])

            let other = try await tool.run("add", tool.file("c", "c"), "--kind", "hang")
            #expect(other.status == 0)
            let mine = try await tool.run("submit", "--endpoint", server.url("/mine/{id}"))
            #expect(mine.output == "delivered 1\n", "\(mine.errors)")
            let last = try #require(server.requests.last)
            #expect(last.target.hasPrefix("/mine/") && last.headers["X-Two"] == nil)
        }
    }
}
