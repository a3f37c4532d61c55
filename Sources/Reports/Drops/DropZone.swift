package import DurableIO

/// The drop zone: the files that other programs left in `incoming/` and in its drop rooms, and which of them can be
/// taken now.
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
    package enum Room: Hashable, Sendable {
        case incoming
        case taken
        case dropRoom(DropRoom)

        /// The room with this path in the spool; `nil` if there is none.
        package init?(path: String) {
            switch path {
            case "incoming": self = .incoming
            case "taken": self = .taken
            default:
                guard path.hasPrefix(Self.prefix),
                    let room = EntryName(String(path.dropFirst(Self.prefix.count))).flatMap(DropRoom.init)
                else { return nil }
                self = .dropRoom(room)
            }
        }

        private static let prefix = "incoming/"

        /// The path in the spool.
        package var path: String {
            switch self {
            case .incoming: "incoming"
            case .taken: "taken"
            case .dropRoom(let room): "\(Self.prefix)\(room.name)"
            }
        }

        package var dropRoom: DropRoom? {
            if case .dropRoom(let room) = self { room } else { nil }
        }
    }

    /// A drop, and whether it can be taken.
    package struct Drop: Sendable {
        package let room: Room
        /// The name that the file has now.
        package let entry: EntryName
        /// The name under which a producer dropped the file.
        package let name: EntryName
        /// The drop room into which a producer dropped the file.
        package let dropRoom: DropRoom?
        /// `nil` for a drop that cannot be looked at.
        package let facts: FileMetadata?
        package var readiness: Readiness

        /// Whether an owner has renamed it away.
        package var isTaken: Bool { room == .taken || entry != name }

        /// Its path in the spool, for messages.
        package var path: String { "\(room.path)/\(entry)" }
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

    /// The drops in the byte order of each directory, with the reason for each drop that is skipped, and without the
    /// drops that an owner has renamed away. Only the first `limit` entries are looked at. The default is all entries.
    package func drops(atMost limit: Int = .max) throws(FileSystemError) -> [Drop] {
        var (drops, count) = ([Drop](), 0)
        func mayGoOn() -> Bool {
            count += 1
            return count <= limit
        }
        let failures = visit(inOrder: true, while: mayGoOn) { found in
            guard case .drop(var drop, let room) = found else { return }
            if drop.readiness == .ready, let reason = room.obstacle ?? room.obstacle(to: drop.entry) {
                drop.readiness = .skipped(reason)
            }
            drops.append(drop)
        }
        if let failure = failures.first(where: { $0.room == .incoming }) { throw failure.error }
        return drops
    }

    /// Drops that an owner has renamed away and not finished with.
    package func takenDrops() throws(FileSystemError) -> [Drop] {
        try takenNames().compactMap { room, name in
            guard let directory = try? directory(of: room) else { return nil }
            return look(at: name.entry, dropped: name, in: OpenRoom(room: room, directory: directory)) { facts in
                if let problem = problem(of: name, facts, in: room, directory) { return .skipped(problem) }
                return .beingTaken
            }
        }
    }

    /// The names of the drops that owners have renamed away, in all rooms.
    func takenNames() throws(FileSystemError) -> [(room: Room, name: TakenName)] {
        let taken = try spool.files.entries(of: spool.taken).compactMap { entry in
            Sidecar.isName(entry) ? nil : (room: Room.taken, name: TakenName(inTaken: entry))
        }
        guard remoteName == nil else { return taken }
        var hidden: [(room: Room, name: TakenName)] = []
        // The listing of the drops reports a directory that cannot be listed.
        for room in [.incoming] + ((try? dropRooms()) ?? []).map({ Room.dropRoom($0) }) {
            guard let directory = try? directory(of: room), remoteName(of: directory) == nil else { continue }
            try? spool.files.forEachEntry(in: directory) { entry in
                if let name = TakenName(inIncoming: entry), !Sidecar.isName(entry) { hidden.append((room, name)) }
                return true
            }
        }
        return taken + hidden
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

    func look(
        at entry: EntryName, dropped: TakenName? = nil, in room: OpenRoom, _ readiness: (FileMetadata) -> Readiness
    ) -> Drop? {
        func drop(_ facts: FileMetadata?, _ readiness: Readiness) -> Drop {
            Drop(
                room: room.room, entry: entry, name: dropped?.dropped ?? entry,
                dropRoom: dropped?.room ?? room.room.dropRoom, facts: facts, readiness: readiness)
        }
        do throws(FileSystemError) {
            guard let facts = try spool.files.metadata(of: entry, in: room.directory) else { return nil }
            return drop(facts, readiness(facts))
        } catch {
            return drop(nil, .skipped(Self.unreadable(error)))
        }
    }

    /// The network file system on which `incoming/` is; `nil` if `incoming/` is on a local file system, or if the spool
    /// may be on a network file system.
    package var remoteName: String? { remoteName(of: spool.incoming) }

    func remoteName(of directory: Directory) -> String? {
        spool.options.allowsRemoteFileSystem ? nil : spool.files.remoteFileSystemName(of: directory)
    }
}
