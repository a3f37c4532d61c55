import CaptureRun
import Foundation
import Reports
import TestSupport
import Testing

@Suite("'reports run'")
struct RunCommandTests {
    @Test("help is that of reports-run, however it is asked for", arguments: [["run", "--help"], ["help", "run"]])
    func help(words: [String]) async throws {
        try await withTool { tool in
            let result = try await tool.run(words)
            #expect(result.status == 0 && result.output == RunHelp.page && result.errors.isEmpty)
        }
    }

    @Test("the version is the library's")
    func version() async throws {
        try await withTool { tool in
            let version = try await tool.run("run", "--version")
            #expect(version.output == "\(ReportsVersion.current)\n")
        }
    }

    @Test("the program is run with its own options, the spool named before the command or behind it")
    func program() async throws {
        try await withTool { tool in
            let script = #"printf '%s|' "$@"; exit 5"#
            for words in [["--spool", tool.spool, "run"], ["run", "--spool=\(tool.spool)"]] {
                let result = try await tool.run(words + ["--", "sh", "-c", script, "sh", "--json", "run", "-h"])
                #expect(result.status == 5 && !result.wasSignalled && result.output == "--json|run|-h|")
            }
            let refused = try await tool.run("run", "--json", "--", "true")
            #expect(refused.status == 125)
        }
    }

    @Test("it needs no /proc", .enabled(if: canUnshare, "there are no namespaces"))
    func noProc() async throws {
        try await withTool { tool in
            let program = #"sh -c 'printf "%s|" "$@"; exit 5' sh "two words" --json"#
            let line = #"unshare -m sh -c 'mount -t tmpfs none /proc; exec "$@"' sh $reports run -- \#(program)"#
            let result = try await tool.shell(line)
            #expect(result.status == 5 && result.output == "two words|--json|", "\(result.errors)")
            let help = try await tool.shell("unshare -m sh -c 'mount -t tmpfs none /proc; exec $reports help run'")
            #expect(help.status == 0 && help.output == RunHelp.page, "\(help.errors)")
        }
    }

    @Test("signals that are ignored, and streams that are closed, are as without the tool")
    func surroundings() async throws {
        try await withTool { tool in
            // Signals above 31 are the C library's own.
            let facts = try tool.file(
                "facts",
                #"sed -n 's/^\(Sig[BI][lg][kn]\):.*\(.\{8\}\)$/\1 \2/p' /proc/self/status"#
                    + "; [ -e /proc/self/fd/0 ] || echo closed\n")
            let bare = try await tool.shell("sh \(facts) <&-")
            let result = try await tool.shell("$reports run --quiet -- sh \(facts) <&-")
            #expect(result.output == bare.output && bare.output.hasSuffix("closed\n"), "\(result.output)")
        }
    }

    @Test(
        "without reports-run it is 125, and the message says where it was looked for",
        .enabled(if: findExecutable("/usr/bin/reports-run") == nil, "reports-run is installed"))
    func missing() async throws {
        // On the same file system, where a second name costs nothing.
        let folder = URL(fileURLWithPath: ReportsTool.path).deletingLastPathComponent()
            .appending(path: "alone-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.linkItem(atPath: ReportsTool.path, toPath: folder + "/reports")
        let result = try await runAsynchronously(
            folder + "/reports", ["run", "--", "true"], environment: ["PATH": "/usr/bin:/bin"])
        #expect(result.status == 125 && result.output.isEmpty)
        #expect(
            result.errors.contains("neither at \(folder)/reports-run nor at /usr/bin/reports-run"), "\(result.errors)")
    }
}

/// Whether this user may mount where nobody else sees it.
private let canUnshare = (try? run("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/proc"]))?.status == 0
