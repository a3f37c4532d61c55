import DurableIO
import Foundation
import TestSupport
import Testing

@Suite("Which directories in a directory are watched")
struct WatchedRoomsTests {
    /// A room is one whose mode lets everybody enter it.
    private static let open: Rooms = { _, facts in facts.permissions & 0o001 == 0 ? .ignored : .needed }

    @Test("one that becomes a room when it gets another mode is watched from then on")
    func becomesOne() async throws {
        try await withWatch(rooms: Self.open) { watch in
            try await watch.shell("mkdir -m 700 incoming/late; echo x >incoming/late/unseen; echo x >incoming/first")
            await watch.waitForComplete("first")
            try await watch.shell("chmod 755 incoming/late; echo x >incoming/second")
            await watch.waitForComplete("second")
            try await watch.shell("echo x >incoming/late/new")
            await watch.waitForComplete("new", in: "late")
            let unseen = try #require(WatchHarness.entry("unseen", in: "late"))
            #expect(watch.told.value.entries[unseen] == nil)
            #expect(watch.told.value.labels.contains("incoming"))
        }
    }

    @Test("one that is no room any more is not watched")
    func ceases() async throws {
        try await withWatch(rooms: Self.open) { watch in
            try await watch.shell("mkdir -m 755 incoming/room")
            _ = await watch.isComplete("room")
            try await watch.shell("echo x >incoming/room/first")
            await watch.waitForComplete("first", in: "room")
            try await watch.shell("chmod 700 incoming/room; echo x >incoming/second")
            await watch.waitForComplete("second")
            try await watch.shell("echo x >incoming/room/third; echo x >incoming/fourth")
            await watch.waitForComplete("fourth")
            let third = try #require(WatchHarness.entry("third", in: "room"))
            #expect(watch.told.value.entries[third] == nil)
        }
    }

    @Test("those that are no rooms do not count for the limit")
    func others() async throws {
        var settings = DirectoryWatcher.Settings()
        (settings.pollInterval, settings.watchLimit) = (5, 3)
        try await withWatch(settings: settings, rooms: Self.open) { watch in
            try await watch.shell("for n in 1 2 3 4 5 6; do mkdir -m 700 incoming/$n; done; mkdir -m 755 incoming/room")
            _ = await watch.isComplete("room")
            try await watch.shell("echo x >incoming/room/new")
            await watch.waitForComplete("new", in: "room")
            #expect(watch.told.value.troubles.isEmpty)
        }
    }

    @Test("rooms of which anybody may make any number are watched up to a limit, and are no trouble")
    func wanted() async throws {
        var settings = DirectoryWatcher.Settings()
        (settings.pollInterval, settings.watchLimit, settings.wantedLimit) = (5, 3, 2)
        let rooms: Rooms = { name, _ in name.isHidden ? .wanted : .needed }
        try await withWatch(settings: settings, rooms: rooms) { watch in
            try await watch.shell("for n in 1 2 3 4 5; do mkdir incoming/.$n; done; mkdir incoming/room")
            _ = await watch.isComplete("room")
            try await watch.shell("for n in .1 .3 room; do echo x >incoming/$n/new; done")
            await watch.waitForComplete("new", in: "room")
            await watch.waitForComplete("new", in: ".1")
            let third = try #require(WatchHarness.entry("new", in: ".3"))
            #expect(watch.told.value.entries[third] == nil)
            // One that goes makes place for the next.
            try await watch.shell("rm -r incoming/.1; mkdir incoming/.6")
            _ = await watch.isComplete(".6")
            try await watch.shell("echo x >incoming/.6/new")
            await watch.waitForComplete("new", in: ".6")
            #expect(watch.told.value.troubles.isEmpty)
        }
    }

    @Test("a user who makes many of them keeps those of no other user from being watched", .enabled(if: getuid() == 0))
    func wantedOfUsers() async throws {
        var settings = DirectoryWatcher.Settings()
        settings.wantedLimitOfUser = 1
        let rooms: Rooms = { _, _ in .wanted }
        try await withWatch(settings: settings, rooms: rooms) { watch in
            try await watch.shell("mkdir incoming/1 incoming/2 other; chown 65534 other; mv other incoming/other")
            _ = await watch.isComplete("other")
            try await watch.shell("echo x >incoming/2/new; echo x >incoming/other/new; echo x >incoming/1/new")
            await watch.waitForComplete("new", in: "other")
            await watch.waitForComplete("new", in: "1")
            let second = try #require(WatchHarness.entry("new", in: "2"))
            #expect(watch.told.value.entries[second] == nil)
        }
    }

    @Test("every so often it looks for rooms of which nothing has told, and tells that something may have come")
    func long() async throws {
        let isRefusing = Monitor(true)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            guard call.operation == .inspect, call.name == "late", isRefusing.value else { return }
            throw FileSystemError(.inspect, "late", .permissionDenied)
        }
        var settings = DirectoryWatcher.Settings()
        settings.lookInterval = 20
        try await withTemporaryDirectory { path in
            let watch = try WatchHarness(path, settings: settings, files: files)
            try await watch.shell("mkdir incoming/late")
            _ = await watch.isComplete("late")
            let before = watch.told.value.mayBeMoreCount
            isRefusing.withLock { $0 = false }
            await watch.told.wait { $0.mayBeMoreCount > before + 1 }
            try await watch.shell("echo x >incoming/late/new")
            await watch.waitForComplete("new", in: "late")
            #expect(watch.told.value.troubles.isEmpty)
        }
    }

    @Test("what the kernel's limit of watches means is said")
    func words() {
        let error = FileSystemError(.watch, "incoming", .noSpace)
        #expect(
            WatchTrouble.failed(error).description
                == "cannot watch incoming: this user has no watches left (fs.inotify.max_user_watches)")
    }
}
