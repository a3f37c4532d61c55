import TestSupport
import Testing

/// A program that has told of an error which it survived, and dies of something else.
@Suite(
    "An error that was handled long before the end",
    .enabled(if: isInstalled("python3"), "python3 is not installed"))
struct HandledErrorTests {
    /// Tells of a handled error, writes a log, and ends as its argument says.
    private static let program = """
        import os, signal, sys, traceback
        signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
        try:
            raise ValueError("handled long ago")
        except ValueError:
            traceback.print_exc()
        for i in range(20000):
            sys.stderr.write("INFO request %d served, all is well, nothing to see here at all\\n" % i)
        sys.stderr.flush()
        how = sys.argv[1]
        if how == "wait":
            print("ready", flush=True)
            signal.pause()
        if how == "kill":
            os.kill(os.getpid(), 9)
        if how == "raise":
            raise KeyError("at the end")

        """

    @Test("is no crash of a program that ends on request")
    func asked() async throws {
        try await withRunTool { tool in
            try tool.file("service.py", Self.program)
            let result = try await tool.python(
                """
                p = subprocess.Popen(
                    RUN + ["--", sys.executable, HOME + "/service.py", "wait"], stdout=-1, stderr=subprocess.DEVNULL)
                wait_for(p.stdout.fileno(), b"ready")
                p.terminate()
                print(p.wait())
                """)
            #expect(result.output == "143\n", "\(result.errors)")
            #expect(try tool.drops().isEmpty)
        }
    }

    @Test(
        "is not what a killed program died of, and makes no crash of a good end; one at the end is one",
        arguments: [
            ("kill", "crash", "killed by another process (SIGKILL)"), ("well", "diagnostic", "exit status 0"),
            ("raise", "crash", "KeyError: 'at the end'"),
        ], ["auto", "tee"])
    func others(_ end: (how: String, kind: String, message: String), stderr: String) async throws {
        try await withRunTool { tool in
            try tool.file("service.py", Self.program)
            let line = #"""
                "$run" --quiet --on crash,any --stderr \#(stderr) -- python3 "$home/service.py" \#(end.how) 2>"$home/log"
                """#
            _ = try await tool.shell(line)
            let drops = try tool.drops()
            #expect(drops.allSatisfy { $0.annotation("run.message") == end.message }, "\(drops)")
            #expect(drops.contains { $0.kind == end.kind })
            #expect(drops.count { $0.payloadName?.hasPrefix("stderr-") == true } == (end.how == "raise" ? 1 : 0))
        }
    }
}
