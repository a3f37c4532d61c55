import Glibc
import Synchronization
import TestSupport
import Testing

@testable import ReportsCLI

/// What `watch` says goes to streams that others read, or do not.
@Suite("The log of reports watch", .timeLimit(.minutes(3)))
struct WatchLogTests {
    @Test("a standard output that takes nothing is told of once, and does not end the work")
    func fullOutput() async throws {
        try await withTool(server: .accepting) { tool, server in
            let result = try await tool.shell(
                """
                "$reports" watch --json --endpoint '\(server.url("/{id}"))' >/dev/full 2>"$home/errors" & pid=$!
                delivered() {
                    for n in $(seq 400); do
                        [ "$(grep -c ' delivered ' "$home/errors")" = $1 ] && return; sleep 0.05
                    done
                    echo "$1 not delivered"
                }
                for n in 1 2; do "$reports" add --name "$n" - <<END >/dev/null
                $n
                END
                delivered $n; done
                kill $pid; wait $pid; echo "status $?"
                """)
            #expect(result.output == "status 0\n", "\(result.errors)")
            let words = "cannot write to standard output: No space left on device; the work goes on"
            #expect(tool.text(of: tool.home + "/errors").ranges(of: words).count == 1)
        }
    }

    /// Starts `watch` with a standard error that is full, and that nobody reads.
    private static let deaf = """
        import fcntl, os, signal, subprocess, sys, time
        reading, writing = os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
        os.write(writing, b"x" * 4096)
        watch = subprocess.Popen([os.environ["reports"], "watch", "--endpoint", sys.argv[1]], stderr=writing)
        incoming = os.environ["REPORTS_SPOOL"] + "/incoming"

        def until(condition):
            end = time.monotonic() + 60
            while not condition():
                if time.monotonic() > end:
                    watch.kill()
                    sys.exit("too late")
                time.sleep(0.02)

        def drop(name):
            with open(os.environ["home"] + "/draft", "w") as file: file.write(name)
            os.rename(os.environ["home"] + "/draft", incoming + "/" + name)

        until(lambda: os.path.isdir(incoming))

        """

    @Test("beside a standard error that nobody reads it takes drops, sends them, reads its settings and ends")
    func deafReader() async throws {
        try await withTool(server: .accepting) { tool, server in
            let script = """
                for number in range(40): drop(f"drop-{number}")
                until(lambda: not os.listdir(incoming))
                watch.send_signal(signal.SIGHUP)
                drop("behind")
                until(lambda: not os.listdir(incoming))
                # Delivered as well.
                until(lambda: not os.listdir(os.environ["REPORTS_SPOOL"] + "/queued"))
                watch.send_signal(signal.SIGTERM)
                try: print(watch.wait(4))
                finally: watch.kill()
                """
            try tool.file("script.py", Self.deaf + script)
            let result = try await tool.shell(#"exec python3 "$home/script.py" '\#(server.url("/{id}"))'"#)
            #expect(result.output == "0\n", "\(result.errors)")
            // A request that is under way when the settings are read may be made again, on a machine that is slow enough.
            #expect(Set(server.requests.map(\.target)).count == 41)
        }
    }

    @Test("the watchdog gets its signs of life beside a standard error that nobody reads")
    func signsOfLife() async throws {
        try await withTool { tool in
            let manager = try ServiceManagerSocket(tool.home + "/notify")
            defer { manager.stop() }
            let script = """
                for number in range(40): drop(f"drop-{number}")
                until(lambda: not os.listdir(incoming))
                print(open(os.environ["home"] + "/go").read())
                watch.kill()
                """
            try tool.file("script.py", Self.deaf + script)
            _ = mkfifo(tool.home + "/go", 0o600)
            let under = tool.under(manager, watchdog: 200_000)
            async let end = under.shell(#"exec python3 "$home/script.py" http://127.0.0.1:9/{id}"#)
            try await expectSoon { tool.names(in: "queued").count == 40 }
            let count = manager.messages.value.count { $0.hasPrefix("WATCHDOG") }
            await manager.wait(for: "WATCHDOG=1", count: count + 5)
            _ = try await tool.shell(#"echo over >"$home/go""#)
            #expect(try await end.output == "over\n\n")
        }
    }

    @Test("lines that wait come in their order, and what has no room is counted", arguments: [300, 60_000])
    func gaps(lineCount: Int) async throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let counted = Mutex(0)
        let writer = LineWriter(
            ends[1],
            onGap: { count in
                counted.withLock { $0 += count }
                return Array("\(count) lines are left out\n".utf8)
            })
        for number in 0..<lineCount { writer.write(Array("line \(number) of a log that nobody reads yet\n".utf8)) }
        let (input, output) = (ends[0], ends[1])
        let reading = Task.detached {
            var text: [UInt8] = []
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            while case let count = read(input, &bytes, bytes.count), count > 0 { text += bytes.prefix(count) }
            close(input)
            return String(decoding: text, as: UTF8.self).split(separator: "\n")
        }
        writer.finish(within: 60_000)
        writer.write(Array("the last\n".utf8))
        close(output)
        let lines = await reading.value
        let leftOut = counted.withLock(\.self)
        #expect((leftOut > 0) == (lineCount == 60_000))
        let kept = lineCount - leftOut
        #expect(lines.prefix(kept) == (0..<kept).map { "line \($0) of a log that nobody reads yet" }[...])
        #expect(lines.dropFirst(kept) == (leftOut > 0 ? ["\(leftOut) lines are left out"] : []) + ["the last"])
    }

    @Test("trouble is told of once, and again after a line that was written")
    func trouble() throws {
        try withTemporaryDirectory { folder in
            let told = Mutex<[Int32]>([])
            let full = open("/dev/full", O_WRONLY)
            let file = open(folder + "/log", O_WRONLY | O_CREAT, 0o600)
            let descriptor = dup(full)
            defer { for descriptor in [full, file, descriptor] { close(descriptor) } }
            let writer = LineWriter(
                descriptor, onGap: { _ in [] }, onTrouble: { error in told.withLock { $0.append(error) } })
            for stream in [full, full, file, full] {
                dup2(stream, descriptor)
                writer.write(Array("a line\n".utf8))
            }
            #expect(told.withLock(\.self) == [ENOSPC, ENOSPC])
        }
    }
}
