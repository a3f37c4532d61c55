import DurableIO

/// Sidecars: which of them are read, and how they are renamed away with their payloads.
///
/// A sidecar is renamed before its payload, and unlinked before it. So an owner that dies in between leaves a sidecar
/// without a payload, which the next owner puts back, and never a payload whose sidecar is lost.
extension DropZone {
    /// The sidecar of a drop that is about to be taken.
    struct FoundSidecar: ~Copyable {
        /// The facts about a sidecar that is taken with its payload; `nil` when there is none.
        var facts: FileMetadata?
        /// Whether a program is writing it, so that the payload waits.
        var isBeingWritten = false
        /// The facts about a file with the name of a sidecar that is not read.
        var unread: FileMetadata?
        fileprivate var probe: WriterProbe?

        /// Whether no program has opened it for writing since the look, as far as this can be known.
        var isUnopened: Bool {
            switch probe {
            case .some(let probe): probe.answer != .noWriter || probe.stillHolds
            case .none: true
            }
        }
    }

    /// How long after its last change a sidecar that a program has open keeps its payload waiting, in nanoseconds: 60 s.
    private static let longestWriting: Int64 = 60_000_000_000
    /// For how long nobody is told of a sidecar without a payload, in nanoseconds: 24 h.
    private static let patience: Int64 = 86_400_000_000_000

    /// Looks at the sidecar of a drop that is about to be taken.
    /// - Parameters:
    ///   - drop: the name of the drop.
    ///   - owner: the user to whom the drop belongs.
    ///   - directory: the directory of both.
    /// - Returns: the sidecar, without facts if none may be read.
    func sidecar(of drop: EntryName, ownedBy owner: UInt32, in directory: Directory) -> FoundSidecar {
        guard let name = Sidecar.name(of: drop), let facts = (try? spool.files.metadata(of: name, in: directory)) ?? nil
        else { return FoundSidecar() }
        let unread = FoundSidecar(unread: facts.kind == .regular ? facts : nil)
        do throws(FileSystemError) {
            guard problem(ofSidecar: facts, ownedBy: owner) == nil,
                let file = try spool.files.openFileIfPresent(name, in: directory)
            else { return unread }
            let opened = try spool.files.metadata(of: file)
            guard opened.isSameFile(as: facts) else { return FoundSidecar(isBeingWritten: true) }
            let probe = WriterProbe(file)
            switch readiness(of: probe.answer, opened) {
            case nil: return FoundSidecar(facts: opened, probe: probe)
            case .beingWritten where isOlder(than: Self.longestWriting, opened.changed): return unread
            default: return FoundSidecar(isBeingWritten: true)
            }
        } catch {
            // A look a moment later may succeed.
            return error.isPassing ? FoundSidecar(isBeingWritten: true) : unread
        }
    }

    /// Why a sidecar is not read; `nil` for one that is.
    private func problem(ofSidecar facts: FileMetadata, ownedBy owner: UInt32) -> String? {
        if facts.kind != .regular { return "is a \(facts.kind.rawValue), not a file" }
        if facts.permissions & 0o777 == 0 { return "has mode 000: its writer is not done with it" }
        if facts.linkCount > 1 { return "has \(facts.linkCount) links: copy it instead" }
        if facts.owner != owner { return "belongs to user \(facts.owner), and its drop to user \(owner)" }
        if facts.size > Sidecar.maximumByteCount { return "has more than \(Sidecar.maximumByteCount >> 10) KiB" }
        return nil
    }

    /// A sidecar as a drop that is skipped; `nil` for one that will be taken with its payload.
    func unread(sidecar: Drop, _ facts: FileMetadata, in room: OpenRoom) -> Drop? {
        var sidecar = sidecar
        guard let name = Sidecar.drop(of: sidecar.name), !Sidecar.isName(name),
            let payload = (try? spool.files.metadata(of: name, in: room.directory)) ?? nil, payload.kind == .regular
        else {
            let name = Sidecar.drop(of: sidecar.name)
            let words = name.map { Sidecar.isName($0) ? "a sidecar, which has none" : "\($0), which is not there" }
            sidecar.readiness = .skipped("has annotations for \(words ?? "a drop without a name")")
            return sidecar
        }
        guard let problem = problem(ofSidecar: facts, ownedBy: payload.owner) else { return nil }
        sidecar.readiness = .skipped("its annotations are not read: \(problem)")
        return sidecar
    }

    /// Whether people are to be told of a drop besides in a list. A sidecar may be there before its payload.
    func isWorthTelling(_ drop: Drop) -> Bool {
        guard Sidecar.isName(drop.name) else { return true }
        return drop.facts.map { isOlder(than: Self.patience, $0.changed) } ?? true
    }

    private func isOlder(than age: Int64, _ time: Int64) -> Bool {
        spool.clock.wallMilliseconds * 1_000_000 - time > age
    }

    /// Gives a sidecar that was not read a name of its own, so that it does not count for a later drop of the same name.
    func setAside(unread facts: FileMetadata, of drop: EntryName, in directory: Directory) {
        guard let name = Sidecar.name(of: drop), let aside = Sidecar.nameAside(of: drop),
            (try? spool.files.metadata(of: name, in: directory))??.isSameFile(as: facts) == true
        else { return }
        _ = try? spool.files.rename(name, in: directory, to: aside, in: directory)
    }

    // MARK: - Renamed away

    /// Reads the sidecar beside a drop.
    /// - Parameters:
    ///   - drop: the name that the drop has now.
    ///   - owner: the user to whom the drop belongs.
    ///   - directory: the directory of both.
    /// - Returns: `nil` when there is no sidecar that may be read.
    /// - Throws: an error of this machine that says nothing about the sidecar.
    func sidecar(
        beside drop: EntryName, ownedBy owner: UInt32, in directory: Directory
    ) throws(FileSystemError) -> Sidecar? {
        guard let name = Sidecar.name(of: drop) else { return nil }
        do throws(FileSystemError) {
            guard let file = try spool.files.openFileIfPresent(name, in: directory),
                problem(ofSidecar: try spool.files.metadata(of: file), ownedBy: owner) == nil
            else { return nil }
            return Sidecar(try spool.files.read(file, limit: Sidecar.maximumByteCount + 1))
        } catch {
            guard !error.isPassing else { throw error }
            return Sidecar(nil)
        }
    }

    /// What a drop says of itself, besides its payload.
    func annotations(of drop: TakenDrop) throws(FileSystemError) -> AnnotationRules.Sources {
        try annotations(
            of: drop.name.entry, from: drop.dropRoom, drop.facts, in: drop.directory, nil, hasSidecar: drop.hasSidecar)
    }

    /// The same of a drop that a reader looks at.
    func annotations(
        of drop: EntryName, from room: DropRoom?, _ facts: FileMetadata, in directory: Directory,
        _ header: DropHeader?, hasSidecar: Bool = true
    ) throws(FileSystemError) -> AnnotationRules.Sources {
        var sources = AnnotationRules.Sources()
        sources.foreignUser = spool.options.isShared && facts.owner != user ? facts.owner : nil
        sources.room = room?.annotations ?? [:]
        if hasSidecar {
            let sidecar = try sidecar(beside: drop, ownedBy: facts.owner, in: directory)
            (sources.sidecar, sources.ignoredCount) = (sidecar?.annotations ?? [:], sidecar?.ignoredCount ?? 0)
        }
        sources.program = header?.annotations ?? [:]
        return sources
    }

    /// Whether a drop that was renamed away has its sidecar beside it.
    func hasSidecar(_ name: TakenName, in directory: Directory) -> Bool {
        Sidecar.name(of: name.entry).map { ((try? spool.files.metadata(of: $0, in: directory)) ?? nil) != nil } ?? false
    }

    /// Unlinks a drop that was renamed away, and its sidecar before it.
    func unlink(_ entry: EntryName, in directory: Directory, withSidecar: Bool = true) throws(FileSystemError) {
        if withSidecar, let sidecar = Sidecar.name(of: entry) {
            do throws(FileSystemError) {
                try spool.files.remove(sidecar, in: directory)
            } catch {
                // Any user who may drop files can put a directory where a hidden sidecar was.
                guard error.errno == .isDirectory else { throw error }
            }
        }
        try spool.files.remove(entry, in: directory)
    }

    /// A sidecar that an owner had renamed away when it died before it renamed the payload, or after it unlinked it.
    struct LoneSidecar: Sendable {
        fileprivate let entry: EntryName
        fileprivate let drop: TakenName
        fileprivate let room: Room
        /// That of the payload.
        let nonce: String
    }

    /// The sidecars without payloads among those that a look has found renamed away.
    func loneSidecars(_ look: Look) -> [LoneSidecar] {
        look.sidecars.compactMap { entry, room in
            guard let payload = Sidecar.drop(of: entry), let drop = TakenName(payload, in: room),
                let nonce = drop.nonce,
                // A payload that cannot be looked at may be there.
                case .some(.none) = try? spool.files.metadata(of: payload, in: directory(of: room))
            else { return nil }
            return LoneSidecar(entry: entry, drop: drop, room: room, nonce: nonce)
        }
    }

    /// Puts a sidecar back, or unlinks it if its payload was enrolled. Nothing may be taken meanwhile.
    func restore(_ sidecar: LoneSidecar, isEnrolled: Bool) {
        guard let directory = try? directory(of: sidecar.room) else { return }
        guard !isEnrolled else {
            _ = try? spool.files.remove(sidecar.entry, in: directory)
            return
        }
        restore(sidecar.entry, of: sidecar.drop, from: OpenRoom(room: sidecar.room, directory: directory))
    }

    private func restore(_ sidecar: EntryName, of name: TakenName, from room: OpenRoom) {
        let target: Room = room.room == .taken ? name.room.map { .dropRoom($0) } ?? .incoming : room.room
        guard let directory = try? directory(of: target) else {
            // The payload was in its drop room and has gone with it.
            if let dropRoom = target.dropRoom, !mayExist(dropRoom.name, in: spool.incoming) {
                _ = try? spool.files.remove(sidecar, in: room.directory)
            }
            return
        }
        guard let original = originalName(of: name, in: directory) else { return }
        do throws(FileSystemError) {
            try spool.files.rename(sidecar, in: room.directory, to: original, in: directory)
        } catch {
            guard error.errno == .fileExists else { return }
            resolve(sidecar, of: name, in: room, beside: original, in: directory)
        }
    }

    /// Decides about a sidecar whose name a program has given to another one meanwhile. A sidecar comes before its
    /// payload. So if the payload was there first it belongs to the old sidecar, and is renamed to it. Else the program
    /// has replaced both, and the old sidecar goes.
    private func resolve(
        _ sidecar: EntryName, of name: TakenName, in room: OpenRoom, beside newer: EntryName, in directory: Directory
    ) {
        func changeTime(_ name: EntryName) -> Int64? {
            ((try? spool.files.metadata(of: name, in: directory)) ?? nil)?.changed
        }
        if let drop = Sidecar.drop(of: newer), let payload = changeTime(drop), let sidecar = changeTime(newer),
            payload < sidecar
        {
            _ = try? spool.files.rename(drop, in: directory, to: name.entry, in: room.directory)
        } else {
            _ = try? spool.files.remove(sidecar, in: room.directory)
        }
    }

    private func mayExist(_ name: EntryName, in directory: Directory) -> Bool {
        if case .some(.none) = try? spool.files.metadata(of: name, in: directory) { false } else { true }
    }

    /// The name that the sidecar of a drop had. If the drop's name was cut, it is found among the drops in the
    /// directory.
    private func originalName(of name: TakenName, in directory: Directory) -> EntryName? {
        guard name.mayBeCut, (try? spool.files.metadata(of: name.dropped, in: directory)) ?? nil == nil else {
            return Sidecar.name(of: name.dropped)
        }
        let drops = ((try? spool.files.entries(of: directory)) ?? []).filter { entry in
            entry.bytes.starts(with: name.dropped.bytes) && !Sidecar.isName(entry)
        }
        return drops.count == 1 ? drops.first.flatMap(Sidecar.name) : Sidecar.name(of: name.dropped)
    }
}
