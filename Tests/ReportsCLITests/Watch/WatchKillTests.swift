import Diagnosis
import Digests
import DurableIO
import Foundation
import Glibc
import TestSupport
import Testing

/// `reports watch` is killed by SIGKILL at its system calls, again and again, while programs under `reports-run` die,
/// some together with their wrappers, and drops come in. strace(1) does the killing.
///
/// `REPORTS_WATCH_KILLS` sets the number of kills. The default is 12; with more, the figures are printed.
@Suite(
    "Kills of reports watch", .timeLimit(.minutes(20)),
    .enabled(if: findExecutable("strace") != nil, "needs strace"))
struct WatchKillTests {
    private static let wished = ProcessInfo.processInfo.environment["REPORTS_WATCH_KILLS"].flatMap { Int($0) }
    /// Kills in one life of a spool: what one leaves behind is what the next one meets.
    private static let killsPerSpool = 12
    private static let spoolCount = max(1, ((wished ?? killsPerSpool) + killsPerSpool - 1) / killsPerSpool)

    /// A program that says in a file that it was there, writes a crash of its own, and dies by a signal.
    private static let program = """
        echo "$1" >>"$home/there"
        echo "Traceback (most recent call last):
          File \\"shop.py\\", line 4, in settle
        ValueError: till $1 of $home is empty" >&2
        kill -ABRT $$
        """

    @Test("each death is told of once as a crash, and all that was accepted is delivered", arguments: 0..<spoolCount)
    func everythingArrivesOnce(seed: Int) async throws {
        try await withTool(server: .accepting) { tool, server in
            var scene = Scene(tool: tool, server: server, seed: seed)
            try await scene.trace(Self.program)
            for _ in 0..<Self.killsPerSpool { try await scene.kill(Self.program) }
            try await scene.finish()
            try await scene.check()
            if Self.wished != nil { print(try await scene.figures()) }
        }
    }
}

/// One spool, the programs that die beside it, and what was accepted.
private struct Scene {
    let tool: ReportsTool
    let server: LoopbackServer
    let seed: Int
    private var generator: SeededGenerator
    private var environment: [String: String]
    /// The ids of the drops.
    private var drops: Set<String> = []
    private var numbers = 0
    private var points: [KillPoint] = []
    private var killsAtCalls = 0
    private var killsAtRest = 0

    init(tool: ReportsTool, server: LoopbackServer, seed: Int) {
        (self.tool, self.server, self.seed) = (tool, server, seed)
        generator = SeededGenerator(seed: UInt64(seed))
        environment = tool.environment
        environment["home"] = tool.home
    }

    // MARK: - Steps

    /// Writes down all calls of a `watch` that nobody kills.
    mutating func trace(_ program: String) async throws {
        let file = tool.traceFile()
        let watch = try start(tracing: ["-o", file])
        try await makeWork(program, watch)
        child(of: watch).map { _ = Glibc.kill($0, SIGTERM) }
        #expect(await watch.end().status == 0)
        points = KillPoint.all(in: tool.text(of: file), from: tool.spool)
        #expect(points.count > 1_000, "\(points.count) calls")
    }

    /// Starts `watch`, and has programs die and drops come until it is killed; one that does not come to its call is
    /// killed when it has nothing left to take.
    mutating func kill(_ program: String) async throws {
        let point = try #require(points.randomElement(using: &generator))
        let watch = try start(tracing: ["-o", "/dev/null", "-e", point.rule])
        try await makeWork(program, watch)
        if watch.isRunning {
            killsAtRest += 1
            child(of: watch).map { _ = Glibc.kill($0, SIGKILL) }
        } else {
            killsAtCalls += 1
        }
        let end = await watch.end()
        #expect(end.wasSignalled && end.status == SIGKILL, "seed \(seed), \(point): \(end.errors)")
    }

    private func start(tracing options: [String]) throws -> RunningTool {
        let command = [ReportsTool.path, "watch", "--endpoint", server.url("/{id}")]
        return try RunningTool(
            findExecutable("strace") ?? "strace", ["-f", "-qq"] + options + command, environment: environment,
            home: tool.home)
    }

    /// strace keeps signals to itself, and ends when the process that it has started ends.
    private func child(of strace: RunningTool) -> Int32? {
        let number = strace.processIdentifier
        let children = tool.text(of: "/proc/\(number)/task/\(number)/children")
        return children.split(separator: " ").first.flatMap { Int32($0) }
    }

    /// Two programs that die, of which one may die together with its wrapper, and a drop. Waits until `watch` has taken
    /// all of it, or is killed.
    private mutating func makeWork(_ program: String, _ watch: RunningTool) async throws {
        let text = "drop \(seed) \(numbers)"
        try tool.drop(text, as: "drop-\(numbers).log")
        drops.insert(ContentHash.of(text).hex)
        let alone = run(program)
        let together =
            Bool.random(using: &generator)
            ? run(program) : killed(run(program), after: Double.random(in: 5...80, using: &generator))
        async let first = runAsynchronously(alone[0], Array(alone.dropFirst()), environment: environment)
        async let second = runAsynchronously(together[0], Array(together.dropFirst()), environment: environment)
        let results = try await [first, second]
        #expect(results[0].wasSignalled && results[0].status == SIGABRT, "\(results[0].errors)")
        let isOver = try await poll { !watch.isRunning || isTaken }
        #expect(isOver, "seed \(seed): \(tool.allFiles()) \(watch.errors)")
    }

    private mutating func run(_ program: String) -> [String] {
        numbers += 1
        let name = "\(numbers)"
        return [
            ReportsTool.runner, "--quiet", "--annotate", "number=\(name)", "--", "/bin/sh", "-c", program, "sh", name,
        ]
    }

    /// The command in a session of its own, all of which is killed.
    private func killed(_ command: [String], after milliseconds: Double) -> [String] {
        let script = """
            setsid "$@" & group=$!
            sleep \(milliseconds / 1_000)
            kill -s KILL -- -$group 2>/dev/null
            wait $group 2>/dev/null
            """
        return ["/bin/sh", "-c", script, "sh"] + command
    }

    /// Whether the owner has taken all that came. The directory of a run that was killed before it had a lock is empty,
    /// and counts as being made for a minute.
    private var isTaken: Bool {
        ["incoming", "taken"].allSatisfy { tool.names(in: $0).isEmpty }
            && tool.names(in: "runs").allSatisfy { tool.names(in: "runs/\($0)").isEmpty }
    }

    /// A `watch` that nobody kills brings all to its end.
    func finish() async throws {
        let end = try await tool.watching("--endpoint", server.url("/{id}")) { _, _ in
            // A transfer that looked like poison waits for its hour; a person may say otherwise.
            _ = try await tool.run("retry", "--all")
            try await poll {
                let isTaken = isTaken
                let states = try await tool.objects("list").map { $0["state"]?.stringValue }
                return isTaken && !states.isEmpty && states.allSatisfy { $0 == "delivered" }
            }
        }
        #expect(end.status == 0 && !end.wasSignalled, "seed \(seed): \(end.errors)")
    }

    // MARK: - What holds

    func check() async throws {
        let reports = try await tool.objects("list")
        let left = reports.filter { $0["state"]?.stringValue != "delivered" }
        #expect(left.isEmpty, "seed \(seed): \(left)")
        let ids = Set(reports.compactMap { $0["id"]?.stringValue })
        let arrived = Set(Deliveries.ids(server))
        #expect(drops.isSubset(of: ids), "seed \(seed): lost \(drops.subtracting(ids))")
        #expect(ids == arrived, "seed \(seed): \(ids.symmetricDifference(arrived))")
        for report in reports { #expect(report.count("occurrences") == 1, "seed \(seed): \(report)") }

        let told = Dictionary(grouping: reports.filter { !isDrop($0) }) { annotation("number", of: $0) }
        let wereThere = Set(tool.text(of: tool.home + "/there").split(separator: "\n").map(String.init))
        // A program that was about to start may be told of before it has done anything.
        #expect(wereThere.isSubset(of: told.keys), "seed \(seed): \(wereThere.subtracting(told.keys))")
        for (number, reports) in told {
            let crashes = reports.count { $0["kind"]?.stringValue == "crash" }
            let incidents = Set(reports.map { annotation("incident", of: $0) })
            #expect(
                crashes == 1 && incidents.count == 1 && !incidents.contains(""), "seed \(seed), \(number): \(reports)")
        }
        #expect(try await tool.run("doctor").output == ReportsTool.wellWords)
    }

    private func isDrop(_ report: JSONValue) -> Bool {
        report["id"]?.stringValue.map(drops.contains) ?? false
    }

    private func annotation(_ name: String, of report: JSONValue) -> String {
        report["annotations"]?[name]?.stringValue ?? ""
    }

    func figures() async throws -> String {
        let reports = try await tool.objects("list")
        let crashes = reports.filter { $0["kind"]?.stringValue == "crash" && !isDrop($0) }
        let lost = crashes.count { annotation("run.cause", of: $0) == "lost" }
        let again = server.requests.count - Set(Deliveries.ids(server)).count
        return
            "WATCH-KILLS seed \(seed): \(killsAtCalls) at calls, \(killsAtRest) at rest, \(crashes.count) incidents, "
            + "\(lost) of them lost, \(drops.count) drops, \(reports.count) reports, \(again) requests again"
    }
}
