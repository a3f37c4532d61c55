import Foundation
import Glibc
import Reports
import TestSupport
import Testing

/// `/etc/reports/reports.json` and `/var/lib/reports`, at their real places: in a mount namespace of the test's own.
@Suite(
    "The machine's own places", .timeLimit(.minutes(10)),
    .enabled(if: getuid() == 0 && findExecutable("unshare") != nil && findExecutable("setpriv") != nil, "needs root"))
struct MachineSettingsTests {
    /// Runs lines of shell where `/etc` is a copy and `/var/lib` is empty; `as_nobody` runs a command as another user.
    private func run(_ tool: ReportsTool, _ lines: String) async throws -> ToolResult {
        try tool.file(
            "script",
            """
            set -e
            mount -t tmpfs -o mode=755 none "$home/mount" && cp -a /etc "$home/mount/" || exit 99
            mount --bind "$home/mount/etc" /etc
            mount -t tmpfs -o mode=755 none /var/lib
            mkdir -p /etc/reports
            machine=/etc/reports/reports.json
            as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
            \(lines)
            """)
        try FileManager.default.createDirectory(atPath: tool.home + "/mount", withIntermediateDirectories: false)
        chmod(tool.home, 0o755)
        return try await tool.shell("exec unshare -m sh \"$home/script\"")
    }

    private func withUnnamedSpool(_ body: (ReportsTool) async throws -> Void) async throws {
        try await withTool { tool in
            var tool = tool
            tool.environment["REPORTS_SPOOL"] = nil
            try await body(tool)
        }
    }

    @Test("the machine's file is in force under the spool's, and status and settings tell its path")
    func file() async throws {
        try await withUnnamedSpool { tool in
            let result = try await run(
                tool,
                """
                echo '{"max_count": 7, "max_age_days": 9, "endpoint": "http://machine.example/{id}"}' > "$machine"
                mkdir -m 700 "$home/spool"
                echo '{"max_count": 5}' > "$home/spool/reports.json"
                "$reports" status --spool "$home/spool"
                "$reports" settings --spool "$home/spool" --json
                echo '{"max_count": "many"}' > "$machine"
                echo one | "$reports" add - --spool "$home/other" || echo "add $?"
                """)
            if result.status == 99 { return }
            #expect(result.status == 0, "\(result.errors)")
            let lines = result.output.split(separator: "\n").map(String.init)
            let spoolFile = tool.home + "/spool/reports.json"
            #expect(lines.contains("settings:  \(spoolFile)"))
            #expect(lines.contains("settings:  /etc/reports/reports.json"))
            #expect(lines.contains("max_count:  5  (\(spoolFile))"))
            #expect(lines.contains("max_age_days:  9  (/etc/reports/reports.json)"))
            let source = #""source":"/etc/reports/reports.json","default":null}"#
            let endpoint = #"{"name":"endpoint","value":"http://machine.example/{id}","# + source
            #expect(lines.contains(endpoint), "\(result.output)")
            #expect(lines.contains("add 78"))
            #expect(result.errors.contains("/etc/reports/reports.json: line 1, column 15: max_count: expected"))
        }
    }

    @Test("root reads what the machine's file names as root, before it becomes the spool's owner")
    func secrets() async throws {
        try await withUnnamedSpool { tool in
            let result = try await run(
                tool,
                """
                echo '{"endpoint": "http://127.0.0.1:9/", "headers": {"A": {"file": "token"}}}' > "$machine"
                echo secret > /etc/reports/token
                chmod 600 /etc/reports/token
                mkdir -m 700 "$home/spool"
                chown 65534:65534 "$home/spool"
                "$reports" settings --spool "$home/spool"
                as_nobody "$reports" settings --spool "$home/spool" || echo "other $?"
                """)
            if result.status == 99 { return }
            #expect(result.output.contains("headers.A"), "\(result.errors)")
            #expect(result.output.contains("other 78\n"))
            #expect(result.errors.contains("headers.A: /etc/reports/token: Permission denied"), "\(result.errors)")
            #expect(!result.output.contains("secret"))
        }
    }

    @Test("a machine's file that is kept to root and its group leaves other users their own settings")
    func kept() async throws {
        try await withUnnamedSpool { tool in
            let result = try await run(
                tool,
                """
                echo '{"endpoint": "http://machine.example/{id}", "max_count": 7}' > "$machine"
                chmod 640 "$machine"
                mkdir -m 700 "$home/spool"
                echo '{"endpoint": "http://own.example/{id}"}' > "$home/spool/reports.json"
                chown -R 65534:65534 "$home/spool"
                echo one > "$home/one"
                as_nobody "$reports" add --spool "$home/spool" "$home/one"
                as_nobody "$reports" settings --spool "$home/spool" --json
                "$reports" settings --spool "$home/spool" --json
                """)
            if result.status == 99 { return }
            #expect(result.status == 0, "\(result.errors)")
            let lines = result.output.split(separator: "\n")
            #expect(lines.count { $0.contains(#""name":"endpoint","value":"http://own.example/"#) } == 2)
            #expect(lines.count { $0.contains(#""name":"max_count","value":"7""#) } == 1, "\(result.output)")
            #expect(result.errors.contains("/etc/reports/reports.json is not used: this user may not read it"))
        }
    }

    @Test("the machine's spool is the default of root and of its owner; doctor names the one that was left")
    func defaultSpool() async throws {
        try await withUnnamedSpool { tool in
            let result = try await run(
                tool,
                """
                echo one > "$home/one"
                "$reports" add "$home/one" > /dev/null
                "$reports" settings | grep spool
                mkdir -m 700 /var/lib/reports
                "$reports" settings | grep spool
                chown 65534:65534 /var/lib/reports
                as_nobody "$reports" add --spool /var/lib/reports "$home/one" > /dev/null
                "$reports" settings | grep spool
                as_nobody "$reports" settings | grep spool
                HOME="$home/other" setpriv --reuid=12345 --regid=12345 --clear-groups "$reports" settings | grep spool
                echo two > "$home/two"
                "$reports" add "$home/two" > /dev/null
                find /var/lib/reports ! -uid 65534
                "$reports" list | wc -l
                "$reports" doctor
                """)
            if result.status == 99 { return }
            #expect(result.status == 0, "\(result.errors)")
            let lines = result.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
            let own = "\(tool.home)/.local/state/reports"
            let spools = lines.prefix(5)
            #expect(
                spools == [
                    "spool \(own) default", "spool \(own) default", "spool /var/lib/reports default",
                    "spool /var/lib/reports default", "spool \(tool.home)/other/.local/state/reports default",
                ], "\(result.output)")
            // Two reports and the header; all of it is the owner's.
            #expect(lines.dropFirst(5).first == "3", "\(result.output)")
            let note =
                "note: \(own): is a spool that is not looked at any more, because /var/lib/reports is the default now: "
                + "'reports submit --spool \(own)' sends what is in it"
            #expect(lines.contains(note), "\(result.output)")
        }
    }
}
