import TestSupport
import Testing

@testable import CaptureRun

@Suite("Standard error of a program that is run")
struct RunStderrTests {
    @Test("it arrives whole, through a pipe, a file and /dev/null")
    func whole() async throws {
        try await withRunTool { tool in
            let script = try tool.file("script", "seq 1 20000 >&2; exit 3\n")
            let numbers = (1...20_000).map { "\($0)\n" }.joined()
            let piped = try await tool.run("--", "sh", script)
            #expect(piped.status == 3 && piped.errors == numbers)
            let line = "\"$run\" --quiet -- sh \(script) 2>\"$home/log\"; echo $?; cat \"$home/log\""
            let filed = try await tool.shell(line)
            #expect(filed.output == "3\n" + numbers)
            let silent = try await tool.shell("\"$run\" --quiet -- sh \(script) 2>/dev/null; echo $?")
            #expect(silent.output == "3\n")
        }
    }

    @Test(
        "a reader that does not read keeps no signal from the program",
        .enabled(if: isInstalled("python3"), "python3 is not installed"))
    func stoppedReader() async throws {
        try await withRunTool { tool in
            let result = try await tool.python(
                """
                flood = "import os\\nos.write(1, b'%d\\\\n' % os.getpid())\\nwhile 1: os.write(2, b'x' * 4096)"
                read, write = os.pipe()
                p = subprocess.Popen(RUN + ["--", sys.executable, "-c", flood], stdout=-1, stderr=write)
                number = int(wait_for(p.stdout.fileno(), b"\\n"))
                # Until nothing more fits in.
                before = -1
                while True:
                    filled = int.from_bytes(fcntl.ioctl(read, termios.FIONREAD, b"\\0" * 4), sys.byteorder)
                    if filled == before and filled >= 65536: break
                    before = filled
                    time.sleep(0.05)
                start = time.monotonic()
                p.terminate()
                def lives():
                    try: return ") Z" not in open("/proc/%d/stat" % number).read()
                    except OSError: return False
                while lives():
                    assert time.monotonic() < start + 20
                    time.sleep(0.01)
                # Still nobody reads.
                status = p.wait(20)
                print(status)
                """)
            #expect(result.output == "-15\n", "\(result.output)\(result.errors)")
        }
    }

    @Test(
        "a reader that reads when the wrapper has ended gets all, and then what a grandchild says later",
        .enabled(if: isInstalled("python3"), "python3 is not installed"))
    func lateReader() async throws {
        try await withRunTool { tool in
            let result = try await tool.python(
                """
                os.mkfifo(HOME + "/go")
                numbers = b"".join(b"%d\\n" % n for n in range(1, 20001))
                for tail, late in (("exit 3", b""), ("(read x <%s/go; echo late >&2) & exit 3" % HOME, b"late\\n")):
                    read, write = os.pipe()
                    p = subprocess.Popen(
                        RUN + ["--", "sh", "-c", "seq 1 20000 >&2; " + tail], stdin=subprocess.DEVNULL, stderr=write)
                    os.close(write)
                    status = p.wait()
                    if late: open(HOME + "/go", "w").write("x\\n")
                    print(status, open(read, "rb").read() == numbers + late)
                """)
            #expect(result.output == "3 True\n3 True\n", "\(result.output)\(result.errors)")
        }
    }

    @Test(
        "process 1, behind which nobody can stay, waits longer for a reader, and not for ever",
        .enabled(if: canMakeNamespaces && isInstalled("python3"), "there are no namespaces, or there is no python3"))
    func processOne() async throws {
        try await withRunTool { tool in
            let result = try await tool.python(
                """
                numbers = b"".join(b"%d\\n" % n for n in range(1, 20001))
                for reads in (True, False):
                    read, write = os.pipe()
                    p = subprocess.Popen(
                        ["unshare", "-fp", "--mount-proc"] + RUN + ["--", "sh", "-c", "seq 1 20000 >&2; echo; exit 3"],
                        stdout=-1, stderr=write)
                    os.close(write)
                    p.stdout.readline()
                    # Longer than a wrapper waits that can leave somebody behind.
                    time.sleep(2)
                    text = open(read, "rb").read() if reads else b""
                    print(p.wait(), text == numbers if reads else numbers.startswith(text))
                """)
            #expect(result.output == "3 True\n3 True\n", "\(result.output)\(result.errors)")
        }
    }

    @Test(
        "the time for which its reader is waited for is none of the program's",
        .enabled(if: canMakeNamespaces && isInstalled("python3"), "there are no namespaces, or there is no python3"))
    func lifeTime() async throws {
        try await withRunTool { tool in
            // Process 1 waits five seconds for a reader, and the program has a moment to live.
            let result = try await tool.python(
                """
                read, write = os.pipe()
                p = subprocess.Popen(
                    ["unshare", "-fp", "--mount-proc"] + RUN + ["--", "sh", "-c", "seq 1 20000 >&2; kill -SEGV $$"],
                    stderr=write)
                start = time.time()
                print(p.wait(), time.time() - start > 5)
                """)
            #expect(result.output == "139 True\n", "\(result.output)\(result.errors)")
            let times = try tool.drops().map { Int($0.annotation("run.uptime-ms") ?? "") ?? .max }
            #expect(times.count == 1 && times.allSatisfy { $0 < 5_000 }, "\(times)")
        }
    }

    @Test("a crash is found in a file that is written over, and none that stood there before")
    func writtenOver() async throws {
        try await withRunTool { tool in
            let panic = "panic: %s\\n\\ngoroutine 1 [running]:\\nmain.f()\\n\\t/srv/a.go:1\\n"
            try tool.file("script", "printf '\(panic)' \"$1\"; exit 2\n")
            let line = #"""
                sh "$home/script" old >"$home/log"; sh "$home/script" old >>"$home/log"
                "$run" --quiet -- sh -c 'echo all is well >&2; exit 3' 2<>"$home/log"; echo $?
                "$run" --quiet -- sh -c 'sh "$home/script" new >&2' 2<>"$home/log"; echo $?
                """#
            let result = try await tool.shell(line)
            #expect(result.output == "3\n2\n", "\(result.errors)")
            let crashes = try tool.drops().filter { $0.kind == "crash" }
            #expect(crashes.map { $0.annotation("run.message") } == ["panic: new"])
        }
    }

    @Test("trouble with the file in which its end is kept is none of the program's")
    func cutFile() async throws {
        try await withRunTool { tool in
            // Its first line is in the file before the cut.
            let script = """
                echo one >&2
                for n in $(seq 2000); do [ -s "$home"/spool/runs/*/stderr ] && break; sleep 0.01; done
                : >"$(echo "$home"/spool/runs/*/stderr)"
                seq 1 20000 >&2
                echo "panic: two" >&2
                printf '\\ngoroutine 1 [running]:\\nmain.f()\\n\\t/srv/a.go:1\\n' >&2
                exit 3
                """
            try tool.file("script", script)
            let result = try await tool.shell(#""$run" --quiet -- sh "$home/script"; echo $?"#)
            #expect(result.output == "3\n", "\(result.errors.suffix(2_000))")
            #expect(result.errors.hasSuffix("20000\npanic: two\n\ngoroutine 1 [running]:\nmain.f()\n\t/srv/a.go:1\n"))
            let drops = try tool.drops()
            #expect(drops.contains { $0.kind == "crash" && $0.annotation("run.message") == "panic: two" })
        }
    }

    @Test(
        "a file that the program may write and its user may not read is copied on its way",
        .enabled(if: isInstalled("python3"), "python3 is not installed"))
    func unreadableFile() async throws {
        try await withRunTool { tool in
            let result = try await tool.python(
                """
                import shutil
                # Another user may write wherever it has to, but root's file it may not open.
                os.chmod(HOME, 0o777)
                run = shutil.copy(RUN[0], HOME)
                log = os.open(HOME + "/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o200)
                def lose_rights():
                    if os.getuid() == 0:
                        os.setgroups([])
                        os.setgid(65534)
                        os.setuid(65534)
                panic = r"printf 'panic: till is empty\\n\\ngoroutine 1 [running]:\\nmain.f()\\n\\t/a.go:1\\n' >&2; exit 2"
                p = subprocess.Popen([run, "--quiet", "--", "sh", "-c", panic], stderr=log, preexec_fn=lose_rights)
                print(p.wait(), os.fstat(log).st_size > 0)
                """)
            #expect(result.output == "2 True\n", "\(result.errors)")
            let crashes = try tool.drops().filter { $0.kind == "crash" }
            #expect(crashes.map { $0.annotation("run.message") } == ["panic: till is empty"])
        }
    }

    @Test("a grandchild that holds it does not keep the wrapper, and what it says late arrives")
    func grandchild() async throws {
        try await withRunTool { tool in
            // The grandchild speaks when the wrapper has ended, and not before.
            let line = """
                mkfifo "$home/go"
                "$run" --quiet -- sh -c '(read x <"$home/go"; echo late >&2; echo later >&2) & exit 3'
                echo "status=$?" >&2
                echo x >"$home/go"
                """
            let result = try await tool.shell(line)
            #expect(result.errors == "status=3\nlate\nlater\n")
        }
    }

    @Test(
        "nobody stays behind for the helper of the Swift runtime",
        .enabled(if: isInstalled("python3"), "python3 is not installed"))
    func backtraceHelper() async throws {
        try await withRunTool { tool in
            let result = try await tool.python(
                """
                import shutil
                helper = shutil.copy(shutil.which("sleep"), HOME + "/swift-backtrace")
                p = subprocess.Popen(
                    RUN + ["--", "sh", "-c", helper + " 300 >/dev/null & echo $!; exit 3"], stdout=-1, stderr=-1)
                number = int(p.stdout.readline())
                status = p.wait()
                # Whoever stayed behind would hold it as long as the helper lives.
                assert select.select([p.stderr], [], [], 20)[0] and p.stderr.read() == b""
                os.kill(number, signal.SIGKILL)
                print(status)
                """)
            #expect(result.output == "3\n", "\(result.errors)")
        }
    }

    @Test("a program whose reader is gone ends as it would without the wrapper")
    func consumerGone() async throws {
        try await withRunTool { tool in
            let program = "sh -c 'while :; do echo x >&2 || exit 9; done'"
            var ends: [String] = []
            for words in [program, "\"$run\" --quiet -- " + program] {
                let line = "{ \(words) 2>&1 >&3 3>&-; echo $? >&3; } 3>\"$home/out\" | true; cat \"$home/out\""
                ends.append(try await tool.shell(line).output)
            }
            // 9 where SIGPIPE is ignored.
            #expect(ends[0] == ends[1] && ["141\n", "9\n"].contains(ends[0]), "\(ends)")
        }
    }

    @Test(
        "in a terminal it stays a terminal", .enabled(if: isInstalled("python3"), "python3 is not installed"))
    func terminal() async throws {
        try await withRunTool { tool in
            let result = try await tool.python(
                """
                for more in ([], ["--stderr", "tee"]):
                    pid, terminal = pty.fork()
                    if pid == 0: os.execv(RUN[0], RUN + more + ["--", "sh", "-c", "test -t 2; echo is=$?."])
                    print(b"is=0." in wait_for(terminal, b"."))
                    os.waitpid(pid, 0)
                """)
            #expect(result.output == "True\nFalse\n", "\(result.errors)")
        }
    }
}
