import TestSupport
import Testing

@testable import CaptureRun

@Suite("What a program finds")
struct ProgramSurroundingsTests {
    @Test("variables that name the wrapper name the program, others stay as they are")
    func ownNumber() async throws {
        try await withRunTool { tool in
            let print = #"echo "$$ $LISTEN_PID $WATCHDOG_PID $SYSTEMD_EXEC_PID $LISTEN_FDS $LISTEN_PIDFDID""#
            func output(_ variables: String) async throws -> [Substring] {
                let result = try await tool.shell(
                    "export \(variables); exec \"$run\" --quiet -- sh -c '\(print)'")
                return result.output.dropLast().split(separator: " ", omittingEmptySubsequences: false)
            }
            let own = try await output(
                "LISTEN_PID=$$ WATCHDOG_PID=$$ SYSTEMD_EXEC_PID=$$ LISTEN_FDS=1 LISTEN_PIDFDID=7")
            // The last one names the wrapper in a way that can name no program.
            #expect(own.count == 6 && Set(own.prefix(4)).count == 1 && own.suffix(2) == ["1", ""], "\(own)")
            let other = try await output("LISTEN_PID=1$$ WATCHDOG_PID= LISTEN_FDS=1 LISTEN_PIDFDID=7")
            #expect(other.count == 6 && other[1].hasPrefix("1") && other[1] != other[0], "\(other)")
            #expect(other.suffix(4) == ["", "", "1", "7"], "\(other)")
        }
    }

    @Test("SWIFT_BACKTRACE is there though the wrapper has hidden it from itself")
    func backtrace() async throws {
        try await withRunTool { tool in
            var tool = tool
            tool.environment["SWIFT_BACKTRACE"] = "enable=no,color=yes"
            let result = try await tool.run("--env", "none", "--", "printenv", "SWIFT_BACKTRACE")
            #expect(result.output == "enable=no,color=yes\n")
            #expect(result.errors.isEmpty)
        }
    }

    @Test("variables of runtimes of any bytes are there as they were", arguments: ["SWIFT_BACKTRACE", "NODE_OPTIONS"])
    func variablesOfBytes(name: String) async throws {
        try await withRunTool { tool in
            let look = "printenv \(name); env | grep -ac ^\(name)="
            let line = #"export \#(name)="$(printf 'a=\377')"; exec "$run" -- sh -c '\#(look)'"#
            let result = try await tool.shell(line)
            #expect(result.stdout == Array("a=".utf8) + [0xff] + Array("\n1\n".utf8), "\(result.stdout)")
        }
    }

    @Test("input, output, directory, group and session are the wrapper's")
    func same() async throws {
        try await withRunTool { tool in
            let copied = try await tool.run("--", "cat", input: Array("text".utf8))
            #expect(copied.output == "text")
            let facts = try tool.file("facts", "cut -d' ' -f5,6 /proc/self/stat; pwd; umask\n")
            let line = "cd /usr; umask 027; sh \(facts); \"$run\" --quiet -- sh \(facts)"
            let lines = try await tool.shell(line).output.split(separator: "\n").map(String.init)
            #expect(lines.count == 6 && Array(lines[..<3]) == Array(lines[3...]), "\(lines)")
        }
    }

    @Test(
        "standard streams that are closed stay closed, and no other file is open",
        arguments: ["none", "auto", "tee"])
    func streams(mode: String) async throws {
        try await withRunTool { tool in
            let list = #"for i in 0 1 2 3 4 5 6 7 8 9 10 11 12; do [ -e /proc/self/fd/$i ] && printf "$i "; done"#
            let bare = try await tool.shell("/bin/sh -c '\(list)'")
            #expect(bare.output.hasPrefix("0 1 2 "), "\(bare.output)")
            let run = "\"$run\" --quiet --stderr \(mode) -- /bin/sh -c '\(list)'"
            let open = try await tool.shell(run)
            #expect(open.output == bare.output)
            let bareClosed = try await tool.shell("/bin/sh -c '\(list)' <&- 2>&-")
            let closed = try await tool.shell("\(run) <&- 2>&-")
            #expect(closed.output == bareClosed.output)
        }
    }

    @Test("the limit of core files is raised only when that is asked for")
    func core() async throws {
        try await withRunTool { tool in
            let limits = "ulimit -Hc 1000; ulimit -Sc 0; "
            let unchanged = try await tool.shell(limits + #""$run" --quiet -- sh -c 'ulimit -c'"#)
            #expect(unchanged.output == "0\n")
            let raised = try await tool.shell(limits + #""$run" --quiet --core -- sh -c 'ulimit -c'"#)
            #expect(raised.output == "1000\n")
        }
    }
}
