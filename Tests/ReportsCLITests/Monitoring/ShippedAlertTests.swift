import Foundation
import TestSupport
import Testing

@Suite("The alerts and units that are shipped", .timeLimit(.minutes(5)))
struct ShippedAlertTests {
    static let examples = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Examples")

    @Test("the rules ask for no metric that is not written")
    func rulesNames() async throws {
        let rules = try String(
            contentsOf: Self.examples.appending(path: "prometheus/reports.rules.yml"), encoding: .utf8)
        let asked = Set(rules.matches(of: /\breports_[a-z_]+/).map { String($0.output) })
        #expect(asked.count > 10)
        let source = Self.examples.appending(path: "../Sources/Reports/Inspection/Monitoring/SpoolMetrics.swift")
        let written = try String(contentsOf: source, encoding: .utf8)
        for name in asked { #expect(written.contains("\"\(name)\""), "\(name)") }
    }

    @Test(
        "each trouble raises one alert, and its end ends it",
        .enabled(if: MetricsToolTests.hasPromtool, "needs promtool"),
        arguments: [["check", "rules", "reports.rules.yml"], ["test", "rules", "reports.rules.test.yml"]])
    func promtoolRules(arguments: [String]) async throws {
        let folder = Self.examples.appending(path: "prometheus").standardizedFileURL.path
        let words = arguments.dropLast() + [folder + "/" + (arguments.last ?? "")]
        let result = try await runAsynchronously("promtool", Array(words))
        #expect(result.status == 0, "\(result.output)\(result.errors)")
        #expect((result.output + result.errors).contains("SUCCESS"))
    }

    @Test("the units' check fails with every status but 0, and the figures are written where the collector reads")
    func units() throws {
        func lines(_ name: String) throws -> [String] {
            try String(contentsOf: Self.examples.appending(path: "systemd/\(name)"), encoding: .utf8)
                .split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
        }
        let check = try lines("reports-check.service")
        #expect(check.contains { $0.hasPrefix("ExecStart=") && $0.hasSuffix("/reports check") })
        #expect(!check.contains { $0.hasPrefix("SuccessExitStatus") })
        let metrics = try lines("reports-metrics.service")
        #expect(metrics.contains { $0.hasSuffix("/reports metrics --output %t/reports-metrics/reports.prom") })
        #expect(metrics.contains("RuntimeDirectoryPreserve=yes"))
        #expect(try lines("reports-check.timer").contains("OnUnitActiveSec=1h"))
    }
}
