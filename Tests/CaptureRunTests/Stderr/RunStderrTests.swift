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
                while lives(): time.sleep(0.01)
                dead = time.monotonic() - start
                status = p.wait()
                print(status, dead < 1, time.monotonic() - start < 5, dead, time.monotonic() - start)
                """)
            #expect(result.output.hasPrefix("-15 True True"), "\(result.output)\(result.errors)")
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
            for words in [program, "\"$run\" --quiet -- " + program] {
                let line = "{ \(words) 2>&1 >&3 3>&-; echo $? >&3; } 3>\"$home/out\" | true; cat \"$home/out\""
                let result = try await tool.shell(line)
                #expect(["141\n", "9\n"].contains(result.output), "\(result.output)")
            }
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
