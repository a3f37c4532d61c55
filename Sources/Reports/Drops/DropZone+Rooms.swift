import CaptureRun
package import DurableIO

/// Going through `incoming/` and the drop rooms in it.
extension DropZone {
    /// A directory of drops that is open.
    struct OpenRoom {
        let room: Room
        let directory: Directory
        /// Why no drop can be taken out of it; `nil` if there is no such reason.
        var obstacle: String?

        /// Why one drop cannot be taken out of it, as far as its attributes show.
        func obstacle(to name: EntryName) -> String? {
            directory.renameObstacle(of: name).map { DropZone.words($0, in: room) }
        }
    }

    /// An entry of `incoming/` or of a drop room.
    enum Found {
        case drop(Drop, OpenRoom)
        /// A drop that an owner has renamed, and that stays in its directory.
        case renamedAway(TakenName, OpenRoom)
        /// A sidecar that an owner has renamed, and that stays in its directory.
        case hiddenSidecar(EntryName, OpenRoom)
    }

    /// A room that could not be listed.
    package typealias Failure = (room: Room, error: FileSystemError)

    /// Visits the entries of `incoming/` and then those of its drop rooms.
    ///
    /// Neither drop rooms themselves are visited nor sidecars, except a sidecar that nobody will read.
    /// - Parameters:
    ///   - isSorted: whether the entries of each room come in byte order. The default is the order of the disk.
    ///   - mayGoOn: called before each entry is looked at. With `false`, the visit ends.
    ///   - body: gets each entry.
    /// - Returns: the rooms that could not be listed.
    @discardableResult
    func visit(
        inOrder isSorted: Bool = false, while mayGoOn: () -> Bool = { true }, _ body: (Found) -> Void
    ) -> [Failure] {
        var (failures, rooms, goesOn) = ([Failure](), [DropRoom](), true)
        func visit(_ room: OpenRoom) throws(FileSystemError) {
            func visit(_ name: EntryName) -> Bool {
                goesOn = mayGoOn()
                if goesOn, let found = found(name, in: room, &rooms) { body(found) }
                return goesOn
            }
            guard isSorted else { return try spool.files.forEachEntry(in: room.directory, visit) }
            for name in try spool.files.entries(of: room.directory) where goesOn { _ = visit(name) }
        }
        do throws(FileSystemError) {
            try visit(OpenRoom(room: .incoming, directory: spool.incoming, obstacle: obstacle))
        } catch {
            failures.append((.incoming, error))
        }
        for dropRoom in rooms.sorted(by: { $0.name < $1.name }) where goesOn {
            do throws(FileSystemError) {
                // A room that has become something else is found as what it is at the next look.
                if let room = try open(dropRoom) { try visit(room) }
            } catch {
                failures.append((.dropRoom(dropRoom), error))
            }
        }
        return failures
    }

    /// The directories in `incoming/` with the names of drop rooms, in byte order. They may turn out to be none.
    func dropRooms() throws(FileSystemError) -> [DropRoom] {
        var rooms: [DropRoom] = []
        try spool.files.forEachListed(in: spool.incoming) { name, mayBeDirectory in
            if mayBeDirectory, let room = DropRoom(name) { rooms.append(room) }
            return true
        }
        return rooms.sorted { $0.name < $1.name }
    }

    private func open(_ dropRoom: DropRoom) throws(FileSystemError) -> OpenRoom? {
        guard let directory = try directoryIfPresent(of: .dropRoom(dropRoom)) else { return nil }
        let obstacle =
            remoteName(of: directory).map { Self.remote($0, "\(Room.dropRoom(dropRoom).path)/") }
            ?? directory.renameObstacle.map { Self.words($0, in: .dropRoom(dropRoom)) }
        return OpenRoom(room: .dropRoom(dropRoom), directory: directory, obstacle: obstacle)
    }

    private func found(_ name: EntryName, in room: OpenRoom, _ rooms: inout [DropRoom]) -> Found? {
        if let taken = TakenName(inIncoming: name) {
            guard remoteName(of: room.directory) == nil else { return nil }
            return Sidecar.isName(name) ? .hiddenSidecar(name, room) : .renamedAway(taken, room)
        }
        guard let drop = drop(named: name, in: room) else { return nil }
        if room.room == .incoming, drop.facts?.kind == .directory, LeftRuns.isHiddenRun(name) { return nil }
        if room.room == .incoming, let facts = drop.facts, let dropRoom = dropRoom(name, facts) {
            rooms.append(dropRoom)
            return nil
        }
        guard Sidecar.isName(name), !name.isHidden, let facts = drop.facts else { return .drop(drop, room) }
        return unread(sidecar: drop, facts, in: room).map { .drop($0, room) }
    }

    /// Looks once at the entry of a drop whose turn has come.
    /// - Returns: the drop as it is now; `nil` when it is gone.
    func drop(named name: EntryName, in room: OpenRoom) -> Drop? {
        look(at: name, in: room) { readiness(of: name, $0, in: room.room) }
    }

    /// The drop room that an entry of `incoming/` is; `nil` for any other entry.
    func dropRoom(_ name: EntryName, _ facts: FileMetadata) -> DropRoom? {
        guard facts.kind == .directory, speaks(facts) else { return nil }
        return DropRoom(name)
    }

    /// Whether a directory of this owner may speak for its drops.
    func speaks(_ directory: FileMetadata) -> Bool { directory.owner == user || directory.owner == 0 }

    /// Opens the directory of a room; `nil` when the room is gone, or has become something else.
    func directoryIfPresent(of room: Room) throws(FileSystemError) -> Directory? {
        do throws(FileSystemError) {
            return try directory(of: room)
        } catch {
            let isGone = [.noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels].contains(error.errno)
            guard isGone, room.dropRoom != nil else { throw error }
            return nil
        }
    }

    /// Opens the directory of a room. A drop room is opened anew each time, because its name may have come to lead to
    /// another directory.
    /// - Throws: an error when the room cannot be opened, or is no drop room of the spool's user or root any more.
    func directory(of room: Room) throws(FileSystemError) -> Directory {
        switch room {
        case .incoming: return spool.incoming
        case .taken: return spool.taken
        case .dropRoom(let dropRoom):
            let directory = try spool.files.openDirectory(dropRoom.name, in: spool.incoming)
            guard speaks(try spool.files.metadata(of: directory)) else {
                throw FileSystemError(.open, room.path, .noSuchFileOrDirectory)
            }
            return directory
        }
    }
}
