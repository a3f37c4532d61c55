import Diagnosis
import Foundation
import Reports
import TestSupport
import Testing

/// The whole way of an alert through the real programs: the tool's file, node-exporter, Prometheus, the shipped rules.
///
/// Waiting times and ages are shortened in the rules. It takes half a minute and both programs, so that it runs with
/// `REPORTS_ALERTS=1` alone.
@Suite(
    "The way of an alert", .timeLimit(.minutes(5)),
    .enabled(if: ProcessInfo.processInfo.environment["REPORTS_ALERTS"] == "1", "needs REPORTS_ALERTS=1"))
struct AlertChainTests {
    /// What Prometheus is told, and asked.
    private struct Chain {
        let tool: ReportsTool
        let prometheus: PeerProcess

        /// Has the tool write its figures.
        func write() async throws {
            let result = try await tool.run("metrics", "--output", tool.home + "/textfile/reports.prom")
            #expect(result.status == 0, "\(result.errors)")
        }

        func firing() async throws -> [String] {
            let url = "http://127.0.0.1:\(prometheus.port)/api/v1/alerts"
            let answer = try await runAsynchronously("curl", ["-s", url], environment: ["PATH": "/usr/bin:/bin"])
            let alerts = try JSONValue.parse(answer.stdout)["data"]?["alerts"]?.arrayValue ?? []
            return alerts.filter { $0["state"] == .string("firing") }
                .compactMap { $0["labels"]?["alertname"]?.stringValue }.sorted()
        }

        /// Writes the figures and waits for the alerts.
        func expect(_ alerts: [String], location: SourceLocation = #_sourceLocation) async throws {
            try await write()
            try await poll { try await firing() == alerts }
            let found = try await firing()
            #expect(found == alerts, sourceLocation: location)
        }
    }

    private static func shortened(_ rules: String) -> String {
        rules.replacing(/for: [0-9]+[mh]/, with: "for: 0s")
    }

    private func withChain(_ tool: ReportsTool, _ body: (Chain) async throws -> Void) async throws {
        let folder = tool.home + "/textfile"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let rules = ShippedAlertTests.examples.appending(path: "prometheus/reports.rules.yml")
        let text = Self.shortened(try String(contentsOf: rules, encoding: .utf8))
        try await PeerProcess.with("prometheus-node-exporter", endedBy: SIGTERM) { _, port in
            [
                "--collector.disable-defaults", "--collector.textfile", "--collector.textfile.directory=\(folder)",
                "--web.listen-address=127.0.0.1:\(port)",
            ]
        } _: { exporter in
            try await PeerProcess.with("prometheus", endedBy: SIGTERM) { directory, port in
                try text.write(toFile: directory + "/reports.rules.yml", atomically: true, encoding: .utf8)
                try """
                global: {scrape_interval: 200ms, evaluation_interval: 200ms}
                rule_files: [reports.rules.yml]
                scrape_configs:
                  - {job_name: node, static_configs: [{targets: ["127.0.0.1:\(exporter.port)"]}]}
                """.write(toFile: directory + "/prometheus.yml", atomically: true, encoding: .utf8)
                return [
                    "--config.file=\(directory)/prometheus.yml", "--storage.tsdb.path=\(directory)/data",
                    "--web.listen-address=127.0.0.1:\(port)",
                ]
            } _: { prometheus in
                try await body(Chain(tool: tool, prometheus: prometheus))
            }
        }
    }

    @Test("each trouble fires one alert, and its end ends it")
    func chain() async throws {
        let answer = Monitor(401)
        let script = ServerScript { _ in .response(answer.withLock { $0 }) }
        let nobody = try RefusingPort()
        try await withTool(server: script) { tool, server in
            var tool = tool
            tool.environment["REPORTS_ENDPOINT"] = server.url("/{id}")
            var small = tool
            small.environment["REPORTS_MAX_COUNT"] = "1"
            let ledger = tool.spool + "/ledger.sqlite"
            try await tool.add("one")
            try await withChain(tool) { chain in
                try await chain.expect([])
                _ = try await tool.submit(to: server)
                try await chain.expect(["ReportsHeld"])
                answer.withLock { $0 = 201 }
                #expect(try await tool.submit(to: server).status == 0)
                try await chain.expect([])

                try await tool.add("two")
                _ = try await tool.run("submit", "--endpoint", nobody.url("/{id}"))
                try await chain.expect(["ReportsServerFailing"])
                try tamper(with: ledger, "UPDATE transfer SET first_seen_wall=first_seen_wall-90000000")
                try await chain.expect(["ReportsUndelivered"])
                #expect(try await tool.submit(to: server).status == 0)
                try await chain.expect([])

                answer.withLock { $0 = 400 }
                let id = try await tool.add("three")
                #expect(try await tool.submit(to: server).status == 65)
                try await chain.expect(["ReportsParked"])
                answer.withLock { $0 = 201 }
                _ = try await tool.run("retry", id)
                #expect(try await tool.submit(to: server).status == 0)
                try await chain.expect([])

                answer.withLock { $0 = 500 }
                for text in ["four", "five"] { try await tool.add(text) }
                let full = Chain(tool: small, prometheus: chain.prometheus)
                #expect(try await small.submit(to: server).status == 65)
                try await full.expect(["ReportsEvicted", "ReportsServerFailing", "ReportsSpoolFull"])
                answer.withLock { $0 = 201 }
                _ = try await tool.run("retry", "--all")
                #expect(try await small.submit(to: server).status == 0)
                try await full.expect(["ReportsEvicted"])
                try tamper(with: ledger, "UPDATE transfer SET settled_at=settled_at-90000000")
                try await full.expect([])

                try FileManager.default.removeItem(atPath: tool.home + "/textfile/reports.prom")
                try await poll { try await chain.firing() == ["ReportsMetricsMissing"] }
                #expect(try await chain.firing() == ["ReportsMetricsMissing"])
                try await chain.expect([])
            }
        }
    }
}
