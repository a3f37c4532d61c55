import DurableIO
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("A watcher that cannot watch")
struct WatchTroubleTests {
    @Test("more events than the kernel keeps are told of as one that may be many, and new rooms are watched as ever")
    func overflow() async throws {
        let limit = try kernelLimit("max_queued_events")
        try await withTemporaryDirectory { path in
            let (held, mayGoOn) = (Gate(), Monitor(false))
            let watch = try WatchHarness(path) {
                held.open()
                mayGoOn.block { $0 }
            }
            try await watch.shell(": >incoming/first")
            await held.wait()
            // Each file makes two events: it is made, and it is closed.
            for number in 0...(limit / 2) {
                #expect(FileManager.default.createFile(atPath: "\(path)/incoming/\(number)", contents: nil))
            }
            try await watch.shell("mkdir incoming/room")
            mayGoOn.withLock { $0 = true }
            await watch.told.wait { $0.mayBeMoreCount > 0 }
            try await watch.shell(": >incoming/room/new")
            await watch.waitForComplete("new", in: "room")
            #expect(watch.told.value.troubles.isEmpty)
        }
    }

    @Test("without an instance it says so once, tells every so often that something may have come, and tries again")
    func noInstance() async throws {
        let fails = Mutex(true)
        let tries = Monitor(0)
        var settings = DirectoryWatcher.Settings()
        (settings.pollInterval, settings.retryInterval) = (5, 20)
        settings.willOpen = { () throws(FileSystemError) in
            tries.withLock { $0 += 1 }
            if fails.withLock({ $0 }) { throw FileSystemError(.watch, "directories", .tooManyOpenFiles) }
        }
        try await withWatch(settings: settings) { watch in
            await tries.wait { $0 >= 3 }
            await watch.told.wait { $0.mayBeMoreCount >= 3 }
            #expect(watch.told.value.troubles.count == 1)
            #expect(watch.told.value.troubles.first??.contains("cannot watch directories: ") == true)
            fails.withLock { $0 = false }
            await watch.told.wait { $0.troubles.count == 2 }
            #expect(watch.told.value.troubles.last == .some(nil))
            try await watch.shell("echo x >incoming/new")
            await watch.waitForComplete("new")
        }
    }

    @Test("more directories than it may watch are looked at every so often")
    func tooManyRooms() async throws {
        var settings = DirectoryWatcher.Settings()
        (settings.pollInterval, settings.watchLimit) = (5, 4)
        try await withWatch(settings: settings) { watch in
            try await watch.shell("mkdir incoming/1 incoming/2")
            _ = await watch.isComplete("2")
            #expect(watch.told.value.troubles.isEmpty)
            try await watch.shell("mkdir incoming/3")
            await watch.told.wait { $0.troubles.count == 1 }
            #expect(watch.told.value.troubles == ["there are more than 4 directories to watch"])
            let before = watch.told.value.mayBeMoreCount
            await watch.told.wait { $0.mayBeMoreCount > before + 1 }
            try await watch.shell("echo x >incoming/1/new")
            await watch.waitForComplete("new", in: "1")
        }
    }

    @Test("after the machine was asleep, something may have come")
    func asleep() async throws {
        let (alarm, ring) = try alarmPipe()
        var settings = DirectoryWatcher.Settings()
        settings.wakeAlarm = alarm
        try await withWatch(settings: settings) { watch in
            #expect(watch.told.value.batchCount == 0)
            ring()
            await watch.told.wait { $0.mayBeMoreCount == 1 }
            try await watch.shell("echo x >incoming/new")
            await watch.waitForComplete("new")
            #expect(watch.told.value.mayBeMoreCount == 1)
        }
    }
}
