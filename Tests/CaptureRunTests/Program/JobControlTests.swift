import TestSupport
import Testing

@Suite(
    "Job control", .enabled(if: isInstalled("python3") && isInstalled("bash"), "python3 and bash are not installed"))
struct JobControlTests {
    /// A shell with jobs in a terminal, and a program that says what it reads.
    private static let shell = """
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ["PS1"] = "prompt> "
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
        def say(text, wanted):
            os.write(terminal, text)
            return wait_for(terminal, wanted)
        wait_for(terminal, b"prompt> ")
        text = say(b"$run --quiet -- sh $home/program\\n", b";")
        number = int(text.split(b"pid=")[-1].split(b";")[0])
        say(b"one\\n", b"got-one")

        """

    private static let program = """
        echo "pid=$$;"
        while read -r line; do echo "got-$line"; done
        """

    private func run(_ body: String, program: String = program) async throws -> ToolResult {
        var result: ToolResult?
        try await withRunTool { tool in
            try tool.file("program", program)
            result = try await tool.python(Self.shell + body)
        }
        return try #require(result)
    }

    @Test("^Z stops program and wrapper, and fg goes on with both")
    func stopAndForeground() async throws {
        let result = try await run(
            """
            say(b"\\x1a", b"prompt> ")
            assert b"Stopped" in say(b"jobs; echo do''ne\\n", b"done")
            say(b"fg\\n", b"program")
            say(b"two\\n", b"got-two")
            say(b"\\x04", b"prompt> ")
            say(b"echo status=$?.\\n", b"status=0.")
            print("ok")
            """)
        #expect(result.output == "ok\n", "\(result.errors)")
    }

    @Test("a program that was stopped alone is stopped for the shell, and fg continues it")
    func stoppedAlone() async throws {
        let result = try await run(
            """
            os.kill(number, signal.SIGSTOP)
            wait_for(terminal, b"prompt> ")
            assert b"Stopped" in say(b"jobs; echo do''ne\\n", b"done")
            say(b"fg\\n", b"program")
            say(b"three\\n", b"got-three")
            say(b"\\x1a", b"prompt> ")
            say(b"bg\\n", b"prompt> ")
            # In the background it is stopped as soon as it reads.
            say(b"fg\\n", b"program")
            say(b"four\\n", b"got-four")
            say(b"\\x03", b"prompt> ")
            say(b"echo status=$?.\\n", b"status=130.")
            print("ok")
            """)
        #expect(result.output == "ok\n", "\(result.errors)")
    }

    @Test("without a terminal a wrapper whose program is stopped sends signals on and continues it")
    func noTerminal() async throws {
        try await withRunTool { tool in
            let result = try await tool.python(
                """
                p = subprocess.Popen(RUN + ["--", "sh", "-c", "echo $$; read line; exit 6"], stdin=-1, stdout=-1,
                    start_new_session=True)
                number = int(wait_for(p.stdout.fileno(), b"\\n"))
                def state(pid): return open("/proc/%d/stat" % pid).read().split(") ")[1][0]
                def await_state(pid, wanted):
                    end = time.monotonic() + 20
                    while state(pid) not in wanted:
                        assert time.monotonic() < end, (state(pid), wanted)
                        time.sleep(0.01)
                os.kill(number, signal.SIGSTOP)
                await_state(number, "T")
                await_state(p.pid, "S")
                os.kill(p.pid, signal.SIGCONT)
                await_state(number, "S")
                p.stdin.write(b"\\n"); p.stdin.flush()
                print(p.wait())
                """)
            #expect(result.output == "6\n", "\(result.errors)")
        }
    }

    @Test("a program that ignores or handles ^Z keeps its terminal", arguments: ["''", "'echo caught'"])
    func notStopped(trap: String) async throws {
        let result = try await run(
            """
            os.write(terminal, b"\\x1a")
            wait_for(terminal, b"^Z")
            say(b"two\\n", b"got-two")
            say(b"end\\n", b"prompt> ")
            say(b"echo status=$?.\\n", b"status=0.")
            print("ok")
            """,
            program: """
                trap \(trap) TSTP
                echo "pid=$$;"
                # A trap ends what is being read.
                while :; do read -r line && echo "got-$line" && [ "$line" = end ] && exit 0; done
                """)
        #expect(result.output == "ok\n", "\(result.errors)")
    }

    /// A script in a terminal without jobs: nobody looks at who is stopped.
    private static let script = """
        def state(pid): return open("/proc/%d/stat" % pid).read().split(") ")[1][0]
        def await_state(pid, wanted):
            end = time.monotonic() + 20
            while state(pid) not in wanted:
                assert time.monotonic() < end, (state(pid), wanted)
                time.sleep(0.001)
        pid, terminal = pty.fork()
        if pid == 0:
            words = ["sh", "-c", '"$@"; echo "script-goes-on=$?;"', "sh"] + RUN
            os.execvp("sh", words + ["--", "sh", "-c", 'echo "pid=$$;"; read line; exit 6'])
        number = int(wait_for(terminal, b";").split(b"pid=")[-1].split(b";")[0])

        """

    @Test("in a script a program that was stopped and continued alone ends, and the script goes on")
    func continuedInScript() async throws {
        try await withRunTool { tool in
            let result = try await tool.python(
                Self.script + """
                    for _ in range(20):
                        os.kill(number, signal.SIGSTOP)
                        await_state(number, "T")
                        os.kill(number, signal.SIGCONT)
                        await_state(number, "S")
                    os.write(terminal, b"\\n")
                    wait_for(terminal, b"script-goes-on=6;")
                    print("ok")
                    """)
            #expect(result.output == "ok\n", "\(result.errors)")
        }
    }

    @Test("in a script a program that was stopped alone and killed ends, and the script goes on")
    func killedInScript() async throws {
        try await withRunTool { tool in
            let result = try await tool.python(
                Self.script + """
                    parent = int(open("/proc/%d/stat" % number).read().split(") ")[1].split()[1])
                    os.kill(number, signal.SIGSTOP)
                    await_state(number, "T")
                    # Long enough for a wrapper that stops itself to have done so.
                    end = time.monotonic() + 0.3
                    while time.monotonic() < end and state(parent) != "T": time.sleep(0.01)
                    os.kill(number, signal.SIGKILL)
                    wait_for(terminal, b"script-goes-on=137;")
                    print("ok")
                    """)
            #expect(result.output == "ok\n", "\(result.errors)")
        }
    }
}
