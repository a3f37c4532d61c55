import Foundation
import TestSupport
import Testing

@testable import CaptureRun

@Suite("Ending as the program has ended")
struct ProgramEndTests {
    @Test("the exit status is the program's", arguments: [0, 1, 7, 125, 255])
    func status(_ status: Int32) async throws {
        try await withRunTool { tool in
            let result = try await tool.run("--", "sh", "-c", "exit \(status)")
            #expect(result.status == status && !result.wasSignalled)
        }
    }

    @Test("the signal is the program's", arguments: [SIGSEGV, SIGABRT, SIGKILL, SIGTERM, SIGPIPE, 34])
    func signal(_ signal: Int32) async throws {
        try await withRunTool { tool in
            let result = try await tool.run("--", "sh", "-c", "kill -\(signal) $$")
            #expect(result.status == signal && result.wasSignalled)
        }
    }

    @Test("a shell says what the program died of", .enabled(if: isInstalled("bash"), "bash is not installed"))
    func shell() async throws {
        try await withRunTool { tool in
            let line = #"bash -c '"$run" --quiet -- sh -c "kill -SEGV \$\$"; echo $?'"#
            let result = try await tool.shell(line)
            #expect(result.output == "139\n" && result.errors.contains("Segmentation fault"), "\(result.errors)")
        }
    }

    private static let pattern = (try? String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8)) ?? ""

    /// A second core would have the name of the first one, where the pattern is only a name.
    @Test(
        "the only core is the program's",
        .enabled(if: pattern.first?.isLetter ?? false, "core files do not lie in the working directory"),
        .enabled(if: isInstalled("gcc"), "gcc is not installed"))
    func core() async throws {
        try await withRunTool { tool in
            let source = """
                #include <stdlib.h>
                #include <string.h>
                #include <stdio.h>
                int main(int count, char **words) {
                    char *till = malloc(64);
                    snprintf(till, 64, "till-%d-is-%s", count, "empty");
                    asm volatile("" : : "r"(till) : "memory");
                    abort();
                }
                """
            let program = try await tool.compile("crash", source)
            func cores(_ folder: String, _ run: String) async throws -> String {
                let look = "set -- *; echo $#; grep -c till-1-is-empty -- \"$1\""
                let line = "mkdir \(folder); cd \(folder); ulimit -c unlimited; \(run) \(program); echo $?; \(look)"
                return try await tool.shell("cd \"$home\"; \(line)").output
            }
            let bare = try await cores("bare", "")
            guard bare == "134\n1\n1\n" else { try Test.cancel("no core files are written here: \(bare)") }
            #expect(try await cores("wrapped", "\"$run\" --quiet --") == bare)
        }
    }

    @Test("as process 1 it ends with 128 and the signal", .enabled(if: canMakeNamespaces, "there are no namespaces"))
    func processOne() async throws {
        try await withRunTool { tool in
            for (number, status) in [("SEGV", "139"), ("TERM", "143")] {
                let line = #"unshare -fp --mount-proc "$run" --quiet -- sh -c 'kill -\#(number) $$'; echo $?"#
                let result = try await tool.shell(line)
                #expect(result.output == "\(status)\n")
            }
        }
    }

    @Test("as process 1 it leaves no zombies", .enabled(if: canMakeNamespaces, "there are no namespaces"))
    func zombies() async throws {
        try await withRunTool { tool in
            // The inner shell's children lose their parent; each says when it is about to end, by closing the pipe.
            let script = """
                sh -c 'for i in 1 2 3; do (exec sleep 0.1) & done' | cat
                for n in $(seq 400); do grep -qs sleep /proc/[0-9]*/comm || break; sleep 0.05; done
                for i in 1 2 3 4 5 6 7 8 9 10; do
                    grep -ls '^State:.Z' /proc/[0-9]*/status >zombies || break; sleep 0.1
                done
                cat zombies
                """
            try tool.file("script", script)
            let line = #"cd "$home"; unshare -fp --mount-proc "$run" --quiet -- sh script; echo $?"#
            let result = try await tool.shell(line)
            #expect(result.output == "0\n")
        }
    }

    @Test("children that the wrapper has not started are waited for as well")
    func strangers() async throws {
        try await withRunTool { tool in
            let line = #"sh -c '(exit 3) & exec "$run" --quiet -- sh -c "sleep 0.2; exit 4"'; echo $?"#
            let result = try await tool.shell(line)
            #expect(result.output == "4\n")
        }
    }

    @Test("it ends as the program has ended where its children would vanish unseen")
    func ignoredChildren() async throws {
        try await withRunTool { tool in
            let line = #"trap '' CHLD; "$run" --quiet -- sh -c 'exit 5'; echo $?"#
            let result = try await tool.shell(line)
            #expect(result.output == "5\n")
        }
    }
}
