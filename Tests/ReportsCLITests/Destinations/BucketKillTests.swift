import Diagnosis
import Digests
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// The real tool, killed at any system call while it fills a bucket, then started again.
///
/// Each payload must be one object in the end. One judge answers 412 to the second upload of a report, the other
/// replaces the object. strace(1) does the killing.
///
/// `REPORTS_BUCKET_KILLS` says how many kills there are; the default is 12, a full run has 100 or more.
@Suite(
    "Kills while a bucket is filled", .timeLimit(.minutes(60)), .needs(.moto), .needs(.rclone),
    .enabled(if: findExecutable("strace") != nil, "needs strace"))
struct BucketKillTests {
    private static let count = ProcessInfo.processInfo.environment["REPORTS_BUCKET_KILLS"].flatMap { Int($0) } ?? 12
    /// Kills in one life of a spool: what one leaves behind is what the next one meets.
    private static let killsPerSpool = 6

    /// Calls that write to the network and change names, whose numbers are small, and all calls.
    private static let rules: [(calls: String, numbers: ClosedRange<Int>)] = [
        ("write,writev,sendto,sendmsg,read,recvfrom", 4...60), ("renameat2,unlinkat", 1...30), ("all", 300...2_000),
    ]

    @Test("each payload is one object, whatever dies in between", arguments: 0..<(count / killsPerSpool))
    func atAnyCall(seed: Int) async throws {
        try await withTool(judge: seed % 2 == 0 ? .moto : .rclone) { tool, server in
            try await fill(tool, server, seed: seed)
        }
    }

    private func fill(_ tool: ReportsTool, _ server: JudgeServer, seed: Int) async throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let submit = ["submit", "--endpoint", server.endpoint("crashes", template: "{host}")]
        var (wanted, killCount) = (Set<String>(), 0)
        // A life may end before it has made so many calls.
        for round in 0..<(10 * Self.killsPerSpool) where killCount < Self.killsPerSpool {
            for number in 0..<4 { wanted.insert(try drop("payload \(number) of \(seed) \(round)", tool)) }
            let rule = Self.rules[round % Self.rules.count]
            let number = Int.random(in: rule.numbers, using: &generator)
            let inject = "inject=\(rule.calls):signal=SIGKILL:when=\(number)"
            let killed = try await runAsynchronously(
                "strace", ["-f", "-qq", "-o", "/dev/null", "-e", inject, ReportsTool.path] + submit,
                environment: tool.environment)
            if killed.wasSignalled { killCount += 1 }
        }
        #expect(killCount == Self.killsPerSpool, "seed \(seed)")
        // A report that looks like poison waits for its hour; a person may say otherwise.
        _ = try await tool.run("retry", "--all")
        let last = try await tool.run(submit)
        #expect(last.status == 0, "seed \(seed): \(last.output)\(last.errors)")

        let objects = try await server.objects(in: "crashes")
        var found: [String] = []
        for object in objects { found.append(ContentHash.of(try await object.payload()).hex) }
        #expect(found.sorted() == wanted.sorted(), "seed \(seed)")
        for report in try await tool.objects("list") {
            #expect(report["state"] == "delivered" && report.count("occurrences") == 1, "seed \(seed): \(report)")
        }
        for room in ["tmp", "taken", "collected", "queued", "incoming"] {
            #expect(tool.names(in: room) == [], "seed \(seed): left in \(room)")
        }
        let doctor = try await tool.run("doctor")
        #expect(doctor.status == 0, "seed \(seed): \(doctor.output)")
    }

    private func drop(_ text: String, _ tool: ReportsTool) throws -> String {
        try tool.drop(text, as: "\(text).log")
        return ContentHash.of(text).hex
    }
}
