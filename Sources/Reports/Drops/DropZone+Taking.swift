package import DurableIO

/// Taking a drop: the owner renames a complete drop away from its producers, and opens it.
///
/// A crash just after the rename leaves a drop that the next owner finds by its name. A drop that cannot be renamed
/// stays where it is, with the reason, and keeps no other drop from being taken.
extension DropZone {
    /// A drop that was renamed away, opened.
    package struct Taken: ~Copyable {
        package let drop: TakenDrop
        package let file: OwnedDescriptor
    }

    package enum TakeResult: ~Copyable {
        case taken(Taken)
        case notNow(Readiness)
    }

    /// Renames a complete drop away from its producers and opens it.
    package func take(_ drop: Drop) throws(FileSystemError) -> TakeResult {
        guard case .ready = drop.readiness else { return .notNow(drop.readiness) }
        guard let directory = try directoryIfPresent(of: drop.room) else { return .notNow(.young) }
        let room = OpenRoom(room: drop.room, directory: directory)
        let file: OwnedDescriptor
        switch try openOrSkip(drop.entry, in: room.directory) {
        case .opened(let opened): file = opened
        case .refused(let readiness): return .notNow(readiness)
        }
        let facts = try spool.files.metadata(of: file)
        // The entry may have been replaced since it was listed.
        if case let readiness = readiness(of: drop.entry, facts, in: drop.room), readiness != .ready {
            return .notNow(readiness)
        }
        guard let second = try spool.files.openFileIfPresent(drop.entry, in: room.directory) else {
            return .notNow(.young)
        }
        let probe = WriterProbe(second)
        if let readiness = readiness(of: probe.answer, facts) { return .notNow(readiness) }
        let sidecar = sidecar(of: drop.entry, ownedBy: facts.owner, in: room.directory)
        if sidecar == .beingWritten { return .notNow(.young) }
        let place: (name: TakenName, room: OpenRoom, hasSidecar: Bool)
        do throws(FileSystemError) {
            place = try renameAway(drop.entry, from: room, hasSidecar: sidecar == .ready)
        } catch {
            // The name is gone, or the new name is in use already. Another look decides.
            if error.errno == .fileExists || error.errno == .noSuchFileOrDirectory { return .notNow(.young) }
            guard !error.isOutOfSpace, !error.isPassing else { throw error }
            return .notNow(.skipped(room.obstacle(to: drop.entry) ?? Self.words(error, in: drop.room)))
        }
        // The file was replaced or opened again in between. A later look examines the file that has the name now.
        guard let taken = try spool.files.metadata(of: place.name.entry, in: place.room.directory),
            taken.isSameContent(as: facts), probe.answer != .noWriter || probe.stillHolds
        else { return .notNow(.young) }
        let renamed = TakenDrop(
            name: place.name, facts: taken, room: place.room.room, directory: place.room.directory,
            hasSidecar: place.hasSidecar)
        return .taken(Taken(drop: renamed, file: file))
    }

    /// Renames a drop into `taken/`, and its sidecar before it. If the drop is on another file system, gives both hidden
    /// names in their own directory instead.
    private func renameAway(
        _ drop: EntryName, from room: OpenRoom, hasSidecar: Bool
    ) throws(FileSystemError) -> (name: TakenName, room: OpenRoom, hasSidecar: Bool) {
        var target = OpenRoom(room: .taken, directory: spool.taken)
        while true {
            let name = TakenName(
                for: drop, from: room.room.dropRoom, isHidden: target.room != .taken, hasSidecar: hasSidecar)
            let sidecar = hasSidecar ? Sidecar.name(of: drop) : nil
            let newSidecar = sidecar.flatMap { rename($0, from: room, asThatOf: name, to: target) }
            do throws(FileSystemError) {
                try spool.files.rename(drop, in: room.directory, to: name.entry, in: target.directory)
                return (name, target, newSidecar != nil)
            } catch {
                if let sidecar, let newSidecar {
                    _ = try? spool.files.rename(newSidecar, in: target.directory, to: sidecar, in: room.directory)
                }
                guard error.errno == .improperLink, target.room == .taken else { throw error }
                target = room
            }
        }
    }

    /// Renames a sidecar before its drop.
    /// - Returns: the new name; `nil` when the sidecar cannot be renamed, which does not keep the drop back.
    private func rename(
        _ sidecar: EntryName, from room: OpenRoom, asThatOf drop: TakenName, to target: OpenRoom
    ) -> EntryName? {
        guard let name = Sidecar.name(of: drop.entry),
            (try? spool.files.rename(sidecar, in: room.directory, to: name, in: target.directory)) != nil
        else { return nil }
        return name
    }

    /// Opens a drop that an earlier owner renamed away.
    func reopen(_ name: TakenName, in room: Room) throws(FileSystemError) -> TakeResult {
        let directory = try directory(of: room)
        guard let found = try spool.files.metadata(of: name.entry, in: directory) else { return .notNow(.young) }
        if let problem = problem(ofTaken: found, in: room) { return .notNow(.skipped(problem)) }
        let file: OwnedDescriptor
        switch try openOrSkip(name.entry, in: directory) {
        case .opened(let opened): file = opened
        case .refused(let readiness): return .notNow(readiness)
        }
        let facts = try spool.files.metadata(of: file)
        guard let second = try spool.files.openFileIfPresent(name.entry, in: directory) else { return .notNow(.young) }
        let probe = WriterProbe(second)
        if let readiness = readiness(of: probe.answer, facts) { return .notNow(readiness) }
        let drop = TakenDrop(
            name: name, facts: facts, room: room, directory: directory,
            hasSidecar: hasSidecar(name, in: directory))
        return .taken(Taken(drop: drop, file: file))
    }

    /// A drop as a reader shows it: a drop that a process has open for writing is not ready.
    func probed(_ drop: Drop) -> Drop {
        guard drop.readiness == .ready, let directory = try? directory(of: drop.room),
            let file = try? spool.files.openFileIfPresent(drop.entry, in: directory),
            case let probe = WriterProbe(file), case .writing = probe.answer
        else { return drop }
        var drop = drop
        drop.readiness = .beingWritten
        return drop
    }

    private enum Opening: ~Copyable {
        case opened(OwnedDescriptor)
        case refused(Readiness)
    }

    private func openOrSkip(_ name: EntryName, in room: Directory) throws(FileSystemError) -> Opening {
        do throws(FileSystemError) {
            return .opened(try spool.files.openFile(name, in: room))
        } catch {
            guard !error.isPassing else { throw error }
            if error.errno == .noSuchFileOrDirectory { return .refused(.young) }
            let group = ((try? spool.files.metadata(of: name, in: room)) ?? nil)?.group
            return .refused(.skipped(Self.unreadable(error, group: group)))
        }
    }
}
