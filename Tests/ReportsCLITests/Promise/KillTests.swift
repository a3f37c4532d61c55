import Diagnosis
import Digests
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// The real tool, killed at the n-th system call of `add` and `submit`, then started again.
///
/// Whatever was accepted must arrive: every id that `add --json` had printed, and every complete drop. strace(1) does
/// the killing where it is installed, at calls that a run before has made; elsewhere a timer does.
///
/// `REPORTS_KILLS` says how many kills there are; the default is 60, a full run has 500 or more.
@Suite("Kills at any system call")
struct KillTests {
    private static let count = ProcessInfo.processInfo.environment["REPORTS_KILLS"].flatMap { Int($0) } ?? 60
    /// Kills in one life of a spool: what one leaves behind is what the next one meets.
    private static let killsPerSpool = 6

    @Test("everything accepted before a kill arrives after it", arguments: 0..<(count / killsPerSpool))
    func everythingAcceptedArrives(seed: Int) async throws {
        try await withTool(server: .accepting) { tool, server in
            var generator = SeededGenerator(seed: UInt64(seed))
            let submit = ["submit", "--endpoint", server.url("/{id}")]
            let (added, adding) = try await traced(tool, try add(tool, "\(seed)-traced", &generator))
            var accepted = ids(added)
            accepted.insert(try drop("drop \(seed)", as: "drop.log", tool))
            let (_, submitting) = try await traced(tool, submit)
            for round in 0..<(Self.killsPerSpool / 2) {
                let name = "\(seed)-\(round)"
                accepted.formUnion(ids(try await killed(tool, try add(tool, name, &generator), adding, &generator)))
                accepted.insert(try drop("drop \(name)", as: "drop-\(round).log", tool))
                _ = try await killed(tool, submit, submitting, &generator)
            }
            try await expectAllDelivered(accepted, tool, server, "seed \(seed)")
            // No two have the same content, so that none was handed in twice.
            for report in try await tool.objects("list") {
                #expect(report.count("occurrences") == 1, "seed \(seed): \(report)")
            }
        }
    }

    // MARK: - Steps

    /// The command that adds three files, one of them large enough for several writes.
    private func add(_ tool: ReportsTool, _ name: String, _ generator: inout SeededGenerator) throws -> [String] {
        var files: [String] = []
        for number in 0..<3 {
            let filler =
                number == 1
                ? String(
                    (0..<60_000).map { _ in Character(Unicode.Scalar(UInt8.random(in: 33...126, using: &generator))) })
                : ""
            files.append(try tool.file("\(name)-\(number).log", "report \(name) \(number) \(filler)"))
        }
        return ["add", "--json"] + files
    }

    /// What was printed before the kill is accepted.
    private func ids(_ result: ToolResult) -> Set<String> {
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: true)
        return Set(lines.compactMap { (try? JSONValue.parse(Array($0.utf8)))?["id"]?.stringValue })
    }

    private func drop(_ text: String, as name: String, _ tool: ReportsTool) throws -> String {
        try tool.drop(text, as: name)
        return ContentHash.of(text).hex
    }

    /// Runs a command to its end.
    /// - Returns: how it ended, and all calls that it has made in the spool; none without strace.
    private func traced(
        _ tool: ReportsTool, _ arguments: [String]
    ) async throws -> (result: ToolResult, points: [KillPoint]) {
        guard findExecutable("strace") != nil else { return (try await tool.run(arguments), []) }
        let traced = try await KillPoint.trace(
            [ReportsTool.path] + arguments, environment: tool.environment, from: tool.spool)
        #expect(traced.result.status == 0, "\(traced.result.errors)")
        return traced
    }

    /// Runs a command that is killed at some system call, if it comes to it.
    private func killed(
        _ tool: ReportsTool, _ arguments: [String], _ points: [KillPoint], _ generator: inout SeededGenerator
    ) async throws -> ToolResult {
        guard let point = points.randomElement(using: &generator) else {
            return try await killedAtRandom(tool, arguments, after: Double.random(in: 0.002...0.05, using: &generator))
        }
        return try await point.kill([ReportsTool.path] + arguments, environment: tool.environment)
    }

    private func killedAtRandom(
        _ tool: ReportsTool, _ arguments: [String], after seconds: Double
    ) async throws -> ToolResult {
        try await runAsynchronously(
            "timeout", ["-s", "KILL", "\(seconds)", ReportsTool.path] + arguments, environment: tool.environment)
    }
}
