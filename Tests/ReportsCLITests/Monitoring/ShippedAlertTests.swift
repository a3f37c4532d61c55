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

    // MARK: - The message

    /// The shell program of the unit that tells of a failure, as systemd gives it to the shell.
    private func tellingProgram() throws -> String {
        let unit = try ShippedFiles.text("Examples/debian/examples/reports-tell-me@.service")
        let joined = unit.replacing("\\\n", with: " ")
        let line = try #require(joined.split(separator: "\n").first { $0.hasPrefix("ExecStart=") })
        let match = try #require(line.wholeMatch(of: /ExecStart=:\/bin\/sh -c '([^']*)'/))
        let program = String(match.1)
        return program.replacing("%%", with: "\u{0}").replacing("%i", with: "reports-check.service")
            .replacing("%H", with: "host").replacing("\u{0}", with: "%").replacing("\\\\", with: "\\")
    }

    /// Runs it with a journal of two failed runs, and gives what each program was told that delivers messages.
    private func tell(invocation: String?, programs: [String]) async throws -> String {
        var told = ""
        try await withTool { tool in
            var tool = tool
            let journal = """
                #!/bin/sh
                echo "journalctl $*" >> "$home/calls"
                old() { echo 'REPORTS CRITICAL - old | held=1'; }
                new() { printf '%s\\n' 'a line | of the runtime' 'REPORTS CRITICAL - 1 report held\\n (auth) | held=1'; }
                case "$*" in
                *_SYSTEMD_INVOCATION_ID=1*) old ;;
                *_SYSTEMD_INVOCATION_ID=2*) new ;;
                *_SYSTEMD_INVOCATION_ID=3*) ;;
                *"-u reports-check.service"*) old; new; echo 'reports-check.service: Failed with result.' ;;
                esac
                """
            try FileManager.default.createDirectory(atPath: tool.home + "/bin", withIntermediateDirectories: false)
            for name in ["sh", "grep", "tail", "cat"] {
                try FileManager.default.createSymbolicLink(
                    atPath: tool.home + "/bin/" + name, withDestinationPath: "/bin/" + name)
            }
            try tool.file("bin/journalctl", journal)
            for name in programs {
                let input = name == "mail" ? #"$(cat)"# : ""
                try tool.file("bin/" + name, "#!/bin/sh\nprintf '%s\\n' \"\(name) $* \(input)\" >> \"$home/told\"\n")
            }
            for name in programs + ["journalctl"] { chmod(tool.home + "/bin/" + name, 0o755) }
            try tool.file("program", try tellingProgram())
            tool.environment["PATH"] = tool.home + "/bin"
            tool.environment["MONITOR_INVOCATION_ID"] = invocation
            let result = try await tool.shell("sh \"$home/program\"")
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.errors == "")
            told = try String(contentsOfFile: tool.home + "/told", encoding: .utf8)
        }
        return told
    }

    private static let line = "REPORTS CRITICAL - 1 report held\\n (auth) | held=1"

    @Test("the line of the run that failed is mailed, with and without the run's name", arguments: ["2", nil])
    func mail(invocation: String?) async throws {
        let told = try await tell(invocation: invocation, programs: ["mail", "logger", "wall"])
        #expect(told == "mail -s reports-check.service failed on host root \(Self.line)\n")
    }

    @Test("a run that printed nothing is told of, and not with the line of another")
    func silent() async throws {
        let told = try await tell(invocation: "3", programs: ["mail"])
        #expect(told.hasSuffix(" root it printed nothing: see journalctl -u reports-check.service\n"))
    }

    @Test("where there is no mail, the journal and the terminals have the line")
    func noMail() async throws {
        let told = try await tell(invocation: "2", programs: ["logger", "wall"])
        #expect(
            told.split(separator: "\n") == [
                "logger -p daemon.alert -t reports-tell-me reports-check.service failed: \(Self.line) ",
                "wall reports-check.service failed on host: \(Self.line) ",
            ])
    }

    @Test("the drop-ins change what they say, and keep the start after the boot")
    func dropIns() throws {
        func settings(_ name: String) throws -> [Substring] {
            try ShippedFiles.text("Examples/debian/examples/\(name)").split(separator: "\n").filter {
                !$0.hasPrefix("#")
            }
        }
        #expect(
            try settings("reports-check-override.conf") == [
                "[Unit]", "OnFailure=reports-tell-me@%n.service", "[Service]", "ExecStart=",
                "ExecStart=/usr/bin/reports check --max-age 10m",
            ])
        #expect(
            try settings("reports-check-timer-override.conf") == [
                "[Timer]", "OnUnitActiveSec=", "OnBootSec=5min", "OnUnitActiveSec=5min",
            ])
    }
}
