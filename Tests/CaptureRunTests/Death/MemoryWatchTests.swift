import Foundation
import Glibc
import TestSupport
import Testing

@testable import CaptureRun

/// Whether a process was killed for want of memory.
@Suite("Kills for want of memory", .serialized)
struct MemoryWatchTests {
    private struct Machine {
        let directory: String
        var places = MemoryWatch.Places()

        init(_ directory: String, groups: String, mounts: String) throws {
            self.directory = directory
            places.processes = directory + "/proc"
            try write("/proc/7/cgroup", groups)
            try write("/proc/self/mountinfo", mounts.replacingOccurrences(of: "ROOT", with: directory))
        }

        func write(_ path: String, _ text: String) throws {
            let url = URL(fileURLWithPath: directory + path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }

        var watch: MemoryWatch { MemoryWatch(pid: 7, places) }
    }

    @Test("version 2: the group's own counter, in a container as well")
    func versionTwo() throws {
        try withTemporaryDirectory { directory in
            let machine = try Machine(
                directory, groups: "0::/system.slice/shop.service\n",
                mounts: "31 23 0:28 /system.slice ROOT/group rw - cgroup2 cgroup2 rw\n")
            try machine.write("/group/shop.service/memory.events.local", "low 0\noom_kill 3\noom_group_kill 0\n")
            try machine.write("/group/shop.service/memory.events", "oom_kill 90\n")
            try machine.write("/group/shop.service/memory.max", "41943040\n")
            let watch = machine.watch
            #expect(watch.look().kills == 0)
            try machine.write("/group/shop.service/memory.events.local", "low 0\noom_kill 4\noom_group_kill 1\n")
            let facts = watch.look()
            #expect(facts.kills == 1)
            #expect(facts.limit == 41_943_040)
            #expect(facts.group == "/system.slice/shop.service")
            #expect(!facts.isOfMachine)
        }
    }

    @Test("version 1 comes before a version 2 that does not count memory")
    func versionOne() throws {
        try withTemporaryDirectory { directory in
            let machine = try Machine(
                directory, groups: "4:memory:/a\n0::/\n",
                mounts: "1 2 0:1 / ROOT/m rw - cgroup cgroup rw,memory\n1 2 0:2 / ROOT/u rw - cgroup2 cgroup2 rw\n")
            try machine.write("/m/a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n")
            try machine.write("/m/a/memory.limit_in_bytes", "9223372036854771712\n")
            try machine.write("/u/memory.events", "oom_kill 0\n")
            let watch = machine.watch
            try machine.write("/m/a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
            #expect(watch.look().kills == 2)
            #expect(watch.look().limit == nil)
        }
    }

    @Test("without a group's counter, the machine's, which says so")
    func machine() throws {
        try withTemporaryDirectory { directory in
            let machine = try Machine(directory, groups: "0::/\n", mounts: "")
            try machine.write("/proc/vmstat", "nr_free_pages 1\noom_kill 5\n")
            let watch = machine.watch
            try machine.write("/proc/vmstat", "nr_free_pages 1\noom_kill 6\n")
            #expect(watch.look().kills == 1)
            #expect(watch.look().isOfMachine)
        }
    }

    private static let group = "/sys/fs/cgroup/memory/reports-test-\(getpid())"

    /// Whether this machine lets us make a group that counts memory by version 1.
    static let canMakeGroup: Bool = {
        guard mkdir(group, 0o755) == 0 else { return false }
        defer { rmdir(group) }
        return access(group + "/memory.limit_in_bytes", W_OK) == 0
    }()

    @Test("a real group that is too small (version 1)", .enabled(if: canMakeGroup))
    func realGroup() throws {
        let group = Self.group
        try #require(mkdir(group, 0o755) == 0)
        defer { rmdir(group) }
        try Data("41943040".utf8).write(to: URL(fileURLWithPath: group + "/memory.limit_in_bytes"))
        let hog = Process()
        hog.executableURL = URL(fileURLWithPath: "/bin/sh")
        hog.arguments = [
            "-c",
            "echo $$ > \(group)/cgroup.procs && echo ready && read go "
                + "&& exec dd if=/dev/zero of=/dev/null bs=200M count=1",
        ]
        let (input, output) = (Pipe(), Pipe())
        (hog.standardInput, hog.standardOutput) = (input, output)
        try start(hog)
        #expect(output.fileHandleForReading.availableData == Data("ready\n".utf8))
        let watch = MemoryWatch(pid: hog.processIdentifier)
        try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
        hog.waitUntilExit()
        #expect(hog.terminationReason == .uncaughtSignal)
        #expect(watch.look().kills == 1)
        #expect(watch.look().limit == 41_943_040)
    }
}
