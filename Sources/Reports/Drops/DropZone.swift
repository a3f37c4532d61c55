package import DurableIO

/// The drop zone: what other programs left in `incoming/`, and which of it can be taken now.
///
/// Looking changes nothing, and one drop that cannot be looked at hides no other. See `DropZone+Taking` for the rest.
package struct DropZone {
    let spool: ReportSpool
    /// The user whose drops are accepted besides root's.
    private let user: UInt32

    package init(spool: ReportSpool, user: UInt32 = UserIdentity.current) {
        self.spool = spool
        self.user = user
    }

    /// Where a drop lies.
    package enum Room: String, Sendable {
        case incoming
        case taken
    }

    /// A drop and what is to be done with it.
    package struct Drop: Sendable {
        package let room: Room
        /// The name as it lies there.
        package let entry: EntryName
        /// The name it was dropped under.
        package let name: EntryName
        /// `nil` for a drop that cannot be looked at.
        package let facts: FileMetadata?
        package var standing: Standing

        /// Whether an owner has renamed it away.
        package var isTaken: Bool { room == .taken || entry != name }

        /// Its path in the spool, for messages.
        package var path: String { "\(room.rawValue)/\(entry)" }
    }

    package enum Standing: Hashable, Sendable {
        /// Complete as far as can be told by looking.
        case ready
        /// Somebody has it open for writing.
        case beingWritten
        /// Nobody can say whether somebody writes it, and it is younger than 2 s.
        case young
        /// Renamed away, and collected by the owner, or by the next one.
        case beingTaken
        /// Never taken as it is; the text says why, and what to do.
        case skipped(String)
    }

    /// How old a file must be, in nanoseconds, where writers cannot be seen: 2 s.
    private static let settlingTime: Int64 = 2_000_000_000

    // MARK: - Looking

    /// All drops in byte order, the skipped ones with their reason; without those that an owner has renamed away.
    package func drops() throws(FileSystemError) -> [Drop] {
        let obstacle = self.obstacle
        return try spool.files.entries(of: spool.incoming).compactMap { name in
            guard TakenName(inIncoming: name) == nil else { return nil }
            return look(at: name, dropped: name, in: .incoming) { facts in
                let standing = standing(of: name, facts)
                guard standing == .ready else { return standing }
                return (obstacle ?? self.obstacle(to: name)).map { .skipped($0) } ?? .ready
            }
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

    /// The names of what owners have renamed away, in both rooms.
    func takenNames() throws(FileSystemError) -> [(room: Room, name: TakenName)] {
        let taken = try spool.files.entries(of: spool.taken).map { (room: Room.taken, name: TakenName(inTaken: $0)) }
        guard remoteName == nil else { return taken }
        var hidden: [TakenName] = []
        // A directory that cannot be listed is told of with the drops.
        try? spool.files.forEachEntry(in: spool.incoming) { entry in
            if let name = TakenName(inIncoming: entry) { hidden.append(name) }
            return true
        }
        return taken + hidden.map { (room: .incoming, name: $0) }
    }

    /// The marks of what owners have renamed away, as far as it can be looked at.
    func takenMarks() -> Set<String> {
        let names = (try? takenNames()) ?? []
        return Set(
            names.compactMap { room, name in
                (try? spool.files.metadata(of: name.entry, in: directory(of: room))).map {
                    SourceMark.of(taken: name, $0, in: room)
                }
            })
    }

    func directory(of room: Room) -> Directory { room == .taken ? spool.taken : spool.incoming }

    private func look(
        at entry: EntryName, dropped: EntryName, in room: Room, _ standing: (FileMetadata) -> Standing
    ) -> Drop? {
        do {
            guard let facts = try spool.files.metadata(of: entry, in: directory(of: room)) else { return nil }
            return Drop(room: room, entry: entry, name: dropped, facts: facts, standing: standing(facts))
        } catch {
            let standing = Standing.skipped(Self.unreadable(error))
            return Drop(room: room, entry: entry, name: dropped, facts: nil, standing: standing)
        }
    }

    /// The network file system that `incoming/` lies on, unless such are used all the same.
    package var remoteName: String? {
        spool.options.allowsRemoteFileSystem ? nil : spool.files.remoteFileSystemName(of: spool.incoming)
    }

    /// What keeps every drop from being taken.
    private var obstacle: String? {
        if let remoteName { return Self.remote(remoteName) }
        return spool.incoming.renameObstacle.map(Self.words)
    }

    private func obstacle(to name: EntryName) -> String? {
        spool.incoming.renameObstacle(of: name).map(Self.words)
    }

    /// The rules that looking at the entry alone decides, without opening it.
    func standing(of name: EntryName, _ facts: FileMetadata) -> Standing {
        if name.isHidden { return .skipped("its name begins with a dot") }
        if name.hasSuffix(".tmp") || name.hasSuffix(".partial") {
            return .skipped("its name marks it as unfinished: rename it when it is complete")
        }
        return problem(of: facts).map { .skipped($0) } ?? .ready
    }

    /// The rules that the facts alone decide.
    func problem(of facts: FileMetadata) -> String? {
        if facts.kind != .regular { return "is a \(facts.kind.rawValue), not a file" }
        if facts.permissions & 0o777 == 0 { return "has mode 000: its writer is not done with it" }
        if facts.linkCount > 1 { return "has \(facts.linkCount) links: copy it instead" }
        if facts.owner != user, facts.owner != 0, !spool.options.isShared {
            return
                "belongs to user \(facts.owner), not to the spool's: change its owner, or share the spool (--shared)"
        }
        return sizeProblem(of: facts)
    }

    private func sizeProblem(of facts: FileMetadata) -> String? {
        spool.options.limits.refusal(of: facts)?.description
    }

    /// Why a drop that was renamed away cannot be collected. Its bytes at both ends are read, because a file that cannot be
    /// read is not known by its facts.
    private func problem(of name: TakenName, _ facts: FileMetadata, in room: Room) -> String? {
        // Anybody who may drop may give such a name in `incoming/`.
        if room == .incoming, let problem = problem(of: facts) { return problem }
        if facts.kind != .regular { return "is a \(facts.kind.rawValue), not a file: move it away" }
        if let problem = sizeProblem(of: facts) { return problem }
        do throws(FileSystemError) {
            guard let file = try spool.files.openFileIfPresent(name.entry, in: directory(of: room)) else { return nil }
            _ = try spool.files.read(file, limit: 1)
            if facts.size > 1 { _ = try spool.files.read(file, limit: 1, at: facts.size - 1) }
            return nil
        } catch {
            return error.isPassing ? nil : Self.unreadable(error)
        }
    }

    func standing(of answer: WriterProbe.Answer, _ facts: FileMetadata) -> Standing? {
        switch answer {
        case .noWriter: return nil
        case .writing: return .beingWritten
        case .unknown:
            // A time far in the future was set, not written: it says as little about a writer as one far in the past.
            let age = spool.clock.wallMilliseconds * 1_000_000 - facts.modified
            return abs(age) >= Self.settlingTime ? nil : .young
        }
    }
}

// MARK: - Words

extension DropZone {
    /// Why all of a mounted directory is left alone.
    package static func remote(_ name: String) -> String {
        "incoming/ lies on \(name), where nobody can tell whether a file is complete: mount a local directory there"
    }

    private static func words(_ obstacle: RenameObstacle) -> String {
        switch obstacle {
        case .mountPoint: "is a mount point and cannot be moved: mount the directory that holds it, or copy it here"
        case .appendOnly: "is append-only and cannot be moved: run chattr -a on it, or copy it here"
        case .immutable: "is immutable and cannot be moved: run chattr -i on it, or copy it here"
        case .protectedDirectory:
            "cannot be moved out of incoming/, which is append-only or immutable: run chattr -a -i on it"
        case .readOnly: "cannot be moved, incoming/ is read-only: mount it writable"
        case .forbidden:
            "cannot be moved, this user may not write to incoming/: run as its owner, or let this user write"
        }
    }

    /// Why a rename failed, and what to do.
    static func words(_ error: FileSystemError) -> String {
        switch error.errno {
        case .resourceBusy: words(.mountPoint)
        case .notPermitted:
            "cannot be moved, its attributes or those of incoming/ forbid it: see lsattr, or copy it here"
        case .permissionDenied: words(.forbidden)
        case .readOnlyFileSystem: words(.readOnly)
        case .invalidArgument:
            "cannot be moved, the file system of incoming/ cannot rename without replacing: use another one there"
        default: "cannot be moved: \(error.errno)"
        }
    }

    static func unreadable(_ error: FileSystemError) -> String {
        switch error.errno {
        case .permissionDenied, .notPermitted: "cannot be read: \(error.errno): run as its owner, or change its mode"
        case .tooManySymbolicLinkLevels: "is a symbolic link, not a file"
        default: "cannot be read: \(error.errno): move it away"
        }
    }
}
