import Foundation
import Glibc
import TestSupport
import Testing

/// A control group, all of whose processes are killed at once, as a service manager or the end of a container does it.
struct ControlGroupForTests {
    let path: String

    /// Where groups can be made: version 2 with `cgroup.kill`, else the freezer of version 1, which lets nobody act
    /// between the first and the last kill.
    static let parent: String? = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/freezer"].first {
        parent in
        let group = "\(parent)/reports-probe-\(getpid())"
        guard mkdir(group, 0o755) == 0 else { return false }
        defer { rmdir(group) }
        let switches = ["cgroup.kill", "freezer.state"].contains { access("\(group)/\($0)", W_OK) == 0 }
        // A process of the test's own comes and goes, since a group may refuse all.
        let entered = try? TestSupport.run("/bin/sh", ["-c", "echo $$ >\(group)/cgroup.procs"])
        return switches && entered?.status == 0
    }

    init() throws {
        path = (Self.parent ?? "") + "/reports-test-" + UUID().uuidString
        guard mkdir(path, 0o755) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    var members: [Int32] {
        let text = (try? String(contentsOfFile: path + "/cgroup.procs", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { Int32($0) }
    }

    /// Kills all members.
    func kill() throws {
        if access(path + "/cgroup.kill", W_OK) == 0 { return try write("1", to: "cgroup.kill") }
        try write("FROZEN", to: "freezer.state")
        while try String(contentsOfFile: path + "/freezer.state", encoding: .utf8) != "FROZEN\n" { sched_yield() }
        for member in members { _ = Glibc.kill(member, SIGKILL) }
        try write("THAWED", to: "freezer.state")
    }

    private func write(_ text: String, to name: String) throws {
        // In place: a file of the kernel's cannot be replaced.
        let file = open("\(path)/\(name)", O_WRONLY | O_CLOEXEC)
        defer { close(file) }
        guard Glibc.write(file, text, text.utf8.count) > 0 else { throw CocoaError(.fileWriteUnknown) }
    }
}

@Suite(
    "A control group that is killed as a whole",
    .enabled(if: getuid() == 0 && ControlGroupForTests.parent != nil, "control groups are not writable"))
struct GroupKillTests {
    /// A program with two children, one in a session of its own, all of which wait, once it has written a crash.
    private static let program = """
        sleep 60 &
        setsid sleep 60 &
        echo "Traceback (most recent call last):
          File \\"shop.py\\", line 4, in settle
        ValueError: the till is empty" >&2
        echo here >"$home/there"
        wait
        """

    @Test("wrapper, program and its children are dead, and the next owner tells of it exactly once")
    func all() async throws {
        try await withTool(server: .accepting) { tool, server in
            let group = try ControlGroupForTests()
            defer { rmdir(group.path) }
            var environment = tool.environment
            environment["home"] = tool.home
            let script = #"echo $$ >"$1/cgroup.procs" && shift && exec "$@""#
            let wrapper = try RunningTool(
                "/bin/sh",
                [
                    "-c", script, "sh", group.path, ReportsTool.runner, "--quiet", "--stderr", "tee", "--", "/bin/sh",
                    "-c", Self.program,
                ], environment: environment, home: tool.home)
            try await poll { FileManager.default.fileExists(atPath: tool.home + "/there") }
            // Wrapper, the second process of its group, the program and its two children.
            #expect(group.members.count == 5, "\(group.members)")
            // A look while it is under way tells of nothing.
            #expect(try await tool.submit(to: server).status == 0)
            #expect(server.requests.isEmpty && tool.names(in: "runs").count == 1)
            try group.kill()
            let end = await wrapper.end()
            #expect(end.wasSignalled && end.status == SIGKILL)
            try await poll { group.members.isEmpty }
            #expect(group.members.isEmpty)

            for _ in 0..<2 {
                #expect(try await tool.submit(to: server).status == 0)
                let reports = try await tool.objects("list")
                #expect(reports.count == 2 && reports.count { $0["kind"]?.stringValue == "crash" } == 1, "\(reports)")
                #expect(Set(reports.compactMap { $0["annotations"]?["incident"]?.stringValue }).count == 1)
                for report in reports {
                    #expect(report["annotations"]?["run.cause"]?.stringValue == "lost")
                    #expect(report.count("occurrences") == 1 && report["state"]?.stringValue == "delivered")
                }
                #expect(server.requests.count == 2 && tool.names(in: "runs").isEmpty)
            }
        }
    }
}
