import Diagnosis
import Foundation
import TestSupport
import Testing

/// What the tool prints of several destinations.
@Suite("Destinations as the tool tells of them", .timeLimit(.minutes(5)))
struct DestinationTellingTests {
    /// A tool with these destinations, and routes as they stand in the file.
    private func tool(
        _ tool: ReportsTool, _ endpoints: [(name: String, url: String)], routes: String
    ) throws -> ReportsTool {
        let destinations = endpoints.map { #""\#($0.name)": {"endpoint": "\#($0.url)"}"# }.joined(separator: ", ")
        var tool = tool
        tool.environment["REPORTS_CONFIG"] = try tool.file(
            "reports.json", #"{"destinations": {\#(destinations)}, "routes": [\#(routes)]}"#)
        return tool
    }

    /// A spool with a report for the destination `archive`, whose server fails, and one that `main` has taken.
    private func withOneDown(_ body: (ReportsTool, LoopbackServer, _ stuck: String) async throws -> Void) async throws {
        try await withTool(server: .always(.response(500))) { plain, down in
            let well = try LoopbackServer(.accepting)
            defer { well.stop() }
            let tool = try tool(
                plain, [("main", well.url("/{id}")), ("archive", down.url("/{id}"))],
                routes: #"{"kinds": ["log"], "to": "archive"}"#)
            let stuck = try await tool.add("for the archive", "--kind", "log")
            try await tool.add("for main", "--kind", "hang")
            let result = try await tool.run("submit")
            #expect(result.status == 75)
            let words = "archive: http://127.0.0.1:\(down.port): backing off: the server answered 500\n"
            #expect(result.output.hasSuffix(words), "\(result.output)")
            try await body(tool, down, stuck)
        }
    }

    @Test("list has a column for the destination only if a report goes elsewhere than to main")
    func columns() async throws {
        try await withTool(server: .accepting) { plain, server in
            try await plain.add("at main", "--kind", "hang")
            #expect(try await plain.submit(to: server).status == 0)
            #expect(try await !plain.run("list").output.contains("DESTINATION"))
            let tool = try tool(plain, [("a-long-name-of-one", server.url("/{id}"))], routes: "")
            try await tool.add("one", "--kind", "log", "--annotate", "service=shop")
            #expect(try await tool.run("submit").status == 0)
            try await tool.add("two", "--kind", "log")
            let table = try await tool.run("list").output
            #expect(table.contains("  DESTINATION   SERVICE           SUMMARY\n"), "\(table)")
            #expect(table.contains("  a-long-name…  shop              one\n"), "\(table)")
            #expect(table.contains("  -             -                 two\n"), "\(table)")
            #expect(table.contains("  main          -                 at main\n"), "\(table)")
            let groups = try await tool.run("list", "--group").output
            #expect(groups.contains("  DESTINATION   SERVICE           SUMMARY\n"), "\(groups)")
            #expect(groups.contains("  a-long-name…  shop              "), "\(groups)")
        }
    }

    @Test("list --destination has the reports of one destination, and refuses what is no name")
    func selection() async throws {
        try await withOneDown { tool, _, stuck in
            let objects = try await tool.objects("list", "--destination", "archive")
            #expect(objects.map { $0["id"]?.stringValue } == [stuck])
            #expect(objects.map { $0["destination"]?.stringValue } == ["archive"])
            #expect(try await tool.objects("list", "--destination", "main").count == 1)
            #expect(try await tool.run("list", "--destination", "nobody").output == "no reports\n")
            for name in ["Archive", "a b", "", "@http://h"] {
                let result = try await tool.run("list", "--destination", name)
                #expect((result.status, result.output) == (64, ""), "\(name)")
                #expect(result.errors.contains("give 1 to 32 of a-z, 0-9 and -"), "\(result.errors)")
            }
        }
    }

    @Test("show names the destination and its server, and how that stands if it is closed")
    func show() async throws {
        try await withOneDown { tool, down, stuck in
            let lines = try await tool.run("show", stuck).output.split(separator: "\n")
            #expect(lines.contains("destination: archive, http://127.0.0.1:\(down.port)"), "\(lines)")
            #expect(
                lines.contains(
                    "server:     closed, backing off, one report is tried at each submit: the server answered 500"))
            let delivered = try await tool.objects("list", "--state", "delivered").first?["id"]?.stringValue
            let words = try await tool.run("show", try #require(delivered)).output
            #expect(words.contains("\ndestination: main\n") && !words.contains("\nserver:"))
            // A run without routes leaves the report to others.
            let left = try await tool.run("submit", "--endpoint", down.url("/{id}"))
            #expect(left.status == 75)
            let next = "\nnext:       sent by a run that has the destination archive; 'reports retry' asks the "
            #expect(try await tool.run("show", stuck).output.contains(next))
        }
    }

    @Test("status has a block for each destination if there are several, and says which the settings do not name")
    func status() async throws {
        try await withOneDown { tool, down, _ in
            let lines = try await tool.run("status").output.split(separator: "\n").map(String.init)
            let index = try #require(lines.firstIndex { $0.hasPrefix("destination main:") }, "\(lines)")
            #expect(lines[index].hasPrefix("destination main:  http://127.0.0.1:") && lines[index].hasSuffix(", open"))
            #expect(lines[index + 1].hasPrefix("  delivered:  1  ("))
            #expect(lines[index + 2] == "destination archive:  http://127.0.0.1:\(down.port), closed, backing off")
            #expect(lines[index + 3].hasPrefix("  waiting:  1  ("))
            #expect(lines[index + 4].hasPrefix("  oldest undelivered:  20"))
            #expect(lines[index + 5].hasPrefix("  next due:  20"))
            var tool = tool
            tool.environment["REPORTS_ENDPOINT"] = "http://127.0.0.1:1/{id}"
            let named = try await tool.run("status").output
            #expect(named.contains("backing off; the settings name no destination archive, so that"), "\(named)")
            let object = try #require(try await tool.objects("status").first)
            let found = object["destinations"]?.arrayValue ?? []
            #expect(found.map { $0["destination"]?.stringValue } == ["main", "archive"])
            #expect(found.map { $0["in_settings"] } == [.bool(true), .bool(false)])
            #expect(found.map { $0["open"] } == [.bool(true), .bool(false)])
        }
    }

    @Test("show says what a delivered report was sent without")
    func leftOut() async throws {
        let script = ServerScript { $0.index == 0 ? .response(431) : .response(201) }
        try await withTool(server: script) { tool, server in
            let id = try await tool.add("one", "--annotate", "service=shop")
            #expect(try await tool.submit(to: server).status == 0)
            #expect(server.requests.count == 2)
            let shown = try await tool.run("show", id).output
            #expect(shown.contains("\nreceipt:    201  sent without annotations\n"), "\(shown)")
        }
    }

    @Test("where all goes to main, status says nothing of destinations but in JSON")
    func mainAlone() async throws {
        try await withTool(server: .accepting) { tool, server in
            try await tool.add("one")
            #expect(try await tool.submit(to: server).status == 0)
            #expect(try await !tool.run("status").output.contains("destination"))
            let object = try #require(try await tool.objects("status").first)
            #expect(object["destinations"]?.arrayValue?.map { $0["destination"]?.stringValue } == ["main"])
        }
    }

    @Test("a submit that leaves only what a route holds ends with 0, and counts it apart")
    func heldByRoute() async throws {
        try await withTool(server: .always(.response(403))) { plain, server in
            let tool = try tool(
                plain, [("main", server.url("/{id}"))], routes: #"{"kinds": ["log"], "hold": true}"#)
            let log = try await tool.add("a log", "--kind", "log")
            let result = try await tool.run("submit")
            #expect((result.status, result.output) == (0, "delivered 0, held 1 (1 by a route)\n"))
            let status = try await tool.run("status").output
            #expect(status.contains("held:  1  (") && status.contains("compressed), 1 held by a route\n"), "\(status)")
            let shown = try await tool.run("show", log).output
            #expect(shown.contains("\nstate:      held, route\nnote:       a route keeps it from being sent\n"))
            let next = "next:       no route sends it: change the routes, and the next submit asks them; after "
            #expect(shown.contains(next + "any other change 'reports retry' it\n"), "\(shown)")
            #expect(server.requests.isEmpty)
            // One that the server forbids still wants somebody.
            try await tool.add("forbidden", "--kind", "hang")
            let summary = try await tool.run("submit", "--json")
            #expect(summary.status == 75)
            let object = try #require(try summary.objects.first)
            #expect((object.count("held"), object.count("held_by_route")) == (2, 1))
        }
    }

    @Test("what a destination does not take is told apart from what a route holds")
    func notTaken() async throws {
        try await withTool(server: .accepting) { plain, server in
            let tool = try tool(
                plain, [("dumps", "minidump+" + server.url("/submit"))], routes: #"{"kinds": ["log"], "hold": true}"#)
            try await tool.add("a log", "--kind", "log")
            try await tool.add("a text", "--kind", "crash")
            let result = try await tool.run("submit")
            let words = "held 2 (1 by a route, 1 not taken by its destination)"
            #expect((result.status, result.output) == (0, "delivered 0, \(words)\n"))
            let status = try await tool.run("status").output
            let total = "compressed), 1 held by a route, 1 not taken by its destination\n"
            #expect(status.split(separator: "\n").contains { "\($0)\n".hasSuffix(total) }, "\(status)")
            #expect(status.contains("\n  held:  1  ("), "\(status)")
            #expect(status.contains("compressed), 1 not taken by its destination\n"), "\(status)")
            let object = try #require(try await tool.objects("status").first)
            #expect(object.count("held_by_route") == 2)
        }
    }

    @Test("check names the destination that is late, and doctor the one that no setting names")
    func monitoring() async throws {
        try await withOneDown { tool, down, _ in
            try tamper(
                with: tool.spool + "/ledger.sqlite", "UPDATE transfer SET first_seen_wall=first_seen_wall-93600000;")
            var tool = tool
            tool.environment["REPORTS_ENDPOINT"] = "http://127.0.0.1:1/{id}"
            let check = try await tool.run("check")
            let words = "undelivered for 26 h at archive: http://127.0.0.1:\(down.port): the server answered 500; "
            #expect(check.output.hasPrefix("REPORTS CRITICAL - \(words)"), "\(check.output)")
            let problem = try #require(try await tool.objects("check").first?["problems"]?.arrayValue?.first)
            #expect(problem["destination"]?.stringValue == "archive")
            let doctor = try await tool.run("doctor")
            #expect(doctor.status == 0)
            let note = "note: destination archive: 1 report bound for it, and the settings name no destination "
            #expect(doctor.output.contains(note + "archive: "), "\(doctor.output)")
        }
    }
}
