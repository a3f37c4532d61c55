import Background
import CaptureRun
package import DurableIO

/// How a run that lasts learns that there is something to do.
package struct WatchOptions: Sendable {
    /// How often ``onPulse`` is called at least, in milliseconds, while the run works or waits; `nil`, the default, for
    /// a run that nobody supervises.
    package var pulseInterval: Int64?
    /// Called by the loop that does the work, each time that it has come around.
    package var onPulse: @Sendable () -> Void = {}
    /// Called after the first look of each owner at the spool.
    package var onReady: @Sendable () -> Void = {}
    /// When an owner ends because another one is needed. All runs with the same value know of each other's owners.
    package var renewals = Renewals()
    /// For tests.
    package var watcher = DirectoryWatcher.Settings()

    package init() {}
}

/// The watcher of a spool: it tells the intake when something may have come into the spool, so that the intake needs no
/// looks in between.
///
/// It watches `incoming/` and the drop rooms, `collected/`, and `runs/` with the directories in it. There a wrapper that
/// dies closes its lock. It also watches the spool's own directory, in case a room is removed or replaced.
struct SpoolWatch {
    private let watcher: DirectoryWatcher

    private static let root = "."
    private static let incoming = "incoming"
    private static let collected = "collected"
    private static let runs = "runs"
    /// Entries of the spool's directory whose coming and going concerns the run. The ledger's own files come and go
    /// with the work itself.
    private static let rootNames: Set<String> = Set(ReportSpool.Room.allCases.map(\.rawValue)).union([runs, "VERSION"])

    /// Begins to watch. The intake has to look afterwards.
    /// - Throws: what keeps a watcher from being made.
    init(
        _ spool: ReportSpool, _ handover: Handover, _ queue: TransferQueue, settings: DirectoryWatcher.Settings,
        onEvent: @escaping @Sendable (SpoolEvent) -> Void
    ) throws(FileSystemError) {
        let directories = [
            WatchedDirectory(Self.root, spool.root, for: .names),
            WatchedDirectory(Self.incoming, spool.incoming, for: .arrivals, includingRooms: true),
            WatchedDirectory(Self.collected, spool.collected, for: .arrivals),
            WatchedDirectory(Self.runs, spool.root, name: "runs", for: .arrivals, includingRooms: true),
        ]
        watcher = try DirectoryWatcher(directories, files: spool.files, settings: settings) { trouble in
            onEvent(.notWatched(trouble?.description))
        } onChange: { [drops = spool.completeDrops] changes in
            for (entry, isComplete) in changes.entries where entry.label == Self.incoming {
                drops.note(entry.name, in: entry.room, isComplete: isComplete)
            }
            // Time may have passed that the queue's own waits did not see.
            if changes.mayBeMore { queue.wake() }
            guard Self.isWorthALook(changes) else { return }
            handover.mayHaveCome(inRuns: changes.mayBeMore || Self.concernsRuns(changes))
        }
    }

    /// Those of other users are hidden in `incoming/`.
    private static func concernsRuns(_ changes: WatchedChanges) -> Bool {
        changes.labels.contains(runs)
            || changes.entries.keys.contains { entry in
                entry.label == incoming && entry.room.map { LeftRuns.isHiddenRun($0) } ?? false
            }
    }

    private static func isWorthALook(_ changes: WatchedChanges) -> Bool {
        if changes.mayBeMore || !changes.labels.subtracting([root]).isEmpty { return true }
        // Without a name, the spool's directory itself was renamed or removed.
        return changes.entries.isEmpty || changes.entries.keys.contains { rootNames.contains($0.name.description) }
    }
}
