import CaptureRun
import Diagnosis
import DurableIO
import Foundation
import Glibc
import Reports
import SystemPackage
import TestSupport
import Testing

/// `reports-run` is killed by SIGKILL at its system calls, alone or with all that it has started. strace(1) does the
/// killing.
///
/// `REPORTS_RUN_KILLS` sets the number of kills of each kind. The default is 12.
@Suite(
    "Kills of the wrapper", .timeLimit(.minutes(10)),
    .enabled(if: findExecutable("strace") != nil, "needs strace"))
struct RunKillTests {
    private static let count = ProcessInfo.processInfo.environment["REPORTS_RUN_KILLS"].flatMap(Int.init) ?? 12

    /// A program that says in a file that it was there, writes a crash, and dies by a signal.
    private static let program = """
        echo here >>"$home/there"
        echo "Traceback (most recent call last):
          File \\"shop.py\\", line 4, in settle
        ValueError: the till is empty" >&2
        kill -ABRT $$
        """

    private static let wrapped = [ReportsTool.runner, "--quiet", "--", "/bin/sh", "-c", program]

    private func environment(of tool: ReportsTool) -> [String: String] {
        var environment = tool.environment
        environment["home"] = tool.home
        return environment
    }

    /// The incidents that a spool tells of, by their ids: the kinds of their reports.
    private func incidents(_ tool: ReportsTool) async throws -> [String: [String]] {
        let reports = try await tool.objects("list")
        return Dictionary(
            grouping: reports, by: { $0["annotations"]?["incident"]?.stringValue ?? "" }
        ).mapValues { $0.compactMap { $0["kind"]?.stringValue } }
    }

    /// Whether the child of a run that is left was about to become its program.
    private func isStarted(_ tool: ReportsTool) -> Bool {
        tool.names(in: "runs").contains { run in
            let marks = FileManager.default.contents(atPath: "\(tool.spool)/runs/\(run)/lock")
            return marks?.first == UInt8(ascii: "1")
        }
    }

    /// Kills a run in a new spool at some point, by a command that gets an environment, and has an owner look after it.
    /// Returns the status with which the command ended, or the signal; that of a shell is 137 behind a kill.
    private func kill(
        _ point: String, _ run: ([String: String]) async throws -> ToolResult
    ) async throws -> Int32 {
        var status: Int32 = 0
        try await withTool(server: .always(.response(503))) { tool, server in
            let result = try await run(environment(of: tool))
            let isToldOf = isStarted(tool) || !tool.names(in: "incoming").isEmpty
            _ = try await tool.submit(to: server)
            status = result.status
            let incidents = try await incidents(tool)
            let wasThere = FileManager.default.fileExists(atPath: tool.home + "/there")
            #expect(incidents.count == (isToldOf ? 1 : 0), "\(point): \(result.errors)")
            #expect(isToldOf || !wasThere, "\(point): \(result.errors)")
            for (id, kinds) in incidents {
                #expect(!id.isEmpty && kinds.count { $0 == "crash" } == 1, "\(point): \(kinds)")
            }
            #expect(tool.names(in: "runs").allSatisfy { tool.names(in: "runs/\($0)").isEmpty }, "\(point)")
            // Nothing comes a second time, and nothing stays.
            #expect(try sweptAfterMinute(tool).told.isEmpty, "\(point)")
            _ = try await tool.submit(to: server)
            #expect(try await self.incidents(tool) == incidents, "\(point)")
            #expect(tool.names(in: "runs").isEmpty, "\(point): \(tool.allFiles())")
        }
        return status
    }

    /// Looks after the runs as an owner does later: a directory without a lock counts as being made for a minute.
    private func sweptAfterMinute(_ tool: ReportsTool) throws -> LeftRuns.Result {
        let files = POSIXFileSystem()
        let clock = ManualClock(wall: Int64(Date().timeIntervalSince1970 * 1_000) + 61_000)
        let root = try files.openDirectory(FilePath(tool.spool))
        let runs = try LeftRuns(in: root, isOpenToAll: false, files: files, clock: clock)
        return runs?.sweep() ?? LeftRuns.Result()
    }

    @Test("alone: a program that was there is told of, exactly once as a crash")
    func alone() async throws {
        try await withTool { tool in
            // The wrapper's main thread, from the first call that names the spool to its end.
            let points = try await KillPoint.trace(
                Self.wrapped, environment: environment(of: tool), from: tool.spool, isOfAllThreads: false
            ).points
            #expect(points.count > 40)
            var killed = 0
            for _ in 0..<Self.count {
                let point = try #require(points.randomElement())
                let status = try await kill("\(point)") {
                    try await point.kill(Self.wrapped, environment: $0, isOfAllThreads: false)
                }
                if status == SIGKILL { killed += 1 }
            }
            // A look that waits may make a call more or less.
            #expect(killed > Self.count / 2)
        }
    }

    @Test("with all that it has started, as when a container is killed")
    func together() async throws {
        var killed = 0
        for round in 0..<Self.count {
            let milliseconds = Double.random(in: 5...60)
            // A session of their own, all of which is killed.
            let script = """
                setsid "$@" & group=$!
                sleep \(milliseconds / 1_000)
                kill -s KILL -- -$group 2>/dev/null
                wait $group 2>/dev/null
                """
            let status = try await kill("round \(round), after \(milliseconds) ms") {
                try await runAsynchronously("/bin/sh", ["-c", script, "sh"] + Self.wrapped, environment: $0)
            }
            if status == 128 + SIGKILL { killed += 1 }
        }
        // Some may have been through before the kill came; it must not be all.
        #expect(killed > 0)
    }
}

@Suite("Many programs that die at once", .timeLimit(.minutes(5)))
struct CrashStormTests {
    @Test(
        "50 programs: 50 incidents with a crash each, whatever they say",
        arguments: [
            "kill -SEGV $$", #"printf 'panic: no till\n\ngoroutine 1 [running]:\nmain.f()\n\t/a.go:1\n' >&2; exit 2"#,
        ])
    func storm(program: String) async throws {
        try await withTool(server: .always(.response(503))) { tool, server in
            var environment = tool.environment
            environment["run"] = ReportsTool.runner
            environment["program"] = program
            let script = """
                for number in $(seq 50); do
                    "$run" --quiet --annotate "number=$number" -- /bin/sh -c "$program" &
                done
                wait
                """
            _ = try await runAsynchronously("/bin/sh", ["-c", script], environment: environment)
            _ = try await tool.submit(to: server)
            let reports = try await tool.objects("list")
            let crashes = reports.filter { $0["kind"]?.stringValue == "crash" }
            let numbers = crashes.compactMap { $0["annotations"]?["number"]?.stringValue }
            #expect(Set(numbers).count == 50 && crashes.count == 50)
            #expect(Set(crashes.compactMap { $0["annotations"]?["incident"]?.stringValue }).count == 50)
        }
    }
}
