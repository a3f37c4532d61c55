import Diagnosis
import Foundation
import Reports
import TestSupport
import Testing

/// What `reports-run` makes of the deaths of programs in many languages: the table in the README.
///
/// A runtime that the machine lacks is skipped by its name; `REPORTS_RUNTIMES=1` installs those that Debian has.
@Suite("Deaths of programs, by runtime", .serialized, .timeLimit(.minutes(15)))
struct RuntimeTableTests {
    /// One incident as `list` and `show` tell of it.
    struct Told: Equatable, CustomStringConvertible {
        /// Why it died.
        var cause: String
        /// The format of the one report that is the crash.
        var format: String
        var message: String
        /// Whether a frame or the message names the function or the file in which the program died.
        var namesOwn: Bool
        /// The formats of the other reports.
        var others: [String]

        var description: String { "\(cause) | \(format) | \(message) | \(namesOwn) | \(others)" }
    }

    /// What is expected of a death.
    struct Row: Sendable, CustomTestStringConvertible {
        let program: RuntimeProgram
        let way: String
        let cause: String
        let format: String
        /// Part of the message.
        let message: String
        let namesOwn: Bool

        var testDescription: String { "\(program.name), \(way)" }
    }

    private static let till = "the till is empty"
    private static let document = "reports-run"

    /// What becomes of an error that nobody catches. A `die` of Perl's is one line, as any warning is, and so is told of
    /// only where each failure is (`--on exit`).
    private static let errors: [(RuntimeProgram, String, String, String, Bool)] = [
        (.swift, "signal", "swift-backtrace-json", "TillIsEmpty", false), (.c, "signal", "assertion", till, true),
        (.cpp, "signal", "cpp-terminate", till, false),
        (.addressSanitizer, "exit", "sanitizer", "heap-use-after-free", true),
        (.rust, "exit", "rust-panic", till, true),
        (.go, "exit", "go-panic", till, true), (.python, "exit", "python-traceback", till, true),
        (.node, "exit", "node-report", till, true), (.java, "exit", "jvm-exception", till, true),
        (.ruby, "exit", "ruby-exception", till, true), (.php, "exit", "php-error", till, true),
    ]

    /// What becomes of a fault or an abort below the language. Without a core the stack of a C program is gone with it.
    private static let faults: [(RuntimeProgram, String, String, String, Bool)] = [
        (.swift, "signal", "swift-backtrace-json", "Bad pointer dereference", true),
        (.c, "signal", document, "SIGSEGV", false), (.cpp, "signal", document, "SIGSEGV", false),
        (.addressSanitizer, "exit", "sanitizer", "SEGV", true),
        (.rust, "signal", document, "SIGSEGV", false), (.go, "exit", "go-panic", "nil pointer dereference", true),
        (.python, "signal", "python-faulthandler", "Segmentation fault", true),
        (.node, "signal", "node-fatal", "abort", true), (.java, "signal", "jvm-hs-err", "SIGSEGV", true),
        (.ruby, "signal", "ruby-bug", "Segmentation fault", true), (.php, "signal", document, "SIGSEGV", false),
        (.perl, "signal", document, "SIGSEGV", false),
    ]

    static func rows(_ way: String) -> [Row] {
        let rows: [(RuntimeProgram, String, String, String, Bool)] =
            switch way {
            case "error": errors
            case "native": faults
            case "memory": RuntimeProgram.all.map { ($0, "oom", document, "killed for want of memory", false) }
            default: RuntimeProgram.all.map { ($0, "killed", document, "killed by another process", false) }
            }
        return rows.filter { $0.0.isInstalled }.map { program, cause, format, message, namesOwn in
            Row(program: program, way: way, cause: cause, format: format, message: message, namesOwn: namesOwn)
        }
    }

    /// Runs a program to its death, and tells of the incident.
    private func told(
        _ program: RuntimeProgram, _ way: String, _ tool: ReportsTool, _ server: LoopbackServer
    ) async throws -> Told {
        let command = try await program.make(in: tool.home, tool.environment)
        let run = "cd && exec \"$run\" --name shop -- \"$@\""
        let shell = way == "memory" ? "\(MemoryGroup.enter)\n\(run)" : run
        var environment = tool.environment
        (environment["run"], environment["TZ"]) = (ReportsTool.runner, "UTC")
        environment["group_name"] = "reports-test-\(UUID().uuidString)"
        _ = try await runAsynchronously(
            "/bin/sh", ["-c", shell, "sh"] + command + [way], environment: environment)
        _ = try await runAsynchronously("/bin/sh", ["-c", MemoryGroup.remove], environment: environment)
        // Nobody takes them, so that the payloads can be looked into.
        _ = try await tool.submit(to: server)
        let reports = try await tool.objects("list")
        let crashes = reports.filter { $0["kind"]?.stringValue == "crash" }
        #expect(crashes.count == 1, "\(reports)")
        let crash = try #require(crashes.first)
        let incidents = Set(reports.map { $0["annotations"]?["incident"]?.stringValue ?? "" })
        #expect(incidents.count == 1 && !incidents.contains(""), "\(reports)")
        #expect(reports.allSatisfy { $0["annotations"]?["service"]?.stringValue == "shop" })
        let shown = try await tool.run("show", crash["id"]?.stringValue ?? "").output
        let others = reports.filter { $0["kind"]?.stringValue != "crash" }
        return Told(
            cause: crash["annotations"]?["run.cause"]?.stringValue ?? "", format: crash["format"]?.stringValue ?? "",
            message: crash["annotations"]?["run.message"]?.stringValue ?? "",
            namesOwn: shown.contains("settle") || shown.contains(program.file + ":"),
            others: others.compactMap { $0["format"]?.stringValue }.sorted())
    }

    private func expect(_ row: Row) async throws {
        try await withTool(server: ServerScript.always(.response(503))) { tool, server in
            let told = try await told(row.program, row.way, tool, server)
            if ProcessInfo.processInfo.environment["REPORTS_SHOW_DEATHS"] != nil {
                print("| \(row.program.name) | \(row.way) | \(told)")
            }
            #expect(told.cause == row.cause && told.format == row.format, "\(told)")
            #expect(told.message.contains(row.message), "\(told)")
            #expect(told.namesOwn == row.namesOwn, "\(told)")
            #expect(told.format == "reports-run" || told.others.contains("reports-run"), "\(told)")
        }
    }

    @Test("an error that nobody catches", arguments: rows("error"))
    func uncaught(row: Row) async throws { try await expect(row) }

    @Test("a crash below the language", arguments: rows("native"))
    func native(row: Row) async throws { try await expect(row) }

    @Test(
        "killed by the kernel for want of memory",
        .enabled(if: MemoryGroup.isPossible, "needs root and a memory group"), arguments: rows("memory"))
    func memory(row: Row) async throws { try await expect(row) }

    @Test("killed by SIGKILL", arguments: rows("kill"))
    func killed(row: Row) async throws { try await expect(row) }

    @Test("a runtime is there", arguments: RuntimeProgram.all)
    func runtime(program: RuntimeProgram) throws {
        if !program.isInstalled { try Test.cancel("needs \(program.tool)") }
    }
}

/// A control group that has 256 MiB of memory.
enum MemoryGroup {
    /// Shell that makes such a group and enters it; ends with 99 where that cannot be.
    static let enter = """
        for base in /sys/fs/cgroup/memory /sys/fs/cgroup; do
            group=$base/$group_name
            mkdir "$group" 2>/dev/null || continue
            for limit in memory.max memory.limit_in_bytes; do
                [ -e "$group/$limit" ] || continue
                echo 268435456 >"$group/$limit" && echo $$ >"$group/cgroup.procs" && entered=1
            done
            [ -n "$entered" ] && break
            rmdir "$group"
        done
        [ -n "$entered" ] || exit 99
        """

    /// Shell that removes it, when nothing is left in it.
    static let remove = #"rmdir "/sys/fs/cgroup/memory/$group_name" "/sys/fs/cgroup/$group_name" 2>/dev/null"#

    static let isPossible: Bool = {
        let environment = ["PATH": "/usr/bin:/bin", "group_name": "reports-test-\(UUID().uuidString)"]
        let result = try? run("/bin/sh", ["-c", "(\(enter))"], environment: environment)
        _ = try? run("/bin/sh", ["-c", remove], environment: environment)
        return result?.status == 0
    }()
}
