package import DurableIO

/// The drop zone: the files that other programs left in `incoming/`, and which of them can be taken now.
///
/// Looking changes nothing, and a drop that cannot be looked at hides no other drop. See `DropZone+Taking` for the
/// rest.
package struct DropZone {
    let spool: ReportSpool
    /// The user whose drops are accepted besides root's.
    let user: UInt32

    package init(spool: ReportSpool, user: UInt32 = UserIdentity.current) {
        self.spool = spool
        self.user = user
    }

    /// The directory of a drop.
    package enum Room: String, Sendable {
        case incoming
        case taken
    }

    /// A drop, and whether it can be taken.
    package struct Drop: Sendable {
        package let room: Room
        /// The name that the file has now.
        package let entry: EntryName
        /// The name under which a producer dropped the file.
        package let name: EntryName
        /// `nil` for a drop that cannot be looked at.
        package let facts: FileMetadata?
        package var readiness: Readiness

        /// Whether an owner has renamed it away.
        package var isTaken: Bool { room == .taken || entry != name }

        /// Its path in the spool, for messages.
        package var path: String { "\(room.rawValue)/\(entry)" }
    }

    package enum Readiness: Hashable, Sendable {
        /// The drop is complete, as far as a look can tell.
        case ready
        /// A process has the drop open for writing.
        case beingWritten
        /// It cannot be known whether a process is writing the drop, and the drop is younger than 2 s.
        case young
        /// An owner has renamed the drop away. That owner or the next owner collects it.
        case beingTaken
        /// The drop is never taken as it is. The text says why, and what to do.
        case skipped(String)
    }

    // MARK: - Looking

    /// The drops in byte order, with the reason for each drop that is skipped, and without the drops that an owner has
    /// renamed away. Only the first `limit` entries are looked at. The default is all entries.
    package func drops(atMost limit: Int = .max) throws(FileSystemError) -> [Drop] {
        let obstacle = self.obstacle
        return try spool.files.entries(of: spool.incoming).prefix(limit).compactMap { name in
            guard TakenName(inIncoming: name) == nil else { return nil }
            guard var drop = drop(named: name) else { return nil }
            if drop.readiness == .ready, let reason = obstacle ?? self.obstacle(to: name) {
                drop.readiness = .skipped(reason)
            }
            return drop
        }
    }

    /// Drops that an owner has renamed away and not finished with.
    package func takenDrops() throws(FileSystemError) -> [Drop] {
        try takenNames().compactMap { room, name in
            look(at: name.entry, dropped: name.dropped, in: room) { facts in
                if let problem = problem(of: name, facts, in: room) { return .skipped(problem) }
                return .beingTaken
            }
        }
    }

    /// The names of the drops that owners have renamed away, in both rooms.
    func takenNames() throws(FileSystemError) -> [(room: Room, name: TakenName)] {
        let taken = try spool.files.entries(of: spool.taken).map { (room: Room.taken, name: TakenName(inTaken: $0)) }
        guard remoteName == nil else { return taken }
        var hidden: [TakenName] = []
        // The listing of the drops reports a directory that cannot be listed.
        try? spool.files.forEachEntry(in: spool.incoming) { entry in
            if let name = TakenName(inIncoming: entry) { hidden.append(name) }
            return true
        }
        return taken + hidden.map { (room: .incoming, name: $0) }
    }

    /// The marks of the drops that owners have renamed away, as far as these drops can be looked at.
    package func takenMarks() -> Set<String> { listedTakenMarks() ?? [] }

    /// The same; `nil` when the drops cannot be listed.
    func listedTakenMarks() -> Set<String>? {
        guard let names = try? takenNames() else { return nil }
        return Set(
            names.compactMap { room, name in
                (try? spool.files.metadata(of: name.entry, in: directory(of: room))).map {
                    SourceMark.of(taken: name, $0, in: room)
                }
            })
    }

    func directory(of room: Room) -> Directory { room == .taken ? spool.taken : spool.incoming }

    func look(
        at entry: EntryName, dropped: EntryName, in room: Room, _ readiness: (FileMetadata) -> Readiness
    ) -> Drop? {
        do {
            guard let facts = try spool.files.metadata(of: entry, in: directory(of: room)) else { return nil }
            return Drop(room: room, entry: entry, name: dropped, facts: facts, readiness: readiness(facts))
        } catch {
            let readiness = Readiness.skipped(Self.unreadable(error))
            return Drop(room: room, entry: entry, name: dropped, facts: nil, readiness: readiness)
        }
    }

    /// The network file system on which `incoming/` is; `nil` if `incoming/` is on a local file system, or if the spool
    /// may be on a network file system.
    package var remoteName: String? {
        spool.options.allowsRemoteFileSystem ? nil : spool.files.remoteFileSystemName(of: spool.incoming)
    }
}
