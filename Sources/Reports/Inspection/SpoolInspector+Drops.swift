import Background
import DurableIO

/// Drops as readers see them, and what the ledger knows of those that were begun and are not finished.
extension SpoolInspector {
    /// A drop that has not come in.
    struct SeenDrop {
        var drop: DropZone.Drop
        /// Earlier tries to collect it; `nil` where the ledger knows of none.
        let begun: BegunDrop?
        /// Whether a living owner is collecting it.
        let isUnderWay: Bool
        /// What a packed drop says of its payload; `nil` for any other, and for one that cannot be read.
        let header: DropHeader?
        /// What its room, its sidecar and its header say.
        let annotations: [String: String]

        var isPoisonous: Bool { begun?.isPoisonous ?? false }
        /// What is to be known of the tries, and done.
        var note: String? { begun?.note(isUnderWay: isUnderWay) }
    }

    /// What was dropped and has not come in, with the reasons that only an owner's try could tell. A room that cannot
    /// be listed counts as empty; see ``roomProblems()``.
    /// - Parameters:
    ///   - limit: how many entries of `incoming/` are looked at, at most.
    ///   - isProbing: whether each is opened, to learn whether another process writes to it.
    /// - Returns: the drops in `incoming/`, then those that an owner has renamed away.
    /// - Throws: `SQLiteError` when the ledger cannot be read.
    func drops(atMost limit: Int = .max, isProbing: Bool = true) throws -> [SeenDrop] {
        let zone = DropZone(spool: spool, user: try spool.files.metadata(of: spool.root).owner)
        let reasons = try leftReasons()
        let begun = try reader?.queries.begunDrops() ?? [:]
        let hasOwner = !begun.isEmpty && OwnerLock.isHeld(LedgerPlace.lockName, in: spool.root)
        return (((try? zone.drops(atMost: limit)) ?? []) + ((try? zone.takenDrops()) ?? [])).map { drop in
            var drop = isProbing ? zone.probed(drop) : drop
            let row = mark(of: drop).flatMap { begun[$0] }
            // The row tells more than the reason that the last owner left.
            if drop.readiness == .ready || drop.readiness == .beingTaken, row?.isPoisonous != true,
                let reason = reasons[LeftSources.Key(drop.path, drop.facts).text]
            {
                drop.readiness = .skipped(reason)
            }
            let header = zone.header(of: drop)
            return SeenDrop(
                drop: drop, begun: row, isUnderWay: row?.isOpen == true && hasOwner, header: header,
                annotations: annotations(of: drop, header, in: zone))
        }
    }

    private func annotations(of drop: DropZone.Drop, _ header: DropHeader?, in zone: DropZone) -> [String: String] {
        guard let facts = drop.facts, facts.kind == .regular, !Sidecar.isName(drop.name),
            let directory = try? zone.directory(of: drop.room)
        else { return [:] }
        let sources = try? zone.annotations(of: drop.entry, from: drop.dropRoom, facts, in: directory, header)
        return sources.map { AnnotationRules().merged(with: $0) } ?? [:]
    }

    /// By what the ledger knows a drop that was renamed away.
    private func mark(of drop: DropZone.Drop) -> String? {
        guard drop.isTaken, let facts = drop.facts, let place = DropPlace(drop.entry, in: drop.room)
        else { return nil }
        return SourceMark.of(taken: place.name, facts, in: place.room)
    }
}
