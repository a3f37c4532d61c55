import Foundation
import Reports
import TestSupport
import Testing

/// A drop zone that is a volume, as containers have it: real mounts, in a mount namespace of their own.
@Suite(
    "A mounted drop zone",
    .enabled(if: geteuid() == 0 && findExecutable("unshare") != nil && findExecutable("mount") != nil, "needs root"))
struct MountedDropZoneTests {
    struct Mount: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Shell, run in the spool's directory.
        let command: String
        /// What is not taken, and a word of why.
        var skipped: (name: String, reason: String)?
    }

    static let mounts = [
        Mount(testDescription: "a file system in memory", command: "mount -t tmpfs -o mode=700 t incoming"),
        Mount(
            testDescription: "a directory of the same file system",
            command: "mkdir -m 700 ../host && mount --bind ../host incoming"),
        Mount(
            testDescription: "a file in it",
            command: "echo log > ../app.log && : > incoming/app.log && mount --bind ../app.log incoming/app.log",
            skipped: (name: "app.log", reason: "is a mount point and cannot be moved")),
        Mount(
            testDescription: "a read-only directory",
            command: "mkdir -m 700 ../host && echo x > ../host/old && mount --bind ../host incoming"
                + " && mount -o remount,ro,bind incoming",
            skipped: (name: "old", reason: "cannot be moved, incoming/ is read-only")),
    ]

    @Test("what can be taken is delivered, what cannot is named, and nothing waits", arguments: mounts)
    func mounted(mount: Mount) async throws {
        try await withTool(server: .accepting) { tool, server in
            try await tool.add("queued")
            let script = """
                cd "$home/spool" && { \(mount.command); } || exit 77
                { echo dropped > incoming/b.log; } 2> /dev/null
                "$reports" submit --endpoint "\(server.url("/{id}"))"; echo "exit $?"
                "$reports" doctor; "$reports" list --state incoming; ls -A incoming
                """
            try Data(script.utf8).write(to: URL(fileURLWithPath: tool.home + "/script"))
            let result = try await tool.shell("exec unshare -m sh \"$home/script\"")
            // Containers may forbid mounts.
            guard result.status != 77, result.status != 1 else { return }
            #expect(result.output.contains("exit 0\n"), "\(result.errors)")
            let isReadOnly = mount.command.contains("remount,ro")
            #expect(result.output.hasPrefix("delivered \(isReadOnly ? 1 : 2)"), "\(result.output)")
            guard let skipped = mount.skipped else {
                #expect(result.output.contains(ReportsTool.wellWords + "no reports\n"), "\(result.output)")
                return
            }
            #expect(result.output.contains("note: incoming/\(skipped.name): not taken: \(skipped.reason)"))
            #expect(result.output.contains("\(skipped.name) [skipped: \(skipped.reason)"))
        }
    }
}
