import DurableIO
import TestSupport
import Testing

@testable import CaptureRun

/// Whatever runs without the wrapper runs with it.
@Suite("A machine that lacks something")
struct ScarceMachineTests {
    @Test("without /proc the program runs, and its crash is caught", .enabled(if: canMakeNamespaces, "no namespaces"))
    func noProc() async throws {
        try await withRunTool { tool in
            let program = #"sh -c 'echo "$1"; kill -SEGV $$' sh "two words""#
            let line = #"unshare -m sh -c 'mount -t tmpfs none /proc; exec "$@"' sh "$run" -- \#(program)"#
            let result = try await tool.shell(line)
            #expect(result.output == "two words\n" && !result.errors.contains("reports-run"), "\(result.errors)")
            let drops = try await tool.shell(#"ls "$REPORTS_SPOOL/incoming" | wc -l"#)
            #expect(drops.output == "1\n")
        }
    }

    @Test(
        "where incoming/ is a mount of its own, the crash arrives in it",
        .enabled(if: canMakeNamespaces, "there are no namespaces"))
    func mountedRoom() async throws {
        try await withRunTool { tool in
            try tool.file(
                "script",
                """
                mkdir -p "$REPORTS_SPOOL/incoming"
                mount -t tmpfs -o mode=700 none "$REPORTS_SPOOL/incoming"
                "$run" -- sh -c 'kill -SEGV $$'
                ls -A "$REPORTS_SPOOL/incoming" | sed 's/-.*\\./-N./'
                ls -A "$REPORTS_SPOOL/runs"
                """)
            let result = try await tool.shell(#"unshare -m sh "$home/script""#)
            #expect(result.output == "run-N.gz\n" && !result.errors.contains("reports-run"), "\(result.errors)")
        }
    }

    @Test(
        "in a namespace of processes that the program begins, it runs",
        .enabled(if: canMakeNamespaces, "there are no namespaces"))
    func firstOfNamespace() async throws {
        try await withRunTool { tool in
            let result = try await tool.shell(#"unshare -p "$run" -- sh -c 'echo "$$"; exit 3'; echo $?"#)
            #expect(result.output == "1\n3\n" && result.errors.isEmpty, "\(result.errors)")
        }
    }

    /// A user who may have a number of processes and threads, all told.
    private static let limited = """
        import resource
        user = 61000 + os.getpid() % 1000
        for name in ("spool", "folder"): os.mkdir(HOME + "/" + name, 0o700); os.chown(HOME + "/" + name, user, user)
        os.chmod(HOME, 0o755)
        def run(count, *words, stderr=-1, size=None):
            def become():
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
                resource.setrlimit(resource.RLIMIT_NPROC, (count, count))
                if size is not None: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            result = subprocess.run([RUN[0], "--"] + list(words), stdout=-1, stderr=stderr, preexec_fn=become)
            return result.returncode, result.stdout.decode(), (result.stderr or b"").decode()
        def drops(): return len(os.listdir(HOME + "/spool/incoming"))

        """

    @Test(
        "without room for a thread the program runs, and its crash is caught",
        .enabled(if: UserIdentity.current == 0, "needs root"),
        .enabled(if: isInstalled("python3"), "python3 is not installed"))
    func noThread() async throws {
        try await withRunTool { tool in
            let result = try await tool.python(
                Self.limited + """
                    print(run(2, "/bin/sh", "-c", "echo out; echo err >&2; kill -SEGV $$"), drops())
                    """)
            #expect(result.output == #"(-11, 'out\n', 'err\n') 1"# + "\n", "\(result.output)\(result.errors)")
        }
    }

    @Test(
        "without room for a process the program takes the wrapper's place, which says so once",
        .enabled(if: UserIdentity.current == 0, "needs root"),
        .enabled(if: isInstalled("python3"), "python3 is not installed"))
    func noProcess() async throws {
        try await withRunTool { tool in
            let result = try await tool.python(
                Self.limited + """
                    status, out, err = run(1, "/bin/sh", "-c", "echo $$; echo err >&2; kill -TERM $$")
                    print(status, out.strip().isdigit(), drops(), os.listdir(HOME + "/spool/runs"))
                    print(err, end="")
                    print(run(1, "/no/such/program")[0])
                    """)
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(lines.count == 4 && lines.first == "-15 True 0 []", "\(result.output)\(result.errors)")
            #expect(
                lines.dropFirst().first
                    == "reports-run: a crash of this program will not be reported: there is no room for a process: "
                    + "Resource temporarily unavailable", "\(result.output)")
            #expect(lines.suffix(2) == ["err", "127"])
        }
    }

    @Test(
        "what the wrapper gets for a write of its own keeps no program that takes its place from running",
        .enabled(if: UserIdentity.current == 0, "needs root"),
        .enabled(if: isInstalled("python3"), "python3 is not installed"))
    func ownSignals() async throws {
        try await withRunTool { tool in
            let result = try await tool.python(
                Self.limited + """
                    # Nobody reads the warning; and the spool's files are larger than a file may be.
                    read, write = os.pipe()
                    os.close(read)
                    print(run(1, "/bin/sh", "-c", "echo out; exit 3", stderr=write))
                    print(run(1, "/bin/sh", "-c", "echo out; exit 3", size=16)[:2])
                    """)
            #expect(result.output == "(3, 'out\\n', '')\n(3, 'out\\n')\n", "\(result.output)\(result.errors)")
        }
    }

    @Test(
        "a warning that nobody reads does not end the program",
        .enabled(if: isInstalled("python3"), "python3 is not installed"))
    func unreadWarning() async throws {
        try await withRunTool { tool in
            let result = try await tool.python(
                """
                import shutil
                # Without `reports` beside it, which is to send what waits: it warns while the program runs.
                run = shutil.copy(RUN[0], HOME)
                os.makedirs(HOME + "/spool/incoming", 0o700)
                open(HOME + "/spool/incoming/drop.txt", "w").write("text")
                os.chmod(HOME + "/spool", 0o700)
                read, write = os.pipe()
                os.close(read)
                print(subprocess.run([run, "--submit", "2", "--", "sleep", "0.5"], stderr=write).returncode)
                """)
            #expect(result.output == "0\n", "\(result.errors)")
        }
    }

    @Test("without memory for standard error the program runs, and its crash is caught")
    func noMemory() async throws {
        try await withRunTool { tool in
            try tool.file("little", "echo err >&2; kill -SEGV $$\n")
            try tool.file("much", "yes 0123456789abcde | head -n 1250000 >&2; echo err >&2; kill -SEGV $$\n")
            let line = """
                for limit in 30000 34000 38000 40000 44000 48000 56000 64000 96000; do
                    # With less, the loader of this build itself finds no memory.
                    (ulimit -v $limit; "$run" --version >"$home/version" 2>&1) || continue
                    for program in little much; do
                        (ulimit -v $limit; "$run" --keep 16MiB --stderr tee -- sh "$home/$program" 2>"$home/err")
                        echo "$? $(tail -c 4 "$home/err")"
                    done
                done
                """
            let result = try await tool.shell(line)
            let lines = result.output.split(separator: "\n")
            #expect(!lines.isEmpty && lines.allSatisfy { $0 == "139 err" }, "\(result.output)\(result.errors)")
            #expect(try tool.drops().count { $0.kind == "crash" } == lines.count)
        }
    }

    @Test("a spool that is no UTF-8 becomes no other directory, and keeps no program from running")
    func spoolOfBytes() async throws {
        try await withRunTool { tool in
            let odd = #"odd=$(printf '/s\377'); "#
            let ways = [
                #""$run" --spool "$home$odd""#, #""$run" "--spool=$home$odd""#, #"REPORTS_SPOOL="$home$odd" "$run""#,
            ]
            for way in ways {
                let result = try await tool.shell(odd + way + #" -- sh -c 'echo out; exit 3'; echo $?; ls "$home""#)
                #expect(result.output == "out\n3\n", "\(way): \(result.output)")
                #expect(
                    result.errors.hasPrefix("reports-run: a crash of this program will not be reported: the spool's ")
                        && result.errors.split(separator: "\n").count == 1, "\(way): \(result.errors)")
            }
            let wrong = try await tool.shell(#"name=$(printf 'A\377'); "$run" --env "+$name" -- echo out; echo $?"#)
            #expect(wrong.output == "125\n" && wrong.errors.contains("--env"), "\(wrong.errors)")
            // The last one counts.
            let line = #""$run" --spool "$home$odd" --spool "$home/spool" -- true; ls "$home""#
            let mended = try await tool.shell(odd + line)
            #expect(mended.output == "spool\n" && mended.errors.isEmpty, "\(mended.errors)")
        }
    }
}
