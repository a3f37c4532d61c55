import Glibc
import TestSupport
import Testing

/// Spools on disks that take nothing: file systems in memory, in a mount namespace of the test's own.
@Suite(
    "A spool that can take nothing",
    .enabled(if: getuid() == 0 && isInstalled("unshare"), "needs root and unshare"))
struct UnusableSpoolTests {
    /// How the file system at `$home/disk` comes to take nothing more; the spool is `$home/disk/spool`.
    struct Disk: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// Options of mount(8).
        var options = "size=2m"
        /// Lines of shell.
        let lines: String

        private static let make = #""$run" --quiet -- true; [ -d "$REPORTS_SPOOL/runs" ] || exit 98"# + "\n"
        private static let fill = #"cat /dev/zero >"$home/disk/filler" 2>/dev/null"# + "\n"
        private static let seal = #"mount -o remount,ro "$home/disk" || exit 97"# + "\n"

        static let all = [
            Disk(testDescription: "full", lines: make + fill),
            Disk(testDescription: "full, without a spool", lines: fill),
            Disk(
                testDescription: "full, with room for the beginning",
                // The five pages of a record with its spare blanks, and that of the lock: nothing more fits.
                lines: make + fill + #"truncate -s -24576 "$home/disk/filler""#),
            Disk(
                testDescription: "without a free inode", options: "size=1m,nr_inodes=6",
                lines: make + #"n=0; while touch "$home/disk/filler$n"; do n=$((n + 1)); done 2>/dev/null"#),
            Disk(testDescription: "read-only", lines: make + seal),
            Disk(testDescription: "read-only, without a spool", lines: seal),
        ]
    }

    private static let crash = """
        echo "Traceback (most recent call last):
          File \\"shop.py\\", line 4, in settle
        ValueError: the till is empty" >&2
        kill -ABRT $$
        """

    /// Runs lines of shell in which `crash` runs a program that crashes.
    private func run(_ tool: RunTool, _ disk: Disk, _ lines: String) async throws -> ToolResult {
        try tool.file("crash", Self.crash)
        let mounting = """
            mkdir "$home/disk" && mount -t tmpfs -o mode=700,\(disk.options) none "$home/disk" || exit 99
            export REPORTS_SPOOL="$home/disk/spool"
            \(disk.lines)
            \(lines)
            """
        try tool.file("script", mounting)
        return try await tool.shell(#"exec unshare -m --propagation private sh "$home/script""#)
    }

    @Test("the program runs and its status is told, with one line of warning", arguments: Disk.all)
    func runs(disk: Disk) async throws {
        try await withRunTool { tool in
            let result = try await run(
                tool, disk,
                """
                "$run" -- sh -c 'echo out; exit 3' >"$home/out" 2>"$home/plain"; echo "plain $?"
                sh -c 'exec "$run" -- sh "$home/crash"' 2>"$home/crashed"; echo "crashed $?"
                "$run" --quiet -- sh "$home/crash" 2>"$home/quiet"; echo "quiet $?"
                for file in plain crashed quiet; do echo "$(grep -c '^reports-run:' "$home/$file")"; done
                cat "$home/out"
                """)
            let lines = result.output.split(separator: "\n")
            // Where there is room for the beginning, an end that is nothing to tell of is no trouble.
            let plain = disk.testDescription.contains("beginning") ? "0" : "1"
            let wanted = ["plain 3", "crashed 134", "quiet 134", plain, "1", "0", "out"]
            #expect(lines.map(String.init) == wanted, "\(result.output)\(result.errors)")
        }
    }

    @Test(
        "once there is room, nothing is told of programs that nobody could watch and that ended well",
        arguments: Disk.all.prefix(4))
    func later(disk: Disk) async throws {
        try await withRunTool { tool in
            let result = try await run(
                tool, disk,
                """
                for n in 1 2 3; do "$run" --quiet -- true; done
                rm -f "$home"/disk/filler*
                "$run" --quiet -- true; echo "status $?"
                ls -A "$REPORTS_SPOOL/runs" "$REPORTS_SPOOL/incoming"
                """)
            #expect(result.output.hasPrefix("status 0\n"), "\(result.errors)")
            let names = result.output.split(separator: "\n").dropFirst().filter { !$0.hasSuffix(":") }
            #expect(names == [], "\(names)")
        }
    }

    @Test("a disk that is full when the program dies costs one line, and the next run tells how it died")
    func fullAtDeath() async throws {
        try await withRunTool { tool in
            let result = try await run(
                tool, Disk.all[0],
                """
                rm "$home/disk/filler"
                # The copy of standard error takes its room when the first bytes come, and begins with its own name.
                cat >"$home/late" <<'END'
                echo begun >&2
                for n in $(seq 2000); do grep -qs stderr "$REPORTS_SPOOL"/runs/*/stderr && break; sleep 0.01; done
                cat /dev/zero >"$home/disk/filler" 2>/dev/null
                . "$home/crash"
                END
                "$run" --stderr tee -- sh "$home/late" 2>"$home/errors"; echo "status $?"
                grep -c '^reports-run: the end of this program is not reported yet: ' "$home/errors"
                grep -c '^reports-run:' "$home/errors"
                ls -A "$REPORTS_SPOOL/incoming" | wc -l
                rm "$home/disk/filler"
                "$run" --quiet -- true
                ls -A "$REPORTS_SPOOL/runs" | wc -l
                ls -A "$REPORTS_SPOOL/incoming" | wc -l
                grep -l '"run.cause":"signal"' "$REPORTS_SPOOL"/incoming/* | wc -l
                grep -l '"kind":"crash"' "$REPORTS_SPOOL"/incoming/* | wc -l
                """)
            #expect(result.output == "status 134\n1\n1\n0\n0\n2\n2\n1\n", "\(result.output)\(result.errors)")
        }
    }
}
