import Diagnosis
import Digests
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// The real tool, killed at any system call while it sends to Sentry, to a collector of minidumps or to OpenTelemetry,
/// then started again.
///
/// Nothing may be lost. Sentry knows a report again by its event_id, so nothing may be there twice. The two others have
/// nothing to know it by: there a report may have come more than once, under the same name each time, but only as often
/// as the tool has begun attempts whose answers it never got. strace(1) does the killing.
///
/// `REPORTS_DESTINATION_KILLS` says how many kills there are for each; the default is 12, a full run has 100 or more.
@Suite(
    "Kills while destinations are sent to", .timeLimit(.minutes(60)),
    .enabled(if: findExecutable("strace") != nil, "needs strace"))
struct DestinationKillTests {
    private static let count =
        ProcessInfo.processInfo.environment["REPORTS_DESTINATION_KILLS"].flatMap { Int($0) } ?? 12
    /// Kills in one life of a spool: what one leaves behind is what the next one meets.
    private static let killsPerSpool = 6
    private static let lives = 0..<((count + killsPerSpool - 1) / killsPerSpool)

    /// Calls that write to the network and change names, whose numbers are small, and all calls.
    private static let rules: [(calls: String, numbers: ClosedRange<Int>)] = [
        ("write,writev,sendto,sendmsg,read,recvfrom", 4...60), ("renameat2,unlinkat", 1...30), ("all", 300...2_000),
    ]

    @Test("at Sentry each report is one event", .needs(.bugsink), arguments: lives)
    func sentry(seed: Int) async throws {
        try await withTool(judge: .bugsink) { tool, server in
            let ids = try await fill(tool, LocalEndpoint.sentry(server.peer.port), seed: seed) { Array($0.utf8) }
            let events = try await server.sentryEvents().map(\.id)
            #expect(events.sorted() == ids.map { ContentHash(hex: $0)?.sentryEventID ?? "" }.sorted(), "seed \(seed)")
        }
    }

    @Test(
        "at a collector of minidumps a second one has the same id, and an answer before it is unknown",
        .needs(.breakpad), arguments: lives)
    func breakpad(seed: Int) async throws {
        try await withTool(judge: .breakpad) { tool, server in
            let dump = try await JudgeServer.makeMinidump(tool.home + "/made.dmp")
            // Bytes behind the last stream are no part of it, and tell one dump from another.
            let endpoint = LocalEndpoint.minidump(server.peer.port)
            let ids = try await fill(tool, endpoint, seed: seed) { dump + Array($0.utf8) }
            let received = try server.received()
            #expect(received.allSatisfy { $0["fields"]?["report_id"]?.stringValue == $0.dumpHash }, "seed \(seed)")
            try await expect(received.map(\.dumpHash), of: ids, tool, "seed \(seed)")
        }
    }

    @Test(
        "at OpenTelemetry a second record has the same uid, and an answer before it is unknown",
        .needs(.otlp), arguments: lives)
    func otlp(seed: Int) async throws {
        try await withTool(judge: .otlp) { tool, server in
            let ids = try await fill(tool, LocalEndpoint.otlp(server.peer.port), seed: seed) { Array($0.utf8) }
            let received = try server.received()
            #expect(received.allSatisfy { $0["problems"] == [] }, "seed \(seed)")
            try await expect(received.map(\.recordID), of: ids, tool, "seed \(seed)")
        }
    }

    /// Each report is there, and as often as it was sent without an answer once more.
    private func expect(
        _ arrivals: [String], of ids: Set<String>, _ tool: ReportsTool, _ circumstances: String
    ) async throws {
        #expect(Set(arrivals) == ids, "\(circumstances)")
        let repeated = Dictionary(grouping: arrivals, by: \.self).filter { $0.value.count > 1 }
        print("kills: \(circumstances): of \(ids.count) reports \(repeated.count) came more than once")
        for (id, arrivals) in repeated {
            let history = try await tool.show(id)["history"]?.arrayValue ?? []
            let unknown = history.count { $0["status"]?.integerValue == nil }
            #expect(arrivals.count <= 1 + unknown, "\(circumstances): \(arrivals.count) of \(id): \(history)")
        }
    }

    /// Drops reports and submits them, killed again and again, until nothing is left to do.
    /// - Returns: the ids of all reports.
    private func fill(
        _ tool: ReportsTool, _ endpoint: String, seed: Int, payload: (String) -> [UInt8]
    ) async throws -> Set<String> {
        var generator = SeededGenerator(seed: UInt64(seed))
        let submit = ["submit", "--endpoint", endpoint]
        var (ids, killCount) = (Set<String>(), 0)
        // A life may end before it has made so many calls.
        for round in 0..<(10 * Self.killsPerSpool) where killCount < Self.killsPerSpool {
            for number in 0..<4 {
                let bytes = payload("payload \(number) of \(seed) \(round)")
                try tool.drop(bytes, as: "\(seed)-\(round)-\(number).log")
                ids.insert(ContentHash.of(bytes).hex)
            }
            let rule = Self.rules[round % Self.rules.count]
            let inject = "inject=\(rule.calls):signal=SIGKILL:when=\(Int.random(in: rule.numbers, using: &generator))"
            let killed = try await runAsynchronously(
                "strace", ["-f", "-qq", "-o", "/dev/null", "-e", inject, ReportsTool.path] + submit,
                environment: tool.environment)
            if killed.wasSignalled { killCount += 1 }
        }
        #expect(killCount == Self.killsPerSpool, "seed \(seed)")
        try await finish(tool, submit, "seed \(seed)")
        return ids
    }

    /// Submits until all is delivered, and looks at what is left.
    private func finish(_ tool: ReportsTool, _ submit: [String], _ circumstances: String) async throws {
        // A report that looks like poison waits for its hour, and one whose answer is unknown for a minute.
        _ = try await tool.run("retry", "--all")
        _ = try await tool.run(submit)
        try tool.letPass(hours: 2)
        let last = try await tool.run(submit)
        #expect(last.status == 0, "\(circumstances): \(last.output)\(last.errors)")
        for report in try await tool.objects("list") {
            #expect(report["state"] == "delivered" && report.count("occurrences") == 1, "\(circumstances): \(report)")
        }
        for room in ["tmp", "taken", "collected", "queued", "incoming"] {
            #expect(tool.names(in: room) == [], "\(circumstances): left in \(room)")
        }
        let doctor = try await tool.run("doctor")
        #expect(doctor.status == 0, "\(circumstances): \(doctor.output)")
    }
}
