import Diagnosis
import Digests
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// The real tool, killed at a system call while it takes pairs and drops in drop rooms.
///
/// Each payload must arrive once, with the annotations of its own sidecar and its room. Each round drops files of the
/// same names, some without a sidecar, so that a sidecar which is left behind would be seen. strace(1) does the
/// killing.
///
/// `REPORTS_PAIR_KILLS` says how many kills there are; the default is 12, a full run has 200 or more.
@Suite(
    "Kills while pairs and drop rooms are taken", .timeLimit(.minutes(60)),
    .enabled(if: findExecutable("strace") != nil, "needs strace"))
struct PairKillTests {
    private static let count = ProcessInfo.processInfo.environment["REPORTS_PAIR_KILLS"].flatMap { Int($0) } ?? 12
    /// Kills in one life of a spool: what one leaves behind is what the next one meets.
    private static let killsPerSpool = 4
    private static let rooms = ["shop@2.1", "cart"]

    /// Calls that change names, whose numbers are small, and calls between which a life does everything else.
    private static let rules: [(calls: String, numbers: ClosedRange<Int>)] = [
        ("renameat2", 1...24), ("unlinkat", 1...16), ("openat,newfstatat,fcntl,fsync,fdatasync,pwrite64", 30...420),
    ]

    @Test("each payload arrives once, with its own annotations", arguments: 0..<(count / killsPerSpool))
    func atAnyCall(seed: Int) async throws {
        try await withTool(server: .accepting) { tool, server in
            var generator = SeededGenerator(seed: UInt64(seed))
            for room in Self.rooms { try makeRoom(room, tool) }
            var (wanted, killCount) = ([String: [String: String]](), 0)
            // A life may end before it has made so many calls.
            for round in 0..<(4 * Self.killsPerSpool) where killCount < Self.killsPerSpool {
                for place in [""] + Self.rooms { try drop(in: place, "\(seed) \(round)", tool, &generator, &wanted) }
                let rule = Self.rules[Int.random(in: 0...2, using: &generator)]
                let number = Int.random(in: rule.numbers, using: &generator)
                let ended = try await submitKilled(tool, at: "\(rule.calls):signal=SIGKILL:when=\(number)", to: server)
                if ended.wasSignalled { killCount += 1 }
                // Else all names would soon be in use.
                guard round % 2 == 1 else { continue }
                _ = try await tool.run("retry", "--all")
                #expect(try await tool.submit(to: server).status == 0, "seed \(seed)")
            }
            #expect(killCount == Self.killsPerSpool, "seed \(seed)")
            let circumstances = "seed \(seed)"
            try await expectAllDelivered(
                Set(wanted.keys), tool, server, circumstances, rooms: Set(Self.rooms.map { "incoming/\($0)" }))
            try await expectAnnotations(wanted, tool, circumstances)
        }
    }

    private func makeRoom(_ room: String, _ tool: ReportsTool) throws {
        try FileManager.default.createDirectory(
            atPath: "\(tool.spool)/incoming/\(room)", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
    }

    /// Drops two files with sidecars or without, under names that the last round had, too. A program must not put a
    /// sidecar beside a drop that still waits, so it takes another name then.
    private func drop(
        in room: String, _ round: String, _ tool: ReportsTool, _ generator: inout SeededGenerator,
        _ wanted: inout [String: [String: String]]
    ) throws {
        let prefix = room.isEmpty ? "" : room + "/"
        for number in 0..<2 {
            var name = "\(prefix)core.\(number)"
            if [name, name + ".annotations"].contains(where: { exists($0, tool) }) { name += " \(round)" }
            let parts = room.split(separator: "@").map(String.init)
            var annotations: [String: String] = [:]
            annotations["service"] = parts.first
            annotations["version"] = parts.count > 1 ? parts[1] : nil
            let text = "payload \(number) in \(room) \(round)"
            if Int.random(in: 0...3, using: &generator) > 0 {
                annotations["site"] = text
                try tool.drop("site=\(text)\n\(room.isEmpty ? "" : "service=other\n")", as: name + ".annotations")
            }
            try tool.drop(text, as: name)
            wanted[ContentHash.of(text).hex] = annotations
        }
    }

    private func exists(_ name: String, _ tool: ReportsTool) -> Bool {
        FileManager.default.fileExists(atPath: "\(tool.spool)/incoming/\(name)")
    }

    private func submitKilled(
        _ tool: ReportsTool, at rule: String, to server: LoopbackServer
    ) async throws -> ToolResult {
        try await runAsynchronously(
            "strace",
            ["-f", "-qq", "-o", "/dev/null", "-e", "inject=" + rule, ReportsTool.path, "submit"]
                + ["--endpoint", server.url("/{id}")],
            environment: tool.environment)
    }

    private func expectAnnotations(
        _ wanted: [String: [String: String]], _ tool: ReportsTool, _ circumstances: String
    ) async throws {
        let list = try await tool.objects("list")
        #expect(Set(list.compactMap { $0["id"]?.stringValue }) == Set(wanted.keys), "\(circumstances)")
        for report in list {
            #expect(report.count("occurrences") == 1, "\(circumstances): \(report)")
            let members = report["annotations"]?.objectValue?.members ?? []
            let found = members.map { "\($0.key)=\($0.value.stringValue ?? "")" }.sorted()
            let own = (report["id"]?.stringValue).flatMap { wanted[$0] } ?? [:]
            #expect(found == own.map { "\($0.key)=\($0.value)" }.sorted(), "\(circumstances): \(report)")
        }
    }
}
