/// The watches of a ``DirectoryWatcher``: which directory each stands for, and what keeps others from being watched.
///
/// The directories in a watched directory are watched as they come. A watch of one that was renamed away is given up:
/// its notes would be about another place.
struct Watches {
    private struct Watch {
        /// The index in `directories`.
        let index: Int
        let room: EntryName?
    }

    private let directories: [WatchedDirectory]
    private let files: any FileSystem
    private let settings: DirectoryWatcher.Settings
    private var inotify: Inotify?
    private var watches: [Int32: Watch] = [:]
    /// What keeps directories from being watched; `nil` while all are.
    private(set) var trouble: FileSystemError?

    init(_ directories: [WatchedDirectory], files: any FileSystem, settings: DirectoryWatcher.Settings) {
        self.directories = directories
        self.files = files
        self.settings = settings
    }

    /// For poll(2); -1 where nothing can be watched.
    var descriptor: Int32 { inotify?.descriptor ?? -1 }

    /// Watches all directories that are there. Those that are watched stay so.
    mutating func establish() {
        trouble = nil
        do throws(FileSystemError) {
            if inotify == nil {
                try settings.willOpen()
                inotify = try Inotify()
            }
            for index in directories.indices { try watch(index) }
        } catch {
            trouble = error
        }
    }

    private mutating func watch(_ index: Int) throws(FileSystemError) {
        let target = directories[index]
        guard try watch(index, room: nil) != nil else { return }
        guard target.includesRooms else { return }
        var rooms: [EntryName] = []
        do throws(FileSystemError) {
            let directory =
                if let name = target.name { try files.openDirectory(name, in: target.directory) } else {
                    target.directory
                }
            try files.forEachListed(in: directory) { name, mayBeDirectory in
                if mayBeDirectory { rooms.append(name) }
                return true
            }
        } catch {
            // The look that follows meets the same trouble, and names it.
            return
        }
        for room in rooms { _ = try watch(index, room: room) }
    }

    /// Watches a directory.
    /// - Returns: the number of the watch; `nil` when the directory is not there, is none, or may not be read.
    /// - Throws: what keeps any directory from being watched.
    private mutating func watch(_ index: Int, room: EntryName?) throws(FileSystemError) -> Int32? {
        let target = directories[index]
        let bits = room == nil ? target.changes.bits : WatchedDirectory.Changes.arrivals.bits
        do throws(FileSystemError) {
            guard let number = try add(target, room, bits) else { return nil }
            watches[number] = Watch(index: index, room: room)
            guard watches.count <= settings.watchLimit else {
                inotify?.endWatch(number)
                watches[number] = nil
                throw FileSystemError(.watch, "more than \(settings.watchLimit) directories", .noSpace)
            }
            return number
        } catch {
            let isOnlyThis = [
                .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels, .permissionDenied,
            ].contains(error.errno)
            guard isOnlyThis, room != nil || target.name != nil else { throw error }
            return nil
        }
    }

    private func add(
        _ target: WatchedDirectory, _ room: EntryName?, _ bits: Inotify.Bits
    ) throws(FileSystemError) -> Int32? {
        guard let room else { return try inotify?.watch(target.directory, target.name, for: bits) }
        guard let name = target.name else { return try inotify?.watch(target.directory, room, for: bits) }
        return try inotify?.watch(files.openDirectory(name, in: target.directory), room, for: bits)
    }

    // MARK: - Reading

    /// Reads what the kernel has noted.
    mutating func read(into changes: inout WatchedChanges) {
        var events: [Inotify.Event] = []
        inotify?.read { events.append($0) }
        for event in events { note(event, &changes) }
    }

    private mutating func note(_ event: Inotify.Event, _ changes: inout WatchedChanges) {
        if event.bits.contains(.overflow) {
            changes.mayBeMore = true
            // Directories may have come without a note.
            return establish()
        }
        guard let watch = watches[event.watch] else { return }
        let target = directories[watch.index]
        if event.bits.contains(.ignored) {
            watches[event.watch] = nil
            changes.labels.insert(target.label)
        }
        if !event.bits.isDisjoint(with: [.selfMoved, .selfDeleted, .unmounted]) {
            changes.labels.insert(target.label)
            if event.bits.contains(.selfMoved) { follow(watch, event.watch) }
        }
        guard let name = event.name else { return }
        let isComplete = !event.bits.isDisjoint(with: [.closedWriting, .movedTo])
        changes.note(WatchedChanges.Entry(label: target.label, room: watch.room, name: name), isComplete: isComplete)
        guard event.bits.contains(.directory), !event.bits.isDisjoint(with: [.made, .movedTo]) else { return }
        come(name, in: watch, &changes)
    }

    /// A directory has come: it may be one to be watched. What came into it before its watch did is found by a look.
    private mutating func come(_ name: EntryName, in watch: Watch, _ changes: inout WatchedChanges) {
        do throws(FileSystemError) {
            if directories[watch.index].includesRooms, watch.room == nil {
                _ = try self.watch(watch.index, room: name)
            }
            let parent = directories[watch.index]
            guard parent.name == nil, watch.room == nil else { return }
            for (index, target) in directories.enumerated()
            where target.name == name && target.directory === parent.directory {
                try self.watch(index)
                changes.labels.insert(target.label)
            }
        } catch {
            trouble = error
            changes.mayBeMore = true
        }
    }

    /// A watched directory was renamed. Its watch goes on if its name, by which it is known by now, still leads to it.
    private mutating func follow(_ watch: Watch, _ number: Int32) {
        guard watch.room != nil || directories[watch.index].name != nil else { return }
        do throws(FileSystemError) {
            // The kernel has one watch for each directory.
            if try self.watch(watch.index, room: watch.room) == number { return }
        } catch {
            trouble = error
        }
        inotify?.endWatch(number)
        watches[number] = nil
    }
}
