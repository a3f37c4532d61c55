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
    /// What people were told of the watcher. All runs with the same value share it.
    package var news = WatchNews()
    /// For tests.
    package var watcher = DirectoryWatcher.Settings()
    /// How many programs that have outlived their wrappers are waited for at most, by a descriptor each. If there are
    /// more, they are looked at again and again. The default is 64.
    package var programLimit = 64

    package init() {}
}

/// The watcher of a spool: it tells the intake when something may have come into the spool, so that the intake needs no
/// looks in between.
///
/// It watches `incoming/` and the drop rooms, `collected/`, and `runs/` with the directories in it. There a wrapper that
/// dies closes its lock. In a spool that is open to all users, it watches the runs of other users in `incoming/` as well,
/// up to a limit; the deaths beyond it are found when the watcher tells by itself, every 15 minutes. It also watches the
/// spool's own directory, in case a room is removed or replaced.
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
        _ spool: ReportSpool, _ handover: Handover, _ queue: TransferQueue, _ options: WatchOptions,
        onEvent: @escaping @Sendable (SpoolEvent) -> Void
    ) throws(FileSystemError) {
        let zone = DropZone(spool: spool)
        let directories = [
            WatchedDirectory(Self.root, spool.root, for: .names),
            WatchedDirectory(Self.incoming, spool.incoming, for: .arrivals) { name, facts in
                if spool.options.isShared, LeftRuns.isHiddenRun(name) { return .wanted }
                return zone.dropRoom(name, facts) == nil ? .ignored : .needed
            },
            WatchedDirectory(Self.collected, spool.collected, for: .arrivals),
            WatchedDirectory(Self.runs, spool.root, name: "runs", for: .arrivals) { name, _ in
                LeftRuns.isRun(name) ? .needed : .ignored
            },
        ]
        let news = options.news
        watcher = try DirectoryWatcher(directories, files: spool.files, settings: options.watcher) {
            // An earlier owner, or an earlier try, may have told of trouble.
            news.tell(nil, onEvent)
        } onTrouble: { trouble in
            news.tell(trouble?.description, onEvent)
        } onChange: { changes in
            for (entry, isComplete) in changes.entries where Self.isDrop(entry) {
                spool.completeDrops.note(entry.name, in: entry.room, isComplete: isComplete)
            }
            // Time may have passed that the queue's own waits did not see.
            if changes.mayBeMore { queue.wake() }
            let concernsRuns = changes.mayBeMore || Self.concernsRuns(changes)
            let isWorthALook = concernsRuns || Self.concernsSources(changes)
            // A mount may cover the spool or one of its rooms. Others do not concern it.
            guard isWorthALook || changes.haveMountsChanged && !(spool.isInPlace && spool.hasItsRooms) else { return }
            handover.mayHaveCome(inRuns: concernsRuns)
        }
    }

    /// Whether an entry may be a drop that is taken under this name.
    private static func isDrop(_ entry: WatchedChanges.Entry) -> Bool {
        entry.label == incoming && !DropZone.isUnfinished(entry.name) && entry.room?.isHidden != true
    }

    /// Whether something has happened that an intake has to look at. What programs do to files with unfinished names is
    /// nothing of that kind, and would often cost a look for each drop.
    private static func concernsSources(_ changes: WatchedChanges) -> Bool {
        !changes.labels.isEmpty
            || changes.entries.keys.contains { entry in
                switch entry.label {
                case root: rootNames.contains(entry.name.description)
                case incoming: isDrop(entry)
                default: entry.label != runs
                }
            }
    }

    /// Whether a process that watches a program may have died: its lock was closed, or its directory came before the
    /// watch of it did. The runs of other users are hidden in `incoming/`.
    private static func concernsRuns(_ changes: WatchedChanges) -> Bool {
        changes.labels.contains(runs)
            || changes.entries.contains { entry, isComplete in
                let isOfRun = entry.room.map { LeftRuns.isHiddenRun($0) } ?? LeftRuns.isHiddenRun(entry.name)
                guard entry.label == runs || entry.label == incoming && isOfRun else { return false }
                return entry.room == nil || isComplete && LeftRuns.tellsOfEnd(entry.name)
            }
    }
}
