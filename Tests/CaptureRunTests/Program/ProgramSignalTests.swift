import TestSupport
import Testing

@testable import CaptureRun

@Suite("Signals of a program", .enabled(if: isInstalled("python3"), "python3 is not installed"))
struct ProgramSignalTests {
    /// Says `ready`, counts a signal, and says how often it came when a line comes and it has come as often as is expected:
    /// once, unless another number is the third word. A second signal makes it say `next`.
    ///
    /// The interpreter makes one call of two signals that come one behind the other. So it counts the bytes that its own
    /// handler, in C, writes for each.
    private static let counter = """
        PROGRAM = [sys.executable, "-u", "-c", '''
        import os, select, signal, sys, time
        number = int(sys.argv[1])
        read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write)
        signal.signal(number, lambda *_: None)
        if number != signal.SIGUSR2: signal.signal(signal.SIGUSR2, lambda *_: print("next"))
        print("ready", os.getpid())
        if len(sys.argv) > 2 and sys.argv[2] == "group": os.killpg(0, number)
        while True:
            line = sys.stdin.readline()
            if line: break
        wanted, count, end = int(sys.argv[3]) if len(sys.argv) > 3 else 1, 0, time.monotonic() + 20
        # What was sent on is under way for a moment; and one that is too many comes no later than that behind it.
        while select.select([read], [], [], max(0, end - time.monotonic()) if count < wanted else 0.3)[0]:
            count += os.read(read, 4096).count(bytes([number]))
        print("count", count)
        ''']

        """

    private func count(_ body: String) async throws -> String {
        var output = ""
        try await withRunTool { tool in
            let result = try await tool.python(Self.counter + body)
            #expect(result.status == 0, "\(result.errors)")
            output = result.output
        }
        return output
    }

    @Test("what is sent to the wrapper alone reaches the program once", arguments: [15, 1, 2, 10, 12, 6, 34, 64])
    func direct(signal: Int32) async throws {
        let output = try await count(
            """
            p = subprocess.Popen(RUN + ["--"] + PROGRAM + ["\(signal)"], stdin=-1, stdout=-1, start_new_session=True)
            wait_for(p.stdout.fileno(), b"\\n")
            os.kill(p.pid, \(signal))
            p.stdin.write(b"\\n"); p.stdin.flush()
            print(wait_for(p.stdout.fileno(), b"\\n").decode(), p.wait())
            """)
        #expect(output == "count 1\n 0\n")
    }

    /// A signal above 31 is queued as often as it is sent; of others two may become one while the program has no turn.
    @Test("what the program sends to its whole group reaches it once", arguments: [15, 40])
    func groupFromInside(signal: Int32) async throws {
        let output = try await count(
            """
            words = RUN + ["--"] + PROGRAM + ["\(signal)", "group"]
            p = subprocess.Popen(words, stdin=-1, stdout=-1, start_new_session=True)
            wait_for(p.stdout.fileno(), b"\\n")
            p.stdin.write(b"\\n"); p.stdin.flush()
            print(wait_for(p.stdout.fileno(), b"\\n").decode(), p.wait())
            """)
        #expect(output == "count 1\n 0\n")
    }

    @Test("who has started the wrapper can stop the program from the same group")
    func parentInGroup() async throws {
        let output = try await count(
            """
            os.setpgid(0, 0)
            p = subprocess.Popen(RUN + ["--"] + PROGRAM + ["15"], stdin=-1, stdout=-1)
            wait_for(p.stdout.fileno(), b"\\n")
            assert os.getpgid(p.pid) == os.getpgrp()
            p.terminate()
            p.stdin.write(b"\\n"); p.stdin.flush()
            print(wait_for(p.stdout.fileno(), b"\\n").decode(), p.wait())
            """)
        #expect(output == "count 1\n 0\n")
    }

    @Test("what a stranger sends to the group reaches the program once", arguments: [15, 1, 2, 10, 34])
    func groupFromOutside(signal: Int32) async throws {
        let output = try await count(
            """
            for _ in range(5):
                p = subprocess.Popen(
                    RUN + ["--"] + PROGRAM + ["\(signal)"], stdin=-1, stdout=-1, start_new_session=True)
                wait_for(p.stdout.fileno(), b"\\n")
                os.killpg(p.pid, \(signal))
                p.stdin.write(b"\\n"); p.stdin.flush()
                print(wait_for(p.stdout.fileno(), b"\\n").decode(), p.wait(), end=";")
            """)
        #expect(output == String(repeating: "count 1\n 0;", count: 5))
    }

    @Test("two that come to the group within a moment reach the program no more than twice")
    func groupTwice() async throws {
        let output = try await count(
            """
            worst = 0
            for i in range(20):
                words = RUN + ["--"] + PROGRAM + ["15", "alone"]
                p = subprocess.Popen(words, stdin=-1, stdout=-1, start_new_session=True)
                wait_for(p.stdout.fileno(), b"\\n")
                end = time.monotonic() + 20
                while len(open("/proc/%d/task/%d/children" % (p.pid, p.pid)).read().split()) < 2:
                    assert time.monotonic() < end
                start = time.monotonic()
                os.killpg(p.pid, 15)
                while time.monotonic() < start + 0.0001: pass
                os.killpg(p.pid, 15)
                p.stdin.write(b"\\n"); p.stdin.flush()
                worst = max(worst, int(wait_for(p.stdout.fileno(), b"\\n").split()[1]))
                assert p.wait() == 0
            print(worst in (1, 2), worst)
            """)
        #expect(output.hasPrefix("True"), "\(output)")
    }

    @Test("what an ancestor sends to the group reaches the program once")
    func groupFromAncestor() async throws {
        let output = try await count(
            """
            os.setpgid(0, 0)
            signal.signal(signal.SIGTERM, lambda *_: None)
            for _ in range(5):
                p = subprocess.Popen(RUN + ["--"] + PROGRAM + ["15"], stdin=-1, stdout=-1)
                wait_for(p.stdout.fileno(), b"\\n")
                os.kill(0, 15)
                p.stdin.write(b"\\n"); p.stdin.flush()
                print(wait_for(p.stdout.fileno(), b"\\n").decode(), p.wait(), end=";")
            """)
        #expect(output == String(repeating: "count 1\n 0;", count: 5))
    }

    @Test("a program 'kill' in a script of the same group stops the program")
    func killFromScript() async throws {
        let output = try await count(
            """
            os.setpgid(0, 0)
            for _ in range(5):
                p = subprocess.Popen(RUN + ["--"] + PROGRAM + ["15"], stdin=-1, stdout=-1)
                wait_for(p.stdout.fileno(), b"\\n")
                subprocess.run(["/bin/kill", str(p.pid)], check=True)
                p.stdin.write(b"\\n"); p.stdin.flush()
                print(wait_for(p.stdout.fileno(), b"\\n").decode(), p.wait(), end=";")
            """)
        #expect(output == String(repeating: "count 1\n 0;", count: 5))
    }

    /// As a service manager does with a control group, and as `pkill` does.
    @Test("who signals wrapper, program and second process one after the other reaches the program once each time")
    func eachOfList() async throws {
        let output = try await count(
            """
            words = RUN + ["--"] + PROGRAM + ["15", "alone", "2"]
            p = subprocess.Popen(words, stdin=-1, stdout=-1, start_new_session=True)
            wait_for(p.stdout.fileno(), b"\\n")
            end = time.monotonic() + 20
            while True:
                children = open("/proc/%d/task/%d/children" % (p.pid, p.pid)).read().split()
                if len(children) == 2: break
                assert time.monotonic() < end
            os.kill(p.pid, signal.SIGSTOP)
            for pid in [p.pid] + [int(child) for child in children]: os.kill(pid, 15)
            os.kill(p.pid, signal.SIGCONT)
            # Until the program has got it, and the wrapper has asked the second process, and so has decided.
            for pid in children:
                while True:
                    status = open("/proc/%s/status" % pid).read().split("ShdPnd:")[1].split()[0]
                    if int(status, 16) >> 14 & 1 == 0: break
                    assert time.monotonic() < end
            # Two of one number that come at once are one, so another comes in between.
            os.kill(p.pid, signal.SIGUSR2)
            wait_for(p.stdout.fileno(), b"next\\n")
            # What was sent to all is no reason to keep what is sent to the wrapper alone afterwards.
            os.kill(p.pid, 15)
            p.stdin.write(b"\\n"); p.stdin.flush()
            print(wait_for(p.stdout.fileno(), b"\\n").decode(), p.wait())
            """)
        #expect(output == "count 2\n 0\n")
    }

    @Test(
        "a second process that is dead or stopped keeps no signal from the program", arguments: ["SIGKILL", "SIGSTOP"])
    func deafSecond(signal: String) async throws {
        let output = try await count(
            """
            p = subprocess.Popen(RUN + ["--"] + PROGRAM + ["15"], stdin=-1, stdout=-1, start_new_session=True)
            wait_for(p.stdout.fileno(), b"\\n")
            end = time.monotonic() + 20
            while True:
                children = open("/proc/%d/task/%d/children" % (p.pid, p.pid)).read().split()
                if len(children) == 2: break
                assert time.monotonic() < end
            os.kill(int(children[1]), signal.\(signal))
            os.kill(p.pid, 15)
            p.stdin.write(b"\\n"); p.stdin.flush()
            print(wait_for(p.stdout.fileno(), b"\\n").decode(), p.wait())
            """)
        #expect(output == "count 1\n 0\n")
    }

    @Test("the second process has no name of ours and nothing open, and is gone with the wrapper")
    func quietSecond() async throws {
        let output = try await count(
            """
            for end in ("term", "kill"):
                p = subprocess.Popen(RUN + ["--", "sh", "-c", "echo go; exec sleep 60"], stdout=-1)
                wait_for(p.stdout.fileno(), b"go\\n")
                late = time.monotonic() + 20
                while True:
                    children = open("/proc/%d/task/%d/children" % (p.pid, p.pid)).read().split()
                    if len(children) == 2 and os.listdir("/proc/%s/fd" % children[1]) == ["0"]: break
                    assert time.monotonic() < late
                second = "/proc/" + children[1]
                print(open(second + "/comm").read().strip(), open(second + "/cmdline").read().strip(chr(0)) == "")
                os.kill(p.pid, signal.SIGTERM if end == "term" else signal.SIGKILL)
                p.wait()
                def gone():
                    try: return open(second + "/stat").read().split(") ")[1][0] == "Z"
                    except OSError: return True
                while not gone(): assert time.monotonic() < late
            print("ok")
            """)
        #expect(output == "group-watch True\ngroup-watch True\nok\n")
    }

    @Test("^C of the terminal reaches the program once")
    func interrupt() async throws {
        let output = try await count(
            """
            pid, terminal = pty.fork()
            if pid == 0: os.execv(RUN[0], RUN + ["--"] + PROGRAM + ["2"])
            wait_for(terminal, b"ready")
            os.write(terminal, b"\\x03")
            wait_for(terminal, b"^C")
            os.write(terminal, b"\\n")
            print(wait_for(terminal, b"count 1") and "once", os.waitpid(pid, 0)[1])
            """)
        #expect(output == "once 0\n")
    }

    @Test("the hang-up of its terminal reaches a program whose wrapper leads the session")
    func hangUp() async throws {
        let output = try await count(
            """
            read, write = os.pipe()
            pid, terminal = pty.fork()
            if pid == 0:
                os.dup2(write, 9)
                os.execv(RUN[0], RUN + ["--", "sh", "-c", "trap 'echo hung >&9; exit' HUP; echo go; while :; do sleep 0.1; done"])
            os.close(write)
            wait_for(terminal, b"go")
            os.close(terminal)
            print(wait_for(read, b"hung").decode())
            """)
        #expect(output == "hung\n\n")
    }

    @Test("an alarm that was set before the wrapper was started reaches the program")
    func alarm() async throws {
        let output = try await count(
            """
            pid = os.fork()
            if pid == 0:
                signal.setitimer(signal.ITIMER_REAL, 0.3)
                os.execv(RUN[0], RUN + ["--", "sleep", "60"])
            print(os.waitpid(pid, 0)[1])
            """)
        #expect(output == "14\n")
    }

    @Test("a value that is sent along arrives")
    func value() async throws {
        try await withRunTool { tool in
            let program = try await tool.compile(
                "value",
                """
                #include <signal.h>
                #include <stdio.h>
                int main(void) {
                    sigset_t set; siginfo_t info;
                    sigemptyset(&set); sigaddset(&set, SIGRTMIN + 1); sigprocmask(SIG_BLOCK, &set, 0);
                    puts("ready"); fflush(stdout);
                    sigwaitinfo(&set, &info);
                    printf("%d\\n", info.si_value.sival_int);
                }
                """)
            let result = try await tool.python(
                """
                import ctypes
                p = subprocess.Popen(RUN + ["--", "\(program)"], stdout=-1, start_new_session=True)
                wait_for(p.stdout.fileno(), b"ready")
                ctypes.CDLL(None).sigqueue(p.pid, signal.SIGRTMIN + 1, ctypes.c_void_p(4711))
                print(wait_for(p.stdout.fileno(), b"\\n").decode(), p.wait())
                """)
            #expect(result.output == "4711\n 0\n", "\(result.errors)")
        }
    }

    @Test("mask, ignored signals and SIGPIPE are as without the wrapper")
    func inherited() async throws {
        let output = try await count(
            """
            def state(words):
                def prepare():
                    signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR1, signal.SIGTERM])
                    for number in (signal.SIGHUP, signal.SIGCHLD): signal.signal(number, signal.SIG_IGN)
                text = subprocess.run(
                    words + ["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"], stdout=-1, preexec_fn=prepare,
                    check=True).stdout
                # Signals 32 and 33 are the C library's own.
                return [int(line.split()[1], 16) & ~0x180000000 for line in text.splitlines()]
            bare, wrapped = state([]), state(RUN + ["--"])
            print(bare == wrapped and bare[0] == 0x4200 and bare[1] & 0x10001 == 0x10001, bare, wrapped)
            """)
        #expect(output.hasPrefix("True"), "\(output)")
    }

    @Test("the program lives on while nothing happens in the wrapper, whose threads have come and gone")
    func undisturbed() async throws {
        let output = try await count(
            """
            read, write = os.pipe()
            p = subprocess.Popen(
                RUN + ["--stderr", "tee", "--", "sh", "-c", "echo go; read line; exit 6"], stdin=-1, stdout=-1,
                preexec_fn=lambda: os.dup2(write, 9), close_fds=False)
            os.close(write)
            wait_for(p.stdout.fileno(), b"\\n")
            def switches():
                found = {}
                for thread in os.listdir("/proc/%d/task" % p.pid):
                    for line in open("/proc/%d/task/%s/status" % (p.pid, thread)):
                        if "ctxt_switches" in line: found[thread, line.split(":")[0]] = line
                return found
            for _ in range(10):
                before = switches()
                # Dead, the program holds the pipe no more.
                assert not select.select([read], [], [], 2)[0], "the program is dead"
                if switches() == before: break
            else:
                assert False, "the wrapper is not quiet"
            p.stdin.write(b"\\n"); p.stdin.flush()
            print(p.wait())
            """)
        #expect(output == "6\n")
    }

    @Test("a wrapper that is killed takes the program with it, unless that may live on")
    func killed() async throws {
        let output = try await count(
            """
            for more in ([], ["--orphan"]):
                read, write = os.pipe()
                p = subprocess.Popen(
                    RUN + more + ["--", "sh", "-c", "echo $$; read line; echo lives >&9"], stdin=-1, stdout=-1,
                    preexec_fn=lambda: os.dup2(write, 9), close_fds=False)
                os.close(write)
                program = int(wait_for(p.stdout.fileno(), b"\\n"))
                p.kill(); p.wait()
                if more:
                    p.stdin.write(b"\\n"); p.stdin.flush()
                    print(wait_for(read, b"lives").decode())
                else:
                    # Dead, it holds the pipe no more.
                    select.select([read], [], [], 20)
                    print("dead" if os.read(read, 1) == b"" else "alive")
            """)
        #expect(output == "dead\nlives\n\n")
    }
}
