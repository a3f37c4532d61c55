import DurableIO
import Foundation
import Glibc
import TestSupport
import Testing

@testable import CaptureRun

/// Programs that leave directories in the directory of their run, and end well.
@Suite("What a run leaves when nothing is told")
struct RemovedRunTests {
    /// Runs lines of Python as the program, in the directory of the run.
    /// - Returns: what the wrapper says, and what is in `runs/` afterwards.
    private func run(_ lines: String, _ tool: RunTool, under words: [String] = []) async throws -> (String, [String]) {
        let start = "import os; os.chdir(os.path.dirname(os.environ['ERL_CRASH_DUMP']))\n"
        let words = words + [RunTool.path, "--", "python3", "-c", start + lines]
        let result = try await tool.start("env", words)
        #expect(result.status == 0, "\(result.errors)")
        let runs = try FileManager.default.contentsOfDirectory(atPath: tool.home + "/spool/runs")
        return (result.errors, runs)
    }

    @Test("directories are removed with all that is in them, however deep", arguments: [12, 3_000])
    func deep(_ count: Int) async throws {
        try await withRunTool { tool in
            let (errors, runs) = try await run(
                """
                for level in range(\(count)):
                    os.mkdir("empty"); open("file", "w").close(); os.mkdir("inner"); os.chdir("inner")
                """, tool)
            #expect(errors == "" && runs == [], "\(errors)")
        }
    }

    @Test(
        "also those that the program's user may not write to", .enabled(if: getuid() == 0 && isInstalled("setpriv")))
    func readOnly() async throws {
        try await withRunTool { tool in
            chmod(tool.home, 0o777)
            let (errors, runs) = try await run(
                """
                os.makedirs("a/b/c")
                for name in ["a/b/c", "a/b", "a"]: os.chmod(name, 0o500)
                """, tool, under: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
            #expect(errors == "" && runs == [], "\(errors)")
        }
    }

    @Test("what cannot be removed is no reason to speak of the end, and nothing is ever told of it")
    func stuck() throws {
        try withTemporaryDirectory { directory in
            let fixture = RunFixture(directory)
            let isStuck = Monitor(true)
            let files = FaultingFileSystem { call throws(FileSystemError) in
                guard isStuck.value, call.operation == .remove, call.name == "stuck" else { return }
                throw FileSystemError(.remove, "stuck", .notPermitted)
            }
            let run = try fixture.make(files: files)
            fixture.startProgram(of: run)
            run.note(fixture.start)
            try fixture.write("", to: run.path + "/stuck")
            let dropped = try run.conclude(
                fixture.end(.exited(code: 0)), of: fixture.start, StderrExcerpt(), memory: fixture.memory,
                fixture.options)
            #expect(dropped == [] && fixture.entries("runs").count == 1)
            let first = try fixture.sweep(files: files)
            #expect(first.told == [] && first.problems.count == 1)
            isStuck.withLock { $0 = false }
            let second = try fixture.sweep(files: files)
            #expect(second.told == [] && second.problems.isEmpty && fixture.entries("runs") == [])
        }
    }
}
