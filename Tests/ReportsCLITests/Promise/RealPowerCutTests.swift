import Diagnosis
import Foundation
import Reports
import TestSupport
import Testing

/// The power cut the machine itself can play: a file system of its own that is shut down without flushing its journal,
/// as ext4 does for `FS_IOC_SHUTDOWN`, and mounted again. What was only in memory is gone; a file that is written
/// without a sync, and beside no other sync, says so in each cut.
///
/// Skipped by name where the machine does not let us: it takes root, ext4 and a loop device.
@Suite("A real power cut", .enabled(if: LoopDisk.isPossible, "needs root, a loop device and mkfs.ext4"))
struct RealPowerCutTests {
    @Test("what add has printed, and what submit was told of, is there after the cut", .timeLimit(.minutes(10)))
    func acceptedSurvives() async throws {
        try await withTool(server: .accepting) { tool, server in
            for number in 0..<4 { try tool.file("report-\(number)", "report \(number)") }
            let result = try await LoopDisk.run(
                tool,
                """
                "$reports" add --json "$home/report-0" && "$reports" add --json "$home/report-1" || exit 98
                cut
                "$reports" doctor || exit 97
                "$reports" list --json | grep -c collected_at | sed 's/^/listed /'
                "$reports" submit --endpoint "\(server.url("/{id}"))" >&2 || exit 96
                "$reports" add --json "$home/report-2" "$home/report-3" || exit 95
                cut
                "$reports" doctor || exit 94
                "$reports" submit --endpoint "\(server.url("/{id}"))" >&2 || exit 93
                cut
                "$reports" doctor || exit 92
                "$reports" list --state delivered --json | grep -c collected_at | sed 's/^/delivered /'
                """)
            #expect(result.status == 0, "status \(result.status): \(result.output)\(result.errors)")
            #expect(result.output.contains("listed 2\n"), "\(result.output)\(result.errors)")
            #expect(result.output.contains("delivered 4\n"), "\(result.output)\(result.errors)")
            let added = result.output.split(separator: "\n").compactMap {
                (try? JSONValue.parse(Array($0.utf8)))?["id"]?.stringValue
            }
            #expect(Set(added).count == 4, "\(result.output)")
            #expect(Deliveries.ids(server).sorted() == added.sorted(), "each once: the verdicts were kept, too")
        }
    }

    @Test("in the midst of adds, submits and another process's syncs", .timeLimit(.minutes(10)))
    func inTheMidst() async throws {
        try await withTool(server: .accepting) { tool, server in
            for number in 0..<90 { try tool.file("report-\(number)", "report \(number)") }
            let result = try await LoopDisk.run(
                tool,
                """
                for round in 0 1 2; do
                    while echo x >> "$home/disk/other" && sync "$home/disk/other"; do :; done 2>/dev/null &
                    for number in $(seq $((round * 30)) $((round * 30 + 29))); do
                        "$reports" add --json "$home/report-$number" || break
                    done &
                    "$reports" submit --endpoint "\(server.url("/{id}"))" >&2
                    cut
                done
                "$reports" submit --endpoint "\(server.url("/{id}"))" >&2 || exit 96
                "$reports" doctor >&2 || exit 97
                """)
            #expect(result.status == 0, "status \(result.status): \(result.output)\(result.errors)")
            let added = result.output.split(separator: "\n").compactMap {
                (try? JSONValue.parse(Array($0.utf8)))?["id"]?.stringValue
            }
            #expect(!added.isEmpty)
            let lost = Set(added).subtracting(Deliveries.ids(server))
            #expect(lost == [], "\(result.errors)")
        }
    }
}

/// A file system in a file, with nothing but a spool on it, in a mount namespace of its own.
private enum LoopDisk {
    /// Whether a loop device can be mounted in a mount namespace of our own.
    static let isPossible: Bool = {
        guard getuid() == 0, findExecutable("python3") != nil, findExecutable("unshare") != nil else { return false }
        let probe = try? withTemporaryDirectory { home in
            try TestSupport.run("unshare", ["-m", "/bin/sh", "-c", makeDisk], environment: environment(home))
        }
        return probe?.status == 0
    }()

    private static func environment(_ home: String) -> [String: String] {
        ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin", "home": home]
    }

    private static let makeDisk = """
        truncate -s 64M "$home/image" && mkfs.ext4 -q -F "$home/image" || exit 77
        mkdir -p "$home/disk" && mount -o loop "$home/image" "$home/disk" || exit 77
        """

    /// `cut` takes the power away and gives it back; it fails when a file that nobody synced is whole after it.
    private static let cutFunction = """
        cut() {
            echo unsynced > "$home/disk/unsynced"
            python3 -c 'import fcntl, os, struct, sys
        fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack("I", 2))' "$home/disk" || exit 81
            wait
            umount "$home/disk" && mount -o loop "$home/image" "$home/disk" || exit 82
            [ ! -s "$home/disk/unsynced" ] || [ -e "$home/disk/other" ] || exit 83
        }
        """

    /// Runs lines of shell with a file system of their own that has the spool.
    static func run(_ tool: ReportsTool, _ script: String) async throws -> ToolResult {
        var environment = Self.environment(tool.home)
        environment["HOME"] = tool.home
        environment["REPORTS_SPOOL"] = tool.home + "/disk/spool"
        environment["reports"] = ReportsTool.path
        let lines = [makeDisk, cutFunction, script].joined(separator: "\n")
        return try await runAsynchronously("unshare", ["-m", "/bin/sh", "-c", lines], environment: environment)
    }
}
