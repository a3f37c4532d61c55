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
}
