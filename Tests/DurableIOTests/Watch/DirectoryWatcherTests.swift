import DurableIO
import Foundation
import TestSupport
import Testing

@Suite("What a watcher tells of a directory")
struct DirectoryWatcherTests {
    /// The ways in which a file comes, and whether the file is complete then as far as the kernel tells.
    static let ways: [(line: String, isComplete: Bool)] = [
        ("echo x >incoming/new", true),
        ("echo x >draft && mv draft incoming/new", true),
        ("echo x >incoming/a.tmp && mv incoming/a.tmp incoming/new", true),
        ("echo x >draft && ln draft incoming/new", false),
        ("ln -s draft incoming/new", false),
        ("mkdir incoming/new", false),
        ("mkfifo incoming/new", false),
    ]

    @Test("a file is told of however it comes", arguments: ways.indices)
    func arrivals(index: Int) async throws {
        let way = Self.ways[index]
        try await withWatch { watch in
            try await watch.shell(way.line)
            if way.isComplete { return await watch.waitForComplete("new") }
            #expect(await watch.isComplete("new") == false)
        }
    }

    @Test("a file that was made without a name is told of when it gets one")
    func unnamed() async throws {
        try await withWatch { watch in
            try unnamedFile(in: watch.path + "/incoming", then: "new")
            #expect(await watch.isComplete("new") == false)
        }
    }

    @Test("two files that change places are both told of")
    func exchanged() async throws {
        try await withWatch { watch in
            try await watch.shell("echo a >draft; echo b >incoming/new")
            await watch.waitForComplete("new")
            watch.told.withLock { $0.entries = [:] }
            try exchange(watch.path + "/draft", watch.path + "/incoming/new")
            await watch.waitForComplete("new")
        }
    }

    @Test("a file of mode 000 is told of again when its writer lets others read it")
    func modes() async throws {
        try await withWatch { watch in
            try await watch.shell("umask 777; echo x >incoming/new")
            await watch.waitForComplete("new")
            watch.told.withLock { $0.entries = [:] }
            try await watch.shell("chmod 640 incoming/new")
            #expect(await watch.isComplete("new") == false)
        }
    }

    @Test("a file that is written through a mapping is complete when the mapping has gone")
    func mapped() async throws {
        try await withWatch { watch in
            let mapping = try mapNewFile(watch.path + "/incoming/new")
            #expect(await watch.isComplete("new") == false)
            mapping.end()
            await watch.waitForComplete("new")
        }
    }

    @Test("what comes into a drop room is told of, whether the room was there before, is new, or was renamed in")
    func rooms() async throws {
        try await withTemporaryDirectory { path in
            try FileManager.default.createDirectory(
                atPath: path + "/incoming/old@1", withIntermediateDirectories: true)
            let watch = try WatchHarness(path)
            try await watch.shell("echo x >incoming/old@1/new")
            await watch.waitForComplete("new", in: "old@1")
            try await watch.shell("mkdir incoming/shop@2")
            _ = await watch.isComplete("shop@2")
            try await watch.shell("echo x >incoming/shop@2/new")
            await watch.waitForComplete("new", in: "shop@2")
            try await watch.shell("mkdir aside; mv aside incoming/bus@3")
            _ = await watch.isComplete("bus@3")
            try await watch.shell("echo x >incoming/bus@3/new")
            await watch.waitForComplete("new", in: "bus@3")
        }
    }

    @Test("a room is told of by its new name once it is renamed, and not at all once it is moved away")
    func renamedRoom() async throws {
        try await withWatch { watch in
            try await watch.shell("mkdir incoming/old@1")
            _ = await watch.isComplete("old@1")
            try await watch.shell("mv incoming/old@1 incoming/new@1; echo x >incoming/new@1/first")
            await watch.waitForComplete("first", in: "new@1")
            try await watch.shell("mv incoming/new@1 aside; echo x >aside/second; echo x >incoming/third")
            await watch.waitForComplete("third")
            let second = try #require(WatchHarness.entry("second", in: "new@1"))
            #expect(watch.told.value.entries[second] == nil)
        }
    }

    @Test("a room that is removed and made again is watched again")
    func remadeRoom() async throws {
        try await withWatch { watch in
            try await watch.shell("mkdir incoming/shop@1")
            _ = await watch.isComplete("shop@1")
            try await watch.shell("rmdir incoming/shop@1; mkdir incoming/shop@1; echo x >incoming/shop@1/new")
            await watch.told.wait { told in
                let (room, file) = (WatchHarness.entry("shop@1"), WatchHarness.entry("new", in: "shop@1"))
                return [room, file].contains { entry in entry.map { told.entries[$0] != nil } ?? false }
            }
            try await watch.shell("echo x >incoming/shop@1/later")
            await watch.waitForComplete("later", in: "shop@1")
        }
    }

    @Test("the directory of runs is watched once it is there, and a lock in it that a death closes is told of")
    func runs() async throws {
        try await withWatch { watch in
            try await watch.shell("mkdir -p runs/one")
            await watch.told.wait { $0.labels.contains("runs") }
            try await watch.shell("mkdir runs/two")
            await watch.told.wait { told in
                WatchHarness.entry("two", label: "runs").map { told.entries[$0] != nil } ?? false
            }
            let holder = try HeldFile(watch.path + "/runs/two/lock")
            holder.killAtOnce()
            await watch.waitForComplete("lock", in: "two", label: "runs")
            try await watch.shell(": >runs/one/lock")
            await watch.waitForComplete("lock", in: "one", label: "runs")
        }
    }

    @Test(
        "the removal and the renaming of the directory itself is told of",
        arguments: ["rm -r incoming", "mv incoming old"])
    func gone(line: String) async throws {
        try await withWatch { watch in
            try await watch.shell(line)
            await watch.told.wait { told in
                WatchHarness.entry("incoming", label: "root").map { told.entries[$0] != nil } ?? false
            }
        }
    }

    @Test("a watcher that nobody has any more leaves no thread and no open file")
    func ended() async throws {
        try await withTemporaryDirectory { path in
            for _ in 0..<50 { _ = try WatchHarness(path) }
            let end = ContinuousClock.now + .seconds(10)
            // Other tests have some watchers, too.
            while try inotifyCount() >= 40, .now < end { await Task.yield() }
            #expect(try inotifyCount() < 40)
        }
    }
}
