import DurableIO
import Foundation
import TestSupport
import Testing

@Suite("A watcher on a machine where file systems are mounted and unmounted", .timeLimit(.minutes(2)))
struct MountNotesTests {
    @Test("mounts that come in a burst are one look, and the next ones another")
    func burst() async throws {
        let (notes, ring) = try alarmPipe()
        var settings = DirectoryWatcher.Settings()
        settings.mountNotes = notes
        // Long enough for a machine that has other work in the midst of the burst.
        settings.mountGatheringTime = 2_000
        let looks = Monitor(0)
        let files = FaultingFileSystem { call throws(FileSystemError) in
            if call.operation == .list, call.room == "incoming" { looks.withLock { $0 += 1 } }
        }
        try await withTemporaryDirectory { path in
            let watch = try WatchHarness(path, settings: settings, files: files)
            #expect(looks.value == 1)
            for burst in 1...2 {
                ring()
                // What comes meanwhile is told of meanwhile.
                try await watch.shell("echo x >incoming/new\(burst)")
                await watch.waitForComplete("new\(burst)")
                for _ in 0..<50 { ring() }
                await looks.wait { $0 == 1 + burst }
            }
            try await watch.shell("echo x >incoming/last")
            await watch.waitForComplete("last")
            #expect(looks.value == 3)
        }
    }
}
