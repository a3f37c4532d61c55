import Background
import Digests
import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

/// The real tool, killed while it collects a large drop and sends others beside it.
///
/// A killed process leaves the drop in `taken/` and a death in the ledger; a drop over which three processes died stays
/// where it is until a person says otherwise. So after the kills a person retries all, and then everything has to be
/// there: nothing lost, nothing in two states, and under one key never other bytes. strace(1) does the killing.
///
/// `REPORTS_LARGE_KILLS` says how many kills there are; the default is 12, a full run has 300 or more.
@Suite(
    "Kills while a large drop is collected", .timeLimit(.minutes(120)),
    .enabled(if: findExecutable("strace") != nil, "needs strace"))
struct LargeDropKillTests {
    private static let count =
        ProcessInfo.processInfo.environment["REPORTS_LARGE_KILLS"].flatMap { Int($0) } ?? 12
    /// Kills in one life of a spool: what one leaves behind is what the next one meets.
    private static let killsPerSpool = 4

    /// Calls in which a life does something to its spool. Those of loader and runtime come before, and are few.
    private static let calls =
        "read,pread64,write,pwrite64,fsync,fdatasync,sync_file_range,renameat2,unlinkat,openat,newfstatat,fcntl"

    @Test("at any system call", arguments: 0..<(count / killsPerSpool))
    func atAnyCall(seed: Int) async throws {
        try await withTool(server: .accepting) { tool, server in
            var generator = SeededGenerator(seed: UInt64(seed))
            var accepted = [try tool.dropNoise("large-\(seed)", mebibytes: 9, &generator)]
            for round in 0..<Self.killsPerSpool {
                for number in 0..<3 {
                    let text = "small \(seed) \(round) \(number)"
                    try tool.drop(text, as: "\(number == 0 ? "crash" : "small")-\(round)-\(number).log")
                    accepted.append(ContentHash.of(text).hex)
                }
                accepted.append(try await tool.add("added \(seed) \(round)"))
                // Calls are counted for each thread.
                let number = Int.random(in: 35...260, using: &generator)
                try await tool.submitKilled(at: "\(Self.calls):signal=SIGKILL:when=\(number)", to: server)
            }
            try await expectAllDelivered(Set(accepted), tool, server, "seed \(seed)")
            try expectOneBodyEach(server, "seed \(seed)")
            let list = try await tool.objects("list")
            #expect(list.compactMap { $0["id"]?.stringValue }.sorted() == accepted.sorted(), "seed \(seed)")
            for report in list { #expect(report.count("occurrences") == 1, "seed \(seed): \(report)") }
        }
    }

    private func expectOneBodyEach(_ server: LoopbackServer, _ circumstances: String) throws {
        let requests = server.requests.filter { $0.isComplete && $0.method != "OPTIONS" }
        for (key, same) in Dictionary(grouping: requests, by: Deliveries.key) {
            #expect(Set(same.map(\.body)).count == 1, "\(circumstances): \(key)")
        }
    }
}

/// Drops that kill the process that collects them, and drops that only lie there when it dies.
@Suite("A drop that kills its collector", .enabled(if: findExecutable("strace") != nil, "needs strace"))
struct DeadlyDropTests {
    /// Only what is larger than 16 MiB is handed to the disk before its sync, and only while it is collected.
    private static let deadly = "sync_file_range:signal=SIGKILL:when=1"
    private static let deadlySize = 20

    @Test("after three deaths it is set aside by name; no report is blamed, and the others arrive")
    func setAside() async throws {
        let isOpen = Gate()
        let script = ServerScript { request in
            // While the first process dies one report is under way, alone.
            isOpen.isOpen ? .response(201) : .stall
        }
        try await withTool(server: script) { tool, server in
            var generator = SeededGenerator(seed: 1)
            let beside = try await tool.add("beside it")
            let deadly = try tool.dropNoise("core.1", mebibytes: Self.deadlySize, &generator)
            var accepted: Set = [beside]
            for death in 1...3 {
                let ended = try await tool.submitKilled(at: Self.deadly, to: server)
                #expect(ended.wasSignalled, "\(death): \(ended.errors)")
                #expect(try tool.strikes(of: beside) == 0, "\(death)")
                isOpen.open()
                let text = "dropped after death \(death)"
                try tool.drop(text, as: "small-\(death).log")
                accepted.insert(ContentHash.of(text).hex)
            }
            let last = try await tool.submitKilled(at: Self.deadly, to: server)
            #expect(!last.wasSignalled)
            #expect(accepted == Set(Deliveries.ids(server)))
            let list = try await tool.run("list", "--state", "incoming").output
            #expect(list.contains("core.1 [poison: the program died 3 times while it collected this drop"), "\(list)")
            for id in accepted { #expect(try tool.strikes(of: id) == 0) }
            // A person says otherwise.
            #expect(try await tool.run("retry", "core.1").status == 0)
            try await expectAllDelivered(accepted.union([deadly]), tool, server, "afterwards")
        }
    }

    @Test("one that only lies there when the process dies is not", arguments: [1, 2])
    func innocent(deaths: Int) async throws {
        try await withTool(server: .accepting) { tool, server in
            var generator = SeededGenerator(seed: 2)
            var accepted = [try tool.dropNoise("core.1", mebibytes: Self.deadlySize, &generator)]
            accepted.append(try await tool.add("beside it"))
            for _ in 0..<deaths {
                #expect(try await tool.submitKilled(at: Self.deadly, to: server).wasSignalled)
            }
            let last = try await tool.submit(to: server)
            #expect(last.status == 0, "\(last.output) \(last.errors)")
            #expect(Set(accepted).isSubset(of: Deliveries.ids(server)))
            #expect(tool.names(in: "taken") == [])
            for id in accepted { #expect(try tool.strikes(of: id) == 0) }
        }
    }
}

extension ReportsTool {
    /// Drops bytes that do not shrink, and gives their id.
    fileprivate func dropNoise(
        _ name: String, mebibytes: Int, _ generator: inout SeededGenerator
    ) throws -> String {
        let bytes = generator.noise(mebibytes << 20)
        try drop(bytes, as: name)
        return ContentHash.of(bytes).hex
    }

    /// Submits in a process that is killed at a system call, if it makes as many: a rule of strace(1).
    @discardableResult
    fileprivate func submitKilled(at rule: String, to server: LoopbackServer) async throws -> ToolResult {
        try await runAsynchronously(
            "strace",
            ["-f", "-qq", "-o", "/dev/null", "-e", "inject=" + rule, Self.path, "submit"]
                + ["--endpoint", server.url("/{id}")],
            environment: environment)
    }

    /// How often a report was blamed for a process that died.
    fileprivate func strikes(of id: String) throws -> Int {
        let spool = try #require(try ReportSpool.open(FilePath(spool), isCreating: false))
        return try #require(try SpoolInspector(spool: spool).record(id)).strikes
    }
}
