/// A directory whose changes a ``DirectoryWatcher`` notes.
package struct WatchedDirectory: Sendable {
    /// Which changes are noted. Reading, and writing into files that are still open, never are.
    package enum Changes: Sendable {
        /// All by which a file can come in, or become another: closed after writing, renamed in, made, given another
        /// mode or owner.
        case arrivals
        /// Entries that are made, renamed or removed.
        case names
        /// Entries that are renamed, removed or closed after writing.
        case closings

        var bits: Inotify.Bits {
            let own: Inotify.Bits = [.selfDeleted, .selfMoved]
            return switch self {
            case .arrivals: own.union([.closedWriting, .movedTo, .made, .attributes])
            case .names: own.union([.movedTo, .movedFrom, .made, .deleted])
            case .closings: own.union([.movedTo, .movedFrom, .deleted, .closedWriting])
            }
        }
    }

    /// What the watcher calls the directory.
    package let label: String
    let directory: Directory
    /// The entry of `directory` that is watched; `nil` for `directory` itself. It may be missing, and come later.
    let name: EntryName?
    let changes: Changes
    /// Whether the directories in it are watched as well, for ``Changes/arrivals``.
    let includesRooms: Bool

    /// - Parameters:
    ///   - label: what the watcher calls it.
    ///   - directory: the directory, or with a name, the parent.
    ///   - name: an entry of `directory` that is watched once it is there. It needs a watch of `directory`, too. The
    ///     default is `directory` itself.
    ///   - changes: which changes are noted.
    ///   - includesRooms: whether the directories in it are watched as well. The default is `false`.
    package init(
        _ label: String, _ directory: Directory, name: EntryName? = nil, for changes: Changes,
        includingRooms includesRooms: Bool = false
    ) {
        self.label = label
        self.directory = directory
        self.name = name
        self.changes = changes
        self.includesRooms = includesRooms
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

    /// The labels of the directories in which anything happened.
    package internal(set) var labels: Set<String> = []
    /// The entries about which something was noted, and whether the last note says that the file was closed after
    /// writing or renamed in. No other note says that a file is complete.
    package internal(set) var entries: [Entry: Bool] = [:]
    /// Whether more may have happened than was noted, anywhere: the kernel's queue was full, directories cannot be
    /// watched, or the machine was asleep.
    package internal(set) var mayBeMore = false

    /// So many entries are named; a storm of more only counts as ``mayBeMore``.
    static let entryLimit = 4_096

    var isEmpty: Bool { labels.isEmpty && !mayBeMore }

    mutating func note(_ entry: Entry, isComplete: Bool) {
        labels.insert(entry.label)
        if entries.count < Self.entryLimit || entries[entry] != nil {
            entries[entry] = isComplete
        } else {
            mayBeMore = true
        }
    }
}
