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
/// the killing where it is installed, so that a seed gives the same call again; elsewhere a timer does.
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
            var accepted: Set<String> = []
            for round in 0..<(Self.killsPerSpool / 2) {
                let name = "\(seed)-\(round)"
                accepted.formUnion(try await addKilled(tool, name, &generator))
                accepted.insert(try drop("drop \(name)", as: "drop-\(round).log", tool))
                let submit = ["submit", "--endpoint", server.url("/{id}")]
                _ = try await killed(tool, submit, atMost: 2_500, &generator)
            }
            try await expectAllDelivered(accepted, tool, server, "seed \(seed)")
            // No two have the same content, so that none was handed in twice.
            for report in try await tool.objects("list") {
                #expect(report.count("occurrences") == 1, "seed \(seed): \(report)")
            }
        }
    }

    // MARK: - Steps

    /// Three files, one of them large enough for several writes; what was printed before the kill is accepted.
    private func addKilled(
        _ tool: ReportsTool, _ name: String, _ generator: inout SeededGenerator
    ) async throws -> Set<String> {
        var files: [String] = []
        for number in 0..<3 {
            let filler =
                number == 1
                ? String(
                    (0..<60_000).map { _ in Character(Unicode.Scalar(UInt8.random(in: 33...126, using: &generator))) })
                : ""
            files.append(try tool.file("\(name)-\(number).log", "report \(name) \(number) \(filler)"))
        }
        let result = try await killed(tool, ["add", "--json"] + files, atMost: 700, &generator)
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: true)
        return Set(lines.compactMap { (try? JSONValue.parse(Array($0.utf8)))?["id"]?.stringValue })
    }

    private func drop(_ text: String, as name: String, _ tool: ReportsTool) throws -> String {
        try tool.drop(text, as: name)
        return ContentHash.of(text).hex
    }

    /// Runs a command that is killed at some system call, if it makes as many.
    private func killed(
        _ tool: ReportsTool, _ arguments: [String], atMost limit: Int, _ generator: inout SeededGenerator
    ) async throws -> ToolResult {
        // What is done before `main` touches no spool.
        let number = Int.random(in: 80...limit, using: &generator)
        guard let strace = findExecutable("strace") else {
            return try await killedAtRandom(tool, arguments, after: Double(number) / 50_000)
        }
        let inject = "inject=all:signal=SIGKILL:when=\(number)"
        return try await runAsynchronously(
            strace, ["-f", "-qq", "-o", "/dev/null", "-e", inject, ReportsTool.path] + arguments,
            environment: tool.environment)
    }

    private func killedAtRandom(
        _ tool: ReportsTool, _ arguments: [String], after seconds: Double
    ) async throws -> ToolResult {
        try await runAsynchronously(
            "timeout", ["-s", "KILL", "\(seconds)", ReportsTool.path] + arguments, environment: tool.environment)
    }
}
