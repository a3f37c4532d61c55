import Foundation
import Glibc
import Reports
import TestSupport
import Testing

/// The tool and its configuration: where it is found, what it does, and what the tool says about it.
@Suite("Configuration", .timeLimit(.minutes(10)))
struct ConfigurationTests {
    private func configure(_ tool: ReportsTool, _ json: String) throws {
        try FileManager.default.createDirectory(
            atPath: tool.spool, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try json.write(toFile: tool.spool + "/reports.json", atomically: true, encoding: .utf8)
    }

    @Test("submit needs no option when the file in the spool names the endpoint")
    func fileAlone() async throws {
        try await withTool(server: .accepting) { tool, server in
            try configure(
                tool,
                """
                {"endpoint": "\(server.url("/file/{id}"))", "encoding": "identity",
                 "headers": {"Authorization": {"file": "../token"}, "X-Key": {"environment": "KEY"}}}
                """)
            try "Bearer secret\n".write(toFile: tool.home + "/token", atomically: true, encoding: .utf8)
            var tool = tool
            tool.environment["KEY"] = "abc"
            let id = try await tool.add("one")
            let result = try await tool.run("submit")
            #expect(result.status == 0, "\(result.errors)")
            let request = try #require(server.requests.first)
            #expect(request.target == "/file/\(id)")
            #expect(request.text == "one")
            #expect(request.headers["Authorization"] == "Bearer secret")
            #expect(request.headers["X-Key"] == "abc")

            // The environment is stronger, and the command line is the strongest.
            tool.environment["REPORTS_ENDPOINT"] = server.url("/variable/{id}")
            try await tool.add("two")
            #expect(try await tool.run("submit").status == 0)
            #expect(server.requests.last?.target.hasPrefix("/variable/") == true)
            try await tool.add("three")
            #expect(
                try await tool.run("submit", "--endpoint", server.url("/option/{id}"), "--encoding", "gzip").status == 0
            )
            #expect(server.requests.last?.target.hasPrefix("/option/") == true)
            #expect(server.requests.last?.headers["Content-Encoding"] == "gzip")
            let doctor = try await tool.run("doctor")
            #expect(doctor.status == 0, "\(doctor.output)")
        }
    }

    @Test("status shows what is in force and where it comes from, and no secret")
    func status() async throws {
        try await withTool { tool in
            try configure(
                tool,
                """
                {"endpoint": "https://server.example/{id}?key=hidden", "headers": {"Authorization": "hidden"},
                 "max_total_size": "1 GiB"}
                """)
            var tool = tool
            tool.environment["https_proxy"] = "http://user:hidden@proxy.example:3128"
            tool.environment["REPORTS_TLS_MINIMUM"] = "1.3"
            let text = try await tool.run("status")
            #expect(text.status == 0, "\(text.errors)")
            let file = tool.spool + "/reports.json"
            for line in [
                "endpoint:  https://server.example/{id}?***  (\(file))", "headers.Authorization:  ***  (\(file))",
                "max_total_size:  1 GiB  (\(file))", "tls_minimum:  1.3  ($REPORTS_TLS_MINIMUM)",
                "route:  http://***@proxy.example:3128  ($https_proxy)",
            ] {
                #expect(text.output.split(separator: "\n").contains(Substring(line)), "\(line)\n\(text.output)")
            }
            let object = try #require(try await tool.objects("status").first)
            let settings = try #require(object["settings"])
            #expect(settings["max_total_size"]?["source"]?.stringValue == file)
            #expect(settings["connect_timeout"]?["value"]?.stringValue == "5")
            #expect(settings["connect_timeout"]?["source"]?.stringValue == "default")
            #expect(object["settings_problem"] == .null)
            #expect(object["route"]?["value"]?.stringValue == "http://***@proxy.example:3128")
            #expect(object["route"]?["source"]?.stringValue == "$https_proxy")
            #expect(!"\(text.output)\(object)".contains("hidden"))
        }
    }

    @Test("a proxy that is none is shown as none, and not used")
    func noProxy() async throws {
        try await withTool(server: .accepting) { tool, server in
            var tool = tool
            tool.environment["http_proxy"] = "http://127.0.0.1:9"
            try configure(tool, "{\"endpoint\": \"\(server.url("/{id}"))\", \"proxy\": \"none\"}")
            try await tool.add("direct")
            #expect(try await tool.run("submit").status == 0)
            let file = tool.spool + "/reports.json"
            let text = try await tool.run("status").output
            for line in ["proxy:  none  (\(file))", "route:  direct  (\(file))"] {
                #expect(text.split(separator: "\n").contains(Substring(line)), "\(text)")
            }
            let object = try #require(try await tool.objects("status").first)
            #expect(object["settings"]?["proxy"]?["value"]?.stringValue == "none")
            #expect(object["route"]?["value"]?.stringValue == "direct")
        }
    }

    @Test("the limits in force are shown with their numbers, also those that are shares of the file system")
    func limitsInForce() async throws {
        try await withTool { tool in
            try await tool.add("one")
            let settings = try #require(try await tool.objects("status").first?["settings"])
            let total = try #require(settings["max_total_size"]?["value"]?.stringValue.flatMap(UInt64.init))
            #expect((64 << 20...16 << 30).contains(total))
            let floor = settings["min_free_space"]?["value"]?.stringValue ?? ""
            #expect(UInt64(floor.prefix { $0.isNumber }).map { $0 <= 64 << 20 } == true, "\(floor)")

            try configure(tool, #"{"max_total_size": "3 GiB", "min_free_space": "1 MiB", "max_age_days": 5}"#)
            let line = "limits:  4.0 GiB a report, 3.0 GiB in all, 200000 reports, 5 days, 1.0 MiB left free"
            let text = try await tool.run("status").output
            #expect(text.split(separator: "\n").contains(Substring(line)), "\(text)")
        }
    }

    @Test("a variable that resembles a setting's is named by what would have used it")
    func strayVariable() async throws {
        try await withTool { tool in
            var tool = tool
            try await tool.add("one")
            tool.environment["REPORTS_ENDPONT"] = "http://127.0.0.1:9/{id}"
            let hint = "$REPORTS_ENDPONT is set, and no such setting exists: did you mean $REPORTS_ENDPOINT?"
            let submit = try await tool.run("submit")
            #expect(submit.status == 78)
            #expect(submit.errors.hasPrefix("reports: \(hint)\n"))
            let status = try await tool.run("status")
            #expect(status.status == 0 && status.errors == "reports: \(hint)\n")
            let doctor = try await tool.run("doctor")
            #expect(doctor.status == 0 && doctor.output == "note: settings: \(hint)\n")
        }
    }

    @Test("a slip in it is told, with 78, by all that would act on it; what is added is stored all the same")
    func slip() async throws {
        try await withTool(server: .accepting) { tool, server in
            let id = try await tool.add("before")
            try configure(tool, #"{"max_count": "many"}"#)
            let problem =
                "\(tool.spool)/reports.json: line 1, column 15: max_count: expected a number from 1 to 100000000, "
                + "found \"many\""
            for arguments in [
                ["submit", "--endpoint", server.url("/{id}")], ["retry", id], ["remove", id], ["status"],
            ] {
                let result = try await tool.run(arguments)
                #expect(result.status == 78, "\(arguments)")
                #expect(result.errors.contains(problem), "\(arguments): \(result.errors)")
            }
            #expect(server.connectionCount == 0)
            let added = try await tool.run(["add", "-"], input: Array("evidence".utf8))
            #expect(added.status == 78)
            #expect(added.errors.contains(problem))
            #expect(try await tool.objects("list").count == 2)
            let doctor = try await tool.run("doctor")
            #expect(doctor.status == 65)
            #expect(doctor.output.contains(problem))
        }
    }

    @Test("what is wrong about sending does not stop what sends nothing, and its limits are kept")
    func slipAboutSending() async throws {
        try await withTool { tool in
            let id = try await tool.add("before")
            try configure(tool, #"{"endpoint": {"environment": "NONE"}, "proxy": "ftp://p", "max_report_size": 10}"#)
            let large = try await tool.run(["add", "-"], input: Array("much too large".utf8))
            #expect(large.status == 73, "\(large.errors)")
            #expect(try await tool.run(["add", "-"], input: Array("small".utf8)).status == 0)
            #expect(try await tool.run("retry", id).status == 0)
            #expect(try await tool.run("remove", id).status == 0)
            #expect(try await tool.run("submit").status == 78)
            #expect(try await tool.run("status").status == 78)
        }
    }

    @Test(
        "root reads what its environment names as root, and the file in another user's spool as that user",
        .enabled(if: OtherUser.isAvailable, "needs root and setpriv"))
    func otherUsersSpool() async throws {
        try await OtherUser.withTool { tool in
            #expect(try await OtherUser.run(tool, ["add", "/etc/hostname"]).status == 0)
            let token = try tool.file("root-only", "secret")
            let named = try tool.file(
                "named.json", #"{"endpoint": "http://127.0.0.1:9/", "headers": {"A": {"file": "root-only"}}}"#)
            for path in [token, named] { chmod(path, 0o600) }
            var tool = tool
            tool.environment["REPORTS_CONFIG"] = named
            let status = try await tool.run("status")
            #expect(status.status == 0, "\(status.errors)")
            #expect(status.output.contains("headers.A:  ***"))

            tool.environment["REPORTS_CONFIG"] = nil
            let inSpool = tool.spool + "/reports.json"
            try #"{"endpoint": "http://127.0.0.1:9/", "headers": {"A": {"file": "\#(token)"}}}"#
                .write(toFile: inSpool, atomically: true, encoding: .utf8)
            let refused = try await tool.run("submit")
            #expect(refused.status == 78)
            #expect(refused.errors.contains("headers.A: \(token): Permission denied"), "\(refused.errors)")
        }
    }

    @Test("limits of the file are kept by whoever collects and by whoever submits")
    func limits() async throws {
        let nobody = try RefusingPort()
        try await withTool { tool in
            try configure(tool, #"{"max_report_size": 10, "max_count": 3, "connect_timeout": 1}"#)
            let large = try await tool.run(["add", "-"], input: Array("much too large".utf8))
            #expect(large.status == 73, "\(large.errors)")
            for number in 0..<6 { try await tool.add("n \(number)") }
            let submit = try await tool.run("submit", "--endpoint", nobody.url("/{id}"))
            #expect(submit.status == 65)
            #expect(submit.output.contains("evicted 3"), "\(submit.output)")
            let evicted = try await tool.objects("list", "--state", "evicted")
            #expect(evicted.count == 3)
            #expect(evicted.allSatisfy { $0["reason"]?.stringValue == "limit: max_count" })
        }
    }
}
