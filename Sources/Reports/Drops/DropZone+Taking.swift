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
        let isSeen = spool.completeDrops.forget(drop.entry, in: drop.room.dropRoom?.name)
        if let readiness = readiness(of: probe.answer, facts), readiness != .young || !isSeen {
            return .notNow(readiness)
        }
        let sidecar = sidecar(of: drop.entry, ownedBy: facts.owner, in: room.directory)
        if sidecar.isBeingWritten { return .notNow(.young) }
        let place: (name: TakenName, room: OpenRoom, hasSidecar: Bool)
        do throws(FileSystemError) {
            place = try renameAway(Pair(drop: drop.entry, facts: facts, sidecar: sidecar.facts), from: room)
        } catch {
            // The name is gone, or the new name is in use already. Another look decides.
            if error.errno == .fileExists || error.errno == .noSuchFileOrDirectory { return .notNow(.young) }
            guard !error.isOutOfSpace, !error.isPassing else { throw error }
            return .notNow(.skipped(room.obstacle(to: drop.entry) ?? Self.words(error, in: drop.room)))
        }
        if let unread = sidecar.unread { setAside(unread: unread, of: drop.entry, in: room.directory) }
        // A program has opened one of the files again in between. A later look examines both.
        guard let taken = try spool.files.metadata(of: place.name.entry, in: place.room.directory),
            taken.isSameContent(as: facts), probe.answer != .noWriter || probe.stillHolds, sidecar.isUnopened
        else { return .notNow(.young) }
        let renamed = TakenDrop(
            name: place.name, facts: taken, room: place.room.room, directory: place.room.directory,
            hasSidecar: place.hasSidecar)
        return .taken(Taken(drop: renamed, file: file))
    }

    /// A drop that is about to be renamed, with the facts about it and about its sidecar.
    private struct Pair {
        let drop: EntryName
        let facts: FileMetadata
        /// `nil` when no sidecar is taken with it.
        let sidecar: FileMetadata?
    }

    /// Renames a drop into `taken/`, and its sidecar before it. If the drop is on another file system, gives both hidden
    /// names in their own directory instead.
    private func renameAway(
        _ pair: Pair, from room: OpenRoom
    ) throws(FileSystemError) -> (name: TakenName, room: OpenRoom, hasSidecar: Bool) {
        var target = OpenRoom(room: .taken, directory: spool.taken)
        while true {
            let name = TakenName(
                for: pair.drop, from: room.room.dropRoom, isHidden: target.room != .taken,
                hasSidecar: pair.sidecar != nil)
            do throws(FileSystemError) {
                return (name, target, try rename(pair, as: name, from: room, to: target))
            } catch {
                guard error.errno == .improperLink, target.room == .taken else { throw error }
                target = room
            }
        }
    }

    /// - Returns: whether the sidecar was renamed, too.
    private func rename(
        _ pair: Pair, as name: TakenName, from source: OpenRoom, to target: OpenRoom
    ) throws(FileSystemError) -> Bool {
        let hasSidecar = try pair.sidecar.map { facts throws(FileSystemError) in
            try rename(facts, of: pair.drop, as: name, from: source, to: target)
        }
        do throws(FileSystemError) {
            try spool.files.rename(pair.drop, in: source.directory, to: name.entry, in: target.directory)
        } catch {
            putBackSidecar(of: name, pair.drop, from: target, to: source)
            throw error
        }
        let renamed = try spool.files.metadata(of: name.entry, in: target.directory)
        guard let renamed, !renamed.isSameFile(as: pair.facts) else { return hasSidecar ?? false }
        // A program has put another drop in this one's place, which may have a sidecar of its own.
        do throws(FileSystemError) {
            try spool.files.rename(name.entry, in: target.directory, to: pair.drop, in: source.directory)
            putBackSidecar(of: name, pair.drop, from: target, to: source)
        } catch {
            // The other drop stays renamed away. Which sidecar is its own cannot be known any more; this one is not.
            if let sidecar = Sidecar.name(of: name.entry) {
                _ = try? spool.files.remove(sidecar, in: target.directory)
            }
        }
        throw FileSystemError(.rename, source.directory.path(of: pair.drop), .noSuchFileOrDirectory)
    }

    /// Renames the sidecar of a drop, durably, so that no power cut parts a renamed drop from it.
    /// - Returns: whether it was renamed. A sidecar that cannot be renamed does not keep its drop back.
    /// - Throws: an error when another look has to decide.
    private func rename(
        _ facts: FileMetadata, of drop: EntryName, as name: TakenName, from source: OpenRoom, to target: OpenRoom
    ) throws(FileSystemError) -> Bool {
        guard let sidecar = Sidecar.name(of: drop), let newSidecar = Sidecar.name(of: name.entry) else { return false }
        do throws(FileSystemError) {
            try spool.files.rename(sidecar, in: source.directory, to: newSidecar, in: target.directory)
        } catch {
            let isForAnotherLook = [.improperLink, .noSuchFileOrDirectory].contains(error.errno)
            guard isForAnotherLook || error.isPassing || error.isOutOfSpace else { return false }
            throw error
        }
        do throws(FileSystemError) {
            let renamed = try spool.files.metadata(of: newSidecar, in: target.directory)
            guard let renamed, renamed.isSameFile(as: facts) else {
                // Another file has the name now, which nobody has looked at.
                throw FileSystemError(.rename, source.directory.path(of: sidecar), .noSuchFileOrDirectory)
            }
            try spool.files.syncDirectory(target.directory)
        } catch {
            putBackSidecar(of: name, drop, from: target, to: source)
            throw error
        }
        return true
    }

    /// Gives a sidecar its name back. If the name is in use, a program has written the drop's sidecar anew, and the old
    /// one goes.
    private func putBackSidecar(of name: TakenName, _ drop: EntryName, from target: OpenRoom, to source: OpenRoom) {
        guard let sidecar = Sidecar.name(of: drop), let newSidecar = Sidecar.name(of: name.entry) else { return }
        do throws(FileSystemError) {
            try spool.files.rename(newSidecar, in: target.directory, to: sidecar, in: source.directory)
        } catch {
            guard error.errno == .fileExists else { return }
            _ = try? spool.files.remove(newSidecar, in: target.directory)
        }
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
        if sidecar(of: name.entry, ownedBy: facts.owner, in: directory).isBeingWritten { return .notNow(.young) }
        let drop = TakenDrop(
            name: name, facts: facts, room: room, directory: directory,
            hasSidecar: hasSidecar(name, in: directory))
        return .taken(Taken(drop: drop, file: file))
    }

    /// A drop as a reader shows it: a drop that a process has open for writing is not ready.
    func probed(_ drop: Drop) -> Drop {
        guard drop.readiness == .ready, let directory = try? directory(of: drop.room),
            let file = try? spool.files.openFileIfPresent(drop.entry, in: directory)
        else { return drop }
        let probe = WriterProbe(file)
        guard probe.answer == .writing || hasWriter(ofSidecarOf: drop, in: directory) else { return drop }
        var drop = drop
        drop.readiness = .beingWritten
        return drop
    }

    private func hasWriter(ofSidecarOf drop: Drop, in directory: Directory) -> Bool {
        drop.facts.map { sidecar(of: drop.entry, ownedBy: $0.owner, in: directory).isBeingWritten } ?? false
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
