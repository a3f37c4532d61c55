package import DurableIO

/// The drop zone: what other programs left in `incoming/`, and which of it can be taken now.
package struct DropZone {
    private let spool: ReportSpool
    /// The user whose drops are accepted besides root's.
    private let user: UInt32

    package init(spool: ReportSpool, user: UInt32 = UserIdentity.current) {
        self.spool = spool
        self.user = user
    }

    /// A drop and what is to be done with it.
    package struct Drop: Sendable {
        package let name: EntryName
        package let facts: FileMetadata
        package let standing: Standing
    }

    package enum Standing: Hashable, Sendable {
        /// Complete as far as can be told by looking.
        case ready
        /// Somebody has it open for writing.
        case beingWritten
        /// Nobody can say whether somebody writes it, and it is younger than 2 s.
        case young
        /// Lies in `taken/`, and is collected by the owner, or by the next one.
        case beingTaken
        /// Never taken as it is; the text says why.
        case skipped(String)
    }

    /// How old a file must be, in nanoseconds, where writers cannot be seen: 2 s.
    private static let settlingTime: Int64 = 2_000_000_000

    /// All drops in byte order, the skipped ones with their reason.
    package func drops() throws -> [Drop] {
        try spool.files.entries(of: spool.incoming).compactMap { name in
            guard let facts = try spool.files.metadata(of: name, in: spool.incoming) else { return nil }
            return Drop(name: name, facts: facts, standing: standing(of: name, facts))
        }
    }

    /// Drops an owner has renamed away and not finished with.
    package func takenDrops() throws -> [Drop] {
        try spool.files.entries(of: spool.taken).compactMap { name in
            guard let facts = try spool.files.metadata(of: name, in: spool.taken) else { return nil }
            return Drop(name: name, facts: facts, standing: .beingTaken)
        }
    }

    /// The rules that looking at the entry alone decides, without opening it.
    private func standing(of name: EntryName, _ facts: FileMetadata) -> Standing {
        if name.isHidden { return .skipped("its name begins with a dot") }
        if name.hasSuffix(".tmp") || name.hasSuffix(".partial") {
            return .skipped("its name marks it as unfinished: rename it when it is complete")
        }
        if facts.kind != .regular { return .skipped("is a \(facts.kind.rawValue), not a file") }
        if facts.permissions & 0o777 == 0 { return .skipped("has mode 000: its writer is not done with it") }
        if facts.linkCount > 1 { return .skipped("has \(facts.linkCount) links: copy it instead") }
        if facts.owner != user, facts.owner != 0, !spool.options.isShared {
            return .skipped(
                "belongs to user \(facts.owner), not to the spool's: change its owner, or share the spool (--shared)")
        }
        let limit = spool.options.limits.maximumReportByteCount
        if facts.size > limit { return .skipped(PayloadProblem.tooLarge(size: facts.size, limit: limit).description) }
        return .ready
    }

    // MARK: - Taking

    /// A drop that lies in `taken/`, opened.
    package struct Taken: ~Copyable {
        package let name: EntryName
        package let facts: FileMetadata
        package let file: OwnedDescriptor
    }

    package enum TakeResult: ~Copyable {
        case taken(Taken)
        case notNow(Standing)
    }

    /// Renames a complete drop away from its producers, never over another one, and opens it.
    package func take(_ drop: Drop) throws -> TakeResult {
        guard case .ready = drop.standing else { return .notNow(drop.standing) }
        let file: OwnedDescriptor
        switch try openOrSkip(drop.name, in: spool.incoming) {
        case .opened(let opened): file = opened
        case .refused(let standing): return .notNow(standing)
        }
        let facts = try spool.files.metadata(of: file)
        // The entry may have been replaced since it was listed.
        if case let standing = standing(of: drop.name, facts), standing != .ready { return .notNow(standing) }
        guard let second = try spool.files.openFileIfPresent(drop.name, in: spool.incoming) else {
            return .notNow(.young)
        }
        let probe = WriterProbe(second)
        if let standing = standing(of: probe.answer, facts) { return .notNow(standing) }
        do throws(FileSystemError) {
            try spool.files.rename(drop.name, in: spool.incoming, to: drop.name, in: spool.taken)
        } catch {
            // An earlier drop of that name is being collected; this one's turn comes.
            guard error.errno == .fileExists || error.errno == .noSuchFileOrDirectory else { throw error }
            return .notNow(.young)
        }
        // Replaced or opened again in between: what lies in `taken/` now is looked at anew in a moment.
        guard let taken = try spool.files.metadata(of: drop.name, in: spool.taken), taken.isSameContent(as: facts),
            probe.answer != .noWriter || probe.stillHolds
        else { return .notNow(.young) }
        return .taken(Taken(name: drop.name, facts: taken, file: file))
    }

    /// Opens a drop that an earlier owner renamed away.
    package func reopen(_ name: EntryName) throws -> TakeResult {
        guard let found = try spool.files.metadata(of: name, in: spool.taken), found.kind == .regular else {
            return .notNow(.skipped("is not a file"))
        }
        let file: OwnedDescriptor
        switch try openOrSkip(name, in: spool.taken) {
        case .opened(let opened): file = opened
        case .refused(let standing): return .notNow(standing)
        }
        let facts = try spool.files.metadata(of: file)
        guard let second = try spool.files.openFileIfPresent(name, in: spool.taken) else { return .notNow(.young) }
        let probe = WriterProbe(second)
        if let standing = standing(of: probe.answer, facts) { return .notNow(standing) }
        return .taken(Taken(name: name, facts: facts, file: file))
    }

    private enum Opening: ~Copyable {
        case opened(OwnedDescriptor)
        case refused(Standing)
    }

    private func openOrSkip(_ name: EntryName, in room: Directory) throws -> Opening {
        do throws(FileSystemError) {
            return .opened(try spool.files.openFile(name, in: room))
        } catch {
            switch error.errno {
            case .permissionDenied, .notPermitted: return .refused(.skipped("cannot be read: \(error.errno)"))
            case .tooManySymbolicLinkLevels: return .refused(.skipped("is a symbolic link, not a file"))
            case .noSuchFileOrDirectory: return .refused(.young)
            default: return .refused(.skipped("cannot be read: \(error.errno)"))
            }
        }
    }

    private func standing(of answer: WriterProbe.Answer, _ facts: FileMetadata) -> Standing? {
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
