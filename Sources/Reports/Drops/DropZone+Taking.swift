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
        let file: OwnedDescriptor
        switch try openOrSkip(drop.entry, in: spool.incoming) {
        case .opened(let opened): file = opened
        case .refused(let readiness): return .notNow(readiness)
        }
        let facts = try spool.files.metadata(of: file)
        // The entry may have been replaced since it was listed.
        if case let readiness = readiness(of: drop.entry, facts), readiness != .ready { return .notNow(readiness) }
        guard let second = try spool.files.openFileIfPresent(drop.entry, in: spool.incoming) else {
            return .notNow(.young)
        }
        let probe = WriterProbe(second)
        if let readiness = readiness(of: probe.answer, facts) { return .notNow(readiness) }
        let place: (name: TakenName, room: Room)
        do throws(FileSystemError) {
            place = try renameAway(drop.entry)
        } catch {
            // The name is gone, or the new name is in use already. Another look decides.
            if error.errno == .fileExists || error.errno == .noSuchFileOrDirectory { return .notNow(.young) }
            guard !error.isOutOfSpace, !error.isPassing else { throw error }
            return .notNow(.skipped(obstacle(to: drop.entry) ?? Self.words(error)))
        }
        // The file was replaced or opened again in between. A later look examines the file that has the name now.
        let directory = directory(of: place.room)
        guard let taken = try spool.files.metadata(of: place.name.entry, in: directory),
            taken.isSameContent(as: facts), probe.answer != .noWriter || probe.stillHolds
        else { return .notNow(.young) }
        return .taken(
            Taken(drop: TakenDrop(name: place.name, facts: taken, room: place.room, directory: directory), file: file))
    }

    /// Renames a drop into `taken/`. If `incoming/` is on another file system, gives the drop a hidden name in
    /// `incoming/` instead.
    private func renameAway(_ entry: EntryName) throws(FileSystemError) -> (name: TakenName, room: Room) {
        do throws(FileSystemError) {
            let name = TakenName(for: entry, isHidden: false)
            try spool.files.rename(entry, in: spool.incoming, to: name.entry, in: spool.taken)
            return (name, .taken)
        } catch {
            guard error.errno == .improperLink else { throw error }
        }
        let name = TakenName(for: entry, isHidden: true)
        try spool.files.rename(entry, in: spool.incoming, to: name.entry, in: spool.incoming)
        return (name, .incoming)
    }

    /// Opens a drop that an earlier owner renamed away.
    func reopen(_ name: TakenName, in room: Room) throws(FileSystemError) -> TakeResult {
        let directory = directory(of: room)
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
        return .taken(Taken(drop: TakenDrop(name: name, facts: facts, room: room, directory: directory), file: file))
    }

    /// A drop as a reader shows it: a drop that a process has open for writing is not ready.
    func probed(_ drop: Drop) -> Drop {
        guard drop.readiness == .ready, let file = try? spool.files.openFileIfPresent(drop.entry, in: spool.incoming),
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
