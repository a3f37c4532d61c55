import Foundation
import Reports
import TestSupport
import Testing

@Suite("reports metrics", .timeLimit(.minutes(5)))
struct MetricsToolTests {
    static let hasPromtool = findExecutable("promtool") != nil

    /// The values of a family's samples, by their labels without the spool's.
    private func samples(_ name: String, in text: String) -> [String: String] {
        var samples: [String: String] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix(name + "{") {
            let labels = String(line.dropFirst(name.count).prefix { $0 != "}" } + "}")
            let value = line.split(separator: " ").last ?? ""
            samples[labels.replacing(/spool="[^"]*",?/, with: "")] = String(value)
        }
        return samples
    }

    @Test("the figures of a spool in which something of everything has happened")
    func figures() async throws {
        let script = ServerScript { request in
            switch request.headers["Report-Kind"] {
            case "crash": .response(201)
            case "hang": .response(400)
            default: .response(503, headers: [("Retry-After", "60")])
            }
        }
        try await withTool(server: script) { tool, server in
            for kind in ["crash", "hang", "log"] {
                try await tool.add("a \(kind)", "--kind", kind)
                _ = try await tool.submit(to: server, "--max-concurrent", "1")
            }
            try await tool.add("fresh")
            try tool.drop("dropped", as: "core.1")
            let text = try await tool.run("metrics").output
            let states = samples("reports_spool_reports", in: text)
            #expect(states[#"{state="delivered",destination="main"}"#] == "1")
            #expect(states[#"{state="rejected",destination="main"}"#] == "1")
            #expect(states[#"{state="waiting",destination="main"}"#] == "1")
            #expect(states[#"{state="queued",destination=""}"#] == "1")
            #expect(samples("reports_incoming_drops", in: text) == ["{}": "1"])
            #expect(samples("reports_delivered_total", in: text) == [#"{destination="main"}"#: "1"])
            #expect(samples("reports_evicted_total", in: text).values.allSatisfy { $0 == "0" })
            let origin = #"{origin="http://127.0.0.1:\#(server.port)""#
            #expect(samples("reports_gate_open", in: text) == [origin + "}": "0"])
            #expect(samples("reports_gate_closed", in: text) == [origin + #",reason="asked"}"#: "1"])
            #expect(samples("reports_gate_waiting_reports", in: text) == [origin + "}": "1"])
            #expect(samples("reports_ledger_problem", in: text) == ["{}": "0"])
            #expect(samples("reports_owner_present", in: text) == ["{}": "0"])
            #expect(samples("reports_oldest_undelivered_timestamp_seconds", in: text).count == 1)
            #expect(samples("reports_last_delivery_timestamp_seconds", in: text).count == 1)
            #expect(text.hasSuffix("# EOF\n"))
        }
    }

    @Test("no secret is in it")
    func secrets() async throws {
        try await withTool(server: .always(.response(401))) { tool, server in
            var tool = tool
            tool.environment["REPORTS_ENDPOINT"] = server.url("/{id}?key=query-secret")
            tool.environment["REPORTS_HEADERS"] = "Authorization: Bearer header-secret"
            tool.environment["http_proxy"] = "http://user:proxy-secret@127.0.0.1:9"
            tool.environment["no_proxy"] = "127.0.0.1"
            try await tool.add("one")
            #expect(try await tool.run("submit").status == 75)
            for command in [["metrics"], ["check"], ["check", "--json"]] {
                let result = try await tool.run(command)
                #expect(!(result.output + result.errors).contains("secret"), "\(command)")
                #expect(result.output.contains("held") || result.output.contains("auth"))
            }
        }
    }

    @Test("--output replaces the file whole, and says 73 where it cannot")
    func output() async throws {
        try await withTool { tool in
            try await tool.add("one")
            let file = tool.home + "/reports.prom"
            let written = try await tool.shell("umask 077; $reports metrics --output $home/reports.prom")
            #expect((written.status, written.output) == (0, ""))
            let text = try String(contentsOfFile: file, encoding: .utf8)
            #expect(text.contains("# TYPE reports_delivered_total counter\n") && !text.contains("# EOF"))
            #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o644)
            #expect(try await tool.run("metrics", "--output", file, "--format", "openmetrics").status == 0)
            #expect(try String(contentsOfFile: file, encoding: .utf8).hasSuffix("# EOF\n"))
            for path in ["/nonexistent/reports.prom", "/dev/full", tool.home] {
                let result = try await tool.run("metrics", "--output", path)
                #expect((result.status, result.output) == (73, ""))
                #expect(result.errors.hasPrefix("reports: cannot write the metrics: "))
            }
        }
    }

    @Test("a wrong command line is 64, and a spool that is not there 66")
    func usage() async throws {
        try await withTool { tool in
            #expect(try await tool.run("metrics").status == 66)
            try await tool.add("one")
            for arguments in [["--json"], ["--format", "text"], ["--output", ""]] {
                let result = try await tool.run(["metrics"] + arguments)
                #expect((result.status, result.output) == (64, ""), "\(arguments)")
            }
        }
    }

    @Test("a ledger that another program keeps locked is 69, and the file stays as it was")
    func locked() async throws {
        try await withTool { tool in
            try await tool.add("one")
            let file = try tool.file("reports.prom", "old")
            try await whileLedgerIsLocked(tool.spool + "/ledger.sqlite", "EXCLUSIVE") {
                let result = try await tool.run("metrics", "--output", file)
                #expect(result.status == 69)
            }
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "old")
        }
    }

    @Test("promtool finds no fault with the file", .enabled(if: hasPromtool, "needs promtool"))
    func promtoolMetrics() async throws {
        try await withTool(server: .always(.response(401))) { tool, server in
            try await tool.add("one")
            _ = try await tool.submit(to: server)
            let text = try await tool.run("metrics", "--format", "prometheus").stdout
            let result = try await runAsynchronously("promtool", ["check", "metrics"], input: text)
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output + result.errors == "")
        }
    }
}
