import Testing

@testable import CaptureRun

@Suite("Using reports-run")
struct UsageTests {
    @Test("help and version go to standard output with status 0")
    func help() async throws {
        try await withRunTool { tool in
            let help = try await tool.start(RunTool.path, ["--help"])
            #expect(help.status == 0 && help.output == RunHelp.page && help.errors.isEmpty)
            let version = try await tool.start(RunTool.path, ["--version"])
            #expect(version.status == 0 && version.output == "\(RunHelp.version)\n")
        }
    }

    @Test("a wrong option is 125, with the usage on standard error, and nothing is run")
    func wrong() async throws {
        try await withRunTool { tool in
            let result = try await tool.run("--nmae", "shop", "--", "echo", "run")
            #expect(result.status == 125 && !result.wasSignalled && result.output.isEmpty)
            #expect(result.errors.hasPrefix("reports-run: there is no option --nmae; did you mean --name?\nusage: "))
        }
    }

    @Test("a program that is not there is 127, one that cannot be run 126")
    func missing() async throws {
        try await withRunTool { tool in
            let missing = try await tool.run("--", "/no/such/program")
            #expect(missing.status == 127)
            #expect(missing.errors == "reports-run: cannot run /no/such/program: No such file or directory\n")
            let unknown = try await tool.run("--", "nosuchprogram")
            #expect(unknown.status == 127)
            let text = try tool.file("text", "echo no\n")
            let plain = try await tool.run("--", text)
            #expect(plain.status == 126)
            let directory = try await tool.run("--", "/")
            #expect(directory.status == 126)
        }
    }

    @Test("the program is looked up in PATH, and a script without its first line is given to a shell")
    func lookup() async throws {
        try await withRunTool { tool in
            let found = try await tool.run("echo", "a", "b")
            #expect(found.output == "a b\n")
            let script = try tool.file("script", "echo \"$1\"; exit 4\n", mode: 0o755)
            let result = try await tool.run("--", script, "word")
            #expect(result.output == "word\n" && result.status == 4)
        }
    }

    @Test("arguments and variables that are no UTF-8 reach the program as they are")
    func bytes() async throws {
        try await withRunTool { tool in
            let line =
                #"word=$(printf 'a\377b'); export ODD="$word"; "#
                + #"exec "$run" --quiet -- sh -c 'printf "%s|%s" "$1" "$ODD"' sh "$word""#
            let result = try await tool.shell(line)
            #expect(result.stdout == [0x61, 0xff, 0x62, 0x7c, 0x61, 0xff, 0x62])
        }
    }

    @Test("a spool that cannot be used keeps no program from running, and is told of in one line unless it is quiet")
    func spool() async throws {
        try await withRunTool { tool in
            let blocked = try tool.file("blocked", "")
            let words = ["--spool", blocked + "/spool", "--", "sh", "-c", "echo out; echo err >&2; exit 3"]
            let result = try await tool.start(RunTool.path, words)
            #expect(result.status == 3 && result.output == "out\n")
            let lines = result.errors.split(separator: "\n")
            #expect(lines.count == 2 && lines.last == "err", "\(result.errors)")
            #expect(lines.first?.hasPrefix("reports-run: a crash of this program will not be reported: ") == true)
            let quiet = try await tool.start(RunTool.path, ["--quiet"] + words)
            #expect(quiet.status == 3 && quiet.errors == "err\n")
        }
    }
}
