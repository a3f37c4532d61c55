import DurableIO

/// The rules by which a drop is complete, and may be taken.
///
/// They are asked in this order: what looking at the entry tells (its name, kind, mode, links, owner and size), then
/// whether another process has it open for writing, then, where that cannot be known, whether it has been left alone
/// for 2 s. Nothing that is not complete is renamed away from its producer.
extension DropZone {
    /// How old a file must be, in nanoseconds, where writers cannot be seen: 2 s.
    private static let settlingTime: Int64 = 2_000_000_000

    /// The ends of names that mark a file as unfinished.
    static let unfinishedSuffixes = [".tmp", ".partial"]

    /// What keeps every drop from being taken.
    var obstacle: String? {
        if let remoteName { return Self.remote(remoteName) }
        return spool.incoming.renameObstacle.map(Self.words)
    }

    func obstacle(to name: EntryName) -> String? {
        spool.incoming.renameObstacle(of: name).map(Self.words)
    }

    /// The rules that looking at the entry alone decides, without opening it.
    func readiness(of name: EntryName, _ facts: FileMetadata) -> Readiness {
        if name.hasPrefix(SharedDropZone.temporaryPrefix), facts.kind == .regular { return .beingWritten }
        if name.isHidden { return .skipped("its name begins with a dot") }
        if Self.unfinishedSuffixes.contains(where: name.hasSuffix) {
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

    /// Why a drop that was renamed away is not opened.
    func problem(ofTaken facts: FileMetadata, in room: Room) -> String? {
        // Anybody who may drop may give such a name in `incoming/`.
        if room == .incoming, let problem = problem(of: facts) { return problem }
        return facts.kind == .regular ? nil : "is a \(facts.kind.rawValue), not a file: move it away"
    }

    /// Why a drop that was renamed away cannot be collected. Its bytes at both ends are read, because a file that
    /// cannot be read is not known by its facts.
    func problem(of name: TakenName, _ facts: FileMetadata, in room: Room) -> String? {
        if let problem = problem(ofTaken: facts, in: room) ?? sizeProblem(of: facts) { return problem }
        do throws(FileSystemError) {
            guard let file = try spool.files.openFileIfPresent(name.entry, in: directory(of: room)) else { return nil }
            _ = try spool.files.read(file, limit: 1)
            if facts.size > 1 { _ = try spool.files.read(file, limit: 1, at: facts.size - 1) }
            return nil
        } catch {
            return error.isPassing ? nil : Self.unreadable(error)
        }
    }

    func readiness(of answer: WriterProbe.Answer, _ facts: FileMetadata) -> Readiness? {
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
