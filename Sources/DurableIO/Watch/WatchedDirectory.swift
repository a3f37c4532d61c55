/// A directory whose changes a ``DirectoryWatcher`` notes.
package struct WatchedDirectory: Sendable {
    /// Which changes are noted. Reading, and writing into files that are still open, never are.
    package enum Changes: Sendable {
        /// All by which a file can come in, or become another: closed after writing, renamed in, made, given another
        /// mode or owner.
        case arrivals
        /// Entries that are made, renamed, removed, or given another mode or owner.
        case names
        /// Entries that are renamed, removed or closed after writing.
        case closings

        var bits: Inotify.Bits {
            let own: Inotify.Bits = [.selfDeleted, .selfMoved]
            return switch self {
            case .arrivals: own.union([.closedWriting, .movedTo, .made, .attributes])
            case .names: own.union([.movedTo, .movedFrom, .made, .deleted, .attributes])
            case .closings: own.union([.movedTo, .movedFrom, .deleted, .closedWriting])
            }
        }
    }

    /// What a directory in the watched one, a *room*, is to the watcher.
    package enum Room: Sendable {
        /// The room is not watched.
        case ignored
        /// The room is watched. If it cannot be, the watcher is in trouble.
        case needed
        /// The room is watched while there are few such rooms. Its user may make any number of them, and so it is no
        /// trouble if it is not watched.
        case wanted
    }

    /// What the watcher calls the directory.
    package let label: String
    let directory: Directory
    /// The entry of `directory` that is watched; `nil` for `directory` itself. It may be missing, and come later.
    let name: EntryName?
    let changes: Changes
    /// Decides which directories in it are watched as well, for ``Changes/arrivals``; `nil` for none.
    let room: (@Sendable (EntryName, FileMetadata) -> Room)?

    /// - Parameters:
    ///   - label: what the watcher calls it.
    ///   - directory: the directory, or with a name, the parent.
    ///   - name: an entry of `directory` that is watched once it is there. It needs a watch of `directory`, too. The
    ///     default is `directory` itself.
    ///   - changes: which changes are noted.
    ///   - room: decides what a directory in it is to the watcher, by its name and facts. It is asked when the directory
    ///     comes or gets another mode or owner. The default is that none is watched.
    package init(
        _ label: String, _ directory: Directory, name: EntryName? = nil, for changes: Changes,
        rooms room: (@Sendable (EntryName, FileMetadata) -> Room)? = nil
    ) {
        self.label = label
        self.directory = directory
        self.name = name
        self.changes = changes
        self.room = room
    }
}

/// What a ``DirectoryWatcher`` has noted since it last told of anything.
package struct WatchedChanges: Sendable {
    /// An entry of a watched directory.
    package struct Entry: Hashable, Sendable {
        /// The label of the directory.
        package let label: String
        /// The directory in it, for an entry of such a one.
        package let room: EntryName?
        package let name: EntryName

        package init(label: String, room: EntryName?, name: EntryName) {
            self.label = label
            self.room = room
            self.name = name
        }
    }

    /// The labels of the directories that were themselves renamed or removed, and of those that are watched anew, or
    /// that have a room which is. What came into such a one before its watch did has no note.
    package internal(set) var labels: Set<String> = []
    /// The entries about which something was noted, and whether the last note says that the file was closed after
    /// writing or renamed in. No other note says that a file is complete.
    package internal(set) var entries: [Entry: Bool] = [:]
    /// Whether file systems were mounted or unmounted, anywhere. The paths of directories that were opened by whoever
    /// made the watcher may lead elsewhere now.
    package internal(set) var haveMountsChanged = false
    /// Whether more may have happened than was noted, anywhere: the kernel's queue was full, directories cannot be
    /// watched, the machine was asleep, or nothing was looked at for long.
    package internal(set) var mayBeMore = false

    /// So many entries are named; a storm of more only counts as ``mayBeMore``.
    static let entryLimit = 4_096

    var isEmpty: Bool { labels.isEmpty && entries.isEmpty && !haveMountsChanged && !mayBeMore }

    mutating func note(_ entry: Entry, isComplete: Bool) {
        if entries.count < Self.entryLimit || entries[entry] != nil {
            entries[entry] = isComplete
        } else {
            mayBeMore = true
        }
    }
}

/// Why directories are not watched.
package enum WatchTrouble: Sendable, CustomStringConvertible {
    case failed(FileSystemError)
    /// There are more directories than the watcher may watch.
    case tooMany(limit: Int)

    package var description: String {
        switch self {
        case .tooMany(let limit): "there are more than \(limit) directories to watch"
        case .failed(let error) where error.errno == .noSpace:
            "cannot watch \(error.path): this user has no watches left (fs.inotify.max_user_watches)"
        case .failed(let error): error.description
        }
    }
}
