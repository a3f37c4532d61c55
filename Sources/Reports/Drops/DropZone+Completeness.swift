import DurableIO

/// The rules by which a drop is complete, and may be taken.
///
/// The owner applies the rules in this order. First it looks at the entry: its name, kind, mode, links, owner and size.
/// Then it asks whether another process has the file open for writing. If that cannot be known, it asks whether the
/// file has not changed for 2 s. A file that is not complete is never renamed away from its producer.
extension DropZone {
    /// How old a file must be, in nanoseconds, where writers cannot be seen: 2 s.
    private static let settlingTime: Int64 = 2_000_000_000

    /// The ends of names that mark a file as unfinished.
    static let unfinishedSuffixes = [".tmp", ".partial"]

    /// Whether a name says that its file is not to be taken yet. A file that is complete gets another name, and so it is
    /// no news if anything happens to a file with such a name.
    static func isUnfinished(_ name: EntryName) -> Bool {
        name.isHidden || unfinishedSuffixes.contains(where: name.hasSuffix)
    }

    /// How long a file with such a name must be unchanged before people are told of it, in milliseconds: 5 minutes.
    /// Until then its program is likely to be writing it.
    private static let unfinishedPatience: Int64 = 300_000

    /// Whether a drop has such a name, and its program may be writing it.
    func isUnderWay(_ drop: Drop) -> Bool {
        guard Self.isUnfinished(drop.entry), let facts = drop.facts, facts.kind == .regular else { return false }
        return abs(spool.clock.wallMilliseconds - facts.changed / 1_000_000) < Self.unfinishedPatience
    }

    /// Whether a drop is skipped for a reason that its entry shows to everybody who looks, whatever the settings are with
    /// which they look: another limit of size, or a spool that is shared.
    func isSkippedOnSight(_ drop: Drop) -> Bool {
        guard case .skipped = drop.readiness, let facts = drop.facts, sizeProblem(of: facts) == nil,
            facts.owner == user || facts.owner == 0
        else { return false }
        return readiness(of: drop.entry, facts, in: drop.room) == drop.readiness
    }

    /// The reason why no drop of `incoming/` can be taken; `nil` if there is none.
    var obstacle: String? {
        if let remoteName { return Self.remote(remoteName) }
        return spool.incoming.renameObstacle.map { Self.words($0) }
    }

    /// The rules that looking at the entry alone decides, without opening it.
    func readiness(of name: EntryName, _ facts: FileMetadata, in room: Room) -> Readiness {
        if name.hasPrefix(SharedDropZone.temporaryPrefix), facts.kind == .regular { return .beingWritten }
        if name.isHidden { return .skipped("its name begins with a dot") }
        if Self.unfinishedSuffixes.contains(where: name.hasSuffix) {
            return .skipped("its name marks it as unfinished: rename it when it is complete")
        }
        if room == .incoming, facts.kind == .directory { return .skipped(problem(ofDirectory: name, facts)) }
        return problem(of: facts).map { .skipped($0) } ?? .ready
    }

    /// Why a directory in `incoming/` is no drop room.
    private func problem(ofDirectory name: EntryName, _ facts: FileMetadata) -> String {
        if DropRoom.endsLikeFile(name) {
            return "is a directory, not a file; a drop room's name does not end like that of a file"
        }
        guard DropRoom(name) != nil else {
            return "is a directory, not a file; a drop room would be named SERVICE or SERVICE@VERSION"
        }
        return "is a directory of user \(facts.owner), not a file; only the spool's user or root can make a drop room"
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

    /// Why a drop that was renamed away is not opened.
    func problem(ofTaken facts: FileMetadata, in room: Room) -> String? {
        // Any user who may drop files can give a file such a name where he drops it.
        if room != .taken, let problem = problem(of: facts) { return problem }
        return facts.kind == .regular ? nil : "is a \(facts.kind.rawValue), not a file: move it away"
    }

    /// Why a drop that was renamed away cannot be collected. This reads the bytes at both ends of the file, because the
    /// facts do not show whether the file can be read.
    func problem(
        of name: TakenName, _ facts: FileMetadata, in room: Room, _ directory: Directory
    ) -> String? {
        if let problem = problem(ofTaken: facts, in: room) ?? sizeProblem(of: facts) { return problem }
        do throws(FileSystemError) {
            guard let file = try spool.files.openFileIfPresent(name.entry, in: directory) else { return nil }
            _ = try spool.files.read(file, limit: 1)
            if facts.size > 1 { _ = try spool.files.read(file, limit: 1, at: facts.size - 1) }
            return nil
        } catch {
            return error.isPassing ? nil : Self.unreadable(error, group: facts.group)
        }
    }

    func readiness(of answer: WriterProbe.Answer, _ facts: FileMetadata) -> Readiness? {
        switch answer {
        case .noWriter: return nil
        case .writing: return .beingWritten
        case .unknown:
            // No write has caused a time far in the future: a program has set it. Such a time says as little about a
            // writer as a time far in the past.
            let age = spool.clock.wallMilliseconds * 1_000_000 - facts.modified
            return abs(age) >= Self.settlingTime ? nil : .young
        }
    }
}
