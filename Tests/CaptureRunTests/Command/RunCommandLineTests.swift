import Testing

@testable import CaptureRun

@Suite("The command line of reports-run")
struct RunCommandLineTests {
    private func options(_ words: String...) throws -> RunOptions {
        guard case .run(let options, let index) = try RunCommandLine(words) else {
            throw RunCommandLine.Misuse("not to run")
        }
        #expect(Array(words[index...]) == options.command)
        return options
    }

    @Test("all options are read, with the value behind the name or behind an equals sign")
    func all() throws {
        let options = try options(
            "--spool", "/s", "--name=shop", "--release", "2.1", "--annotate", "a=b=c", "--annotate=d=", "--on",
            "exit,kill", "--stderr=tee", "--keep", "1 MiB", "--env", "none", "--env=+A,-B", "--java", "--sanitizers",
            "--go", "--core", "--argv", "full", "--annotate-env", "REGION", "--orphan", "--submit", "2.5", "--quiet",
            "--", "--odd", "-x")
        var expected = RunOptions()
        expected.spool = "/s"
        expected.name = "shop"
        expected.release = "2.1"
        expected.annotations = ["a": "b=c", "d": ""]
        expected.annotatedVariables = ["REGION"]
        expected.occasions = [.exit, .kill]
        expected.stderr = .tee
        expected.keptByteCount = 1 << 20
        expected.environment.setsDefaults = false
        expected.environment.added = ["A"]
        expected.environment.removed = ["B"]
        expected.isForJava = true
        expected.isForSanitizers = true
        expected.isForGo = true
        expected.raisesCoreLimit = true
        expected.tellsArguments = true
        expected.leavesOrphan = true
        expected.submitSeconds = 2.5
        expected.isQuiet = true
        expected.command = ["--odd", "-x"]
        #expect(options == expected)
    }

    @Test("a program without a dash needs no --, and its options are its own")
    func noDashes() throws {
        #expect(try options("--quiet", "ls", "--quiet", "--help").command == ["ls", "--quiet", "--help"])
        #expect(try options("-", "a").command == ["-", "a"])
        #expect(try options("--", "--", "a").command == ["--", "a"])
    }

    @Test("help and version are asked for before the program only")
    func help() throws {
        #expect(try RunCommandLine(["--help"]) == .help)
        #expect(try RunCommandLine(["--quiet", "-h", "ls"]) == .help)
        #expect(try RunCommandLine(["--version"]) == .version)
        #expect(try options("ls", "--version").command == ["ls", "--version"])
    }

    @Test(
        "what makes no sense is refused, and the words name it",
        arguments: [
            (["--nmae", "x", "ls"], "there is no option --nmae; did you mean --name?"),
            (["-x", "ls"], "there is no option -x"),
            (["--quiet=yes", "ls"], "--quiet takes no value"),
            (["--name"], "--name needs a value"),
            ([], "there is no program to run"),
            (["--quiet", "--"], "there is no program to run"),
            ([""], "the program's name is empty"),
            (["--spool=", "ls"], "--spool needs a directory"),
            (["--on", "crash,oops", "ls"], "--on 'oops': give one of crash, file, exit, kill, any"),
            (["--stderr", "pty", "ls"], "--stderr 'pty': give one of auto, tee, none"),
            (["--keep", "17MiB", "ls"], "--keep '17MiB': give bytes, or a number with KiB or MiB, of 16 MiB at most"),
            (["--keep", "-1", "ls"], "--keep '-1': give bytes, or a number with KiB or MiB, of 16 MiB at most"),
            (["--env", "A", "ls"], "--env 'A': give default, none, or +NAME and -NAME with commas between"),
            (["--env", "+A=B", "ls"], "--env '+A=B': give default, none, or +NAME and -NAME with commas between"),
            (["--argv", "all", "ls"], "--argv 'all': give program or full"),
            (["--submit", "0", "ls"], "--submit '0': give seconds, of 3600 at most"),
            (["--annotate", "novalue", "ls"], "--annotate 'novalue': give KEY=VALUE"),
            (["--annotate", "a b=c", "ls"], "--annotate 'a b': a key is 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'"),
            (
                ["--annotate", "run.message=x", "ls"],
                "--annotate 'run.message': this key says how the program ended; choose another"
            ),
            (
                ["--annotate-env", "incident", "ls"],
                "--annotate-env 'incident': this key says how the program ended; choose another"
            ),
            (["--annotate-env", "", "ls"], "--annotate-env '': a key is 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'"),
        ])
    func misuse(words: [String], message: String) {
        #expect(throws: RunCommandLine.Misuse(message)) { try RunCommandLine(words) }
    }

    @Test("annotations keep to their bounds, and are taken up to them")
    func bounds() throws {
        let many = (1...64).flatMap { ["--annotate", "k\($0)=v"] }
        #expect(try RunCommandLine(many + ["ls"]) != .help)
        #expect(throws: RunCommandLine.Misuse("there are more than 64 annotations")) {
            try RunCommandLine(many + ["--annotate-env", "A", "ls"])
        }
        let key = String(repeating: "k", count: 64)
        let value = String(repeating: "v", count: 1_024)
        #expect(try options("--annotate", "\(key)=\(value)", "ls").annotations == [key: value])
        #expect(throws: RunCommandLine.Misuse.self) { try RunCommandLine(["--annotate", "k\(key)=", "ls"]) }
        #expect(throws: RunCommandLine.Misuse("the annotation k: 1025 bytes; at most 1024 are kept")) {
            try RunCommandLine(["--annotate", "k=v\(value)", "ls"])
        }
        #expect(throws: RunCommandLine.Misuse("--name: 1025 bytes; at most 1024 are kept")) {
            try RunCommandLine(["--name", "v\(value)", "ls"])
        }
    }

    @Test("the help names every option, and no line of it is too wide for a terminal of 120 columns")
    func helpPage() {
        for name in Array(RunOptionTable.flags.keys) + RunOptionTable.values.keys + ["--help", "--version"] {
            #expect(RunHelp.page.contains("\(name)"), "\(name)")
        }
        #expect(RunHelp.page.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }
}
