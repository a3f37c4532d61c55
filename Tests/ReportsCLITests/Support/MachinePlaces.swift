import Foundation
import TestSupport

/// The machine's own places, `/etc` and `/var/lib`, in a mount namespace of the test's own: there `/etc` is a copy and
/// `/var/lib` is empty.
enum MachinePlaces {
    static var areAvailable: Bool {
        getuid() == 0 && findExecutable("unshare") != nil && findExecutable("setpriv") != nil
    }

    /// Runs lines of shell there; `as_nobody` runs a command as another user. The status is 99 where nothing can be
    /// mounted.
    static func run(_ tool: ReportsTool, _ lines: String) async throws -> ToolResult {
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

    /// Runs `body` with a tool whose spool no variable names.
    static func withUnnamedSpool(_ body: (ReportsTool) async throws -> Void) async throws {
        try await withTool { tool in
            var tool = tool
            tool.environment["REPORTS_SPOOL"] = nil
            try await body(tool)
        }
    }
}
