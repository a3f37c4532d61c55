import DurableIO
import Foundation
import SystemPackage
import TestSupport
import Testing

typealias Rooms = @Sendable (EntryName, FileMetadata) -> WatchedDirectory.Room

/// A directory that is watched, and all that its watcher has told.
final class WatchHarness: Sendable {
    struct Told: Sendable {
        var batchCount = 0
        var entries: [WatchedChanges.Entry: Bool] = [:]
        var labels: Set<String> = []
        var mayBeMoreCount = 0
        var troubles: [String?] = []
    }

    let path: String
    let told = Monitor(Told())
    private let watcher: DirectoryWatcher

    /// - Parameters:
    ///   - path: a directory, in which `incoming/` is made and watched with its rooms, and `runs/` is watched once it is
    ///     there.
    ///   - settings: for the watcher.
    ///   - files: by which the watcher lists and looks.
    ///   - onBatch: called by the watcher's thread after each batch.
    ///   - rooms: which directories in `incoming/` are watched. The default is all.
    /// - Throws: what keeps the directories from being made or watched.
    init(
        _ path: String, settings: DirectoryWatcher.Settings = DirectoryWatcher.Settings(),
        files: any FileSystem = POSIXFileSystem(), onBatch: @escaping @Sendable () -> Void = {},
        rooms: @escaping Rooms = { _, _ in .needed }
    ) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path + "/incoming", withIntermediateDirectories: true)
        let root = try files.openDirectory(FilePath(path))
        let directories = [
            WatchedDirectory("root", root, for: .names),
            WatchedDirectory(
                "incoming", try files.openDirectory("incoming", in: root), for: .arrivals, rooms: rooms),
            WatchedDirectory("runs", root, name: "runs", for: .arrivals) { _, _ in .needed },
        ]
        watcher = try DirectoryWatcher(directories, files: files, settings: settings) { [told] trouble in
            told.withLock { $0.troubles.append(trouble?.description) }
        } onChange: { [told] changes in
            told.withLock { told in
                told.batchCount += 1
                told.entries.merge(changes.entries) { $1 }
                told.labels.formUnion(changes.labels)
                if changes.mayBeMore { told.mayBeMoreCount += 1 }
            }
            onBatch()
        }
    }

    /// Runs a line of shell in the directory.
    func shell(_ line: String) async throws {
        let result = try await runAsynchronously("/bin/sh", ["-ec", "cd '\(path)'; \(line)"])
        #expect(result.status == 0, "\(line): \(result.errors)")
    }

    /// Waits until something was told of an entry of `incoming/`, and gives whether the entry is complete.
    func isComplete(_ name: String, in room: String? = nil) async -> Bool? {
        guard let entry = Self.entry(name, in: room) else { return nil }
        await told.wait { $0.entries[entry] != nil }
        return told.value.entries[entry]
    }

    /// Waits until the entry is complete.
    func waitForComplete(_ name: String, in room: String? = nil, label: String = "incoming") async {
        guard let entry = Self.entry(name, in: room, label: label) else { return }
        await told.wait { $0.entries[entry] == true }
    }

    static func entry(_ name: String, in room: String? = nil, label: String = "incoming") -> WatchedChanges.Entry? {
        EntryName(name).map { WatchedChanges.Entry(label: label, room: room.flatMap { EntryName($0) }, name: $0) }
    }
}

/// Runs `body` with a watched directory.
func withWatch(
    settings: DirectoryWatcher.Settings = DirectoryWatcher.Settings(),
    rooms: @escaping Rooms = { _, _ in .needed }, _ body: (WatchHarness) async throws -> Void
) async throws {
    try await withTemporaryDirectory { try await body(WatchHarness($0, settings: settings, rooms: rooms)) }
}
