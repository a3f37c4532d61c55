/// The watches of a ``DirectoryWatcher``: which directory each stands for, and what keeps others from being watched.
///
/// The rooms, which are directories in a watched directory, are watched as they come, and as they become readable. A
/// watch of a room that was renamed away or covered by a mount is given up: its notes would be about another place.
struct Watches {
    private struct Place: Hashable {
        /// The index in `directories`.
        let index: Int
        let room: EntryName?
    }

    private struct Watch {
        let place: Place
        /// The user of a room that is ``WatchedDirectory/Room/wanted``; `nil` for any other directory.
        let user: UInt32?
    }

    private let directories: [WatchedDirectory]
    private let files: any FileSystem
    private let settings: DirectoryWatcher.Settings
    private var inotify: Inotify?
    private var watches: [Int32: Watch] = [:]
    private var numbers: [Place: Int32] = [:]
    /// What keeps directories from being watched; `nil` while all are.
    private(set) var trouble: WatchTrouble?

    init(_ directories: [WatchedDirectory], files: any FileSystem, settings: DirectoryWatcher.Settings) {
        self.directories = directories
        self.files = files
        self.settings = settings
    }

    /// For poll(2); -1 where nothing can be watched.
    var descriptor: Int32 { inotify?.descriptor ?? -1 }

    /// Watches all directories that are there. Those that are watched stay so.
    mutating func establish(_ changes: inout WatchedChanges) {
        trouble = nil
        do throws(FileSystemError) {
            if inotify == nil {
                try settings.willOpen()
                inotify = try Inotify()
            }
            for index in directories.indices { try watch(index, &changes) }
        } catch {
            trouble = .failed(error)
        }
    }

    // MARK: - Watching

    private mutating func watch(_ index: Int, _ changes: inout WatchedChanges) throws(FileSystemError) {
        let target = directories[index]
        let place = Place(index: index, room: nil)
        guard try add(place, target.directory, target.name, target.changes.bits, of: nil, &changes) else { return }
        guard target.room != nil else { return }
        var rooms: Set<EntryName> = []
        let directory: Directory
        do throws(FileSystemError) {
            directory = try open(target)
            try files.forEachListed(in: directory) { name, mayBeDirectory in
                if mayBeDirectory { rooms.insert(name) }
                return true
            }
        } catch {
            guard !error.isPassing else { throw error }
            // The look that follows meets the same trouble, and names it.
            return
        }
        for place in numbers.keys where place.index == index {
            if let room = place.room, !rooms.contains(room) { forget(place) }
        }
        for room in rooms { try watch(room, in: index, directory, &changes) }
    }

    private func open(_ target: WatchedDirectory) throws(FileSystemError) -> Directory {
        guard let name = target.name else { return target.directory }
        return try files.openDirectory(name, in: target.directory)
    }

    /// Watches a room, or gives up its watch if it is none any more.
    private mutating func watch(
        _ name: EntryName, in index: Int, _ directory: Directory, _ changes: inout WatchedChanges
    ) throws(FileSystemError) {
        let place = Place(index: index, room: name)
        let facts = (try? files.metadata(of: name, in: directory)) ?? nil
        guard let facts, facts.kind == .directory, let room = directories[index].room?(name, facts), room != .ignored
        else { return forget(place) }
        let user = room == .wanted ? facts.owner : nil
        if numbers[place] == nil {
            let others = watches.values.count { ($0.user == nil) == (user == nil) }
            guard let user else {
                guard others < settings.watchLimit else {
                    trouble = trouble ?? .tooMany(limit: settings.watchLimit)
                    changes.mayBeMore = true
                    return
                }
                return try add(room: place, directory, of: nil, &changes)
            }
            let own = watches.values.count { $0.user == user }
            guard others < settings.wantedLimit, own < settings.wantedLimitOfUser else { return }
        }
        try add(room: place, directory, of: user, &changes)
    }

    private mutating func add(
        room place: Place, _ directory: Directory, of user: UInt32?, _ changes: inout WatchedChanges
    ) throws(FileSystemError) {
        _ = try add(place, directory, place.room, WatchedDirectory.Changes.arrivals.bits, of: user, &changes)
    }

    /// Adds the watch of a directory, in place of the one that the place had.
    /// - Returns: `false` when the directory is not there, is none, or may not be read.
    /// - Throws: what keeps any directory from being watched.
    private mutating func add(
        _ place: Place, _ directory: Directory, _ name: EntryName?, _ bits: Inotify.Bits, of user: UInt32?,
        _ changes: inout WatchedChanges
    ) throws(FileSystemError) -> Bool {
        guard let inotify else { return false }
        let number: Int32
        do throws(FileSystemError) {
            number = try inotify.watch(directory, name, for: bits)
        } catch {
            guard name != nil, Self.isAboutName(error) else { throw error }
            forget(place)
            return false
        }
        let isKnown = watches[number]?.place == place
        if !isKnown {
            // The kernel has one watch for each directory, which has another name by now.
            if let other = watches[number]?.place { numbers[other] = nil }
            forget(place)
            changes.labels.insert(directories[place.index].label)
        }
        watches[number] = Watch(place: place, user: user)
        numbers[place] = number
        return true
    }

    /// Whether an error says that a name leads to no directory that can be watched, and nothing about other names.
    private static func isAboutName(_ error: FileSystemError) -> Bool {
        [.noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels, .permissionDenied].contains(error.errno)
    }

    private mutating func forget(_ place: Place) {
        guard let number = numbers.removeValue(forKey: place) else { return }
        watches[number] = nil
        inotify?.endWatch(number)
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
            return establish(&changes)
        }
        guard let place = watches[event.watch]?.place else { return }
        let target = directories[place.index]
        if !event.bits.isDisjoint(with: [.selfMoved, .selfDeleted, .unmounted, .ignored]) {
            // A room that is gone leaves nothing to look at.
            if place.room == nil { changes.labels.insert(target.label) }
            if event.bits.contains(.ignored) {
                watches[event.watch] = nil
                numbers[place] = nil
            }
            // The name, by which the directory is known, may lead to another one: to that below a mount that is gone.
            if !event.bits.isDisjoint(with: [.selfMoved, .ignored]) { follow(place, &changes) }
        }
        guard let name = event.name else { return }
        let isComplete = !event.bits.isDisjoint(with: [.closedWriting, .movedTo])
        changes.note(WatchedChanges.Entry(label: target.label, room: place.room, name: name), isComplete: isComplete)
        guard event.bits.contains(.directory), place.room == nil,
            !event.bits.isDisjoint(with: [.made, .movedTo, .attributes])
        else { return }
        come(name, in: place.index, &changes)
    }

    /// A directory has come, or has got another mode or owner: it may be one to be watched. What came into it before
    /// its watch did is found by a look.
    private mutating func come(_ name: EntryName, in index: Int, _ changes: inout WatchedChanges) {
        let parent = directories[index]
        attempt(&changes) { this, changes throws(FileSystemError) in
            if parent.room != nil { try this.watch(name, in: index, this.open(parent), &changes) }
            guard parent.name == nil else { return }
            for (index, target) in this.directories.enumerated()
            where target.name == name && target.directory === parent.directory {
                try this.watch(index, &changes)
            }
        }
    }

    /// Watches the directory to which a place's name leads now; gives the watch up if there is none.
    private mutating func follow(_ place: Place, _ changes: inout WatchedChanges) {
        let target = directories[place.index]
        attempt(&changes) { this, changes throws(FileSystemError) in
            if let room = place.room {
                try this.watch(room, in: place.index, this.open(target), &changes)
            } else if target.name != nil {
                try this.watch(place.index, &changes)
            }
        }
    }

    private mutating func attempt(
        _ changes: inout WatchedChanges,
        _ body: (inout Watches, inout WatchedChanges) throws(FileSystemError) -> Void
    ) {
        do throws(FileSystemError) {
            try body(&self, &changes)
        } catch {
            // The parent of a room may be gone as well.
            if Self.isAboutName(error) { return }
            trouble = .failed(error)
            changes.mayBeMore = true
        }
    }
}
