import Background
import DurableIO

/// Beside another owner: what there is for it to do, and how long it is waited for.
extension Submission {
    enum Waiting {
        case tryAgain
        /// The other has done what was due, and this is what is left.
        case done(SubmissionSummary)
        case givenUp
    }

    struct Patience {
        var unsureLooks = 0
        var hasTold = false
    }

    func waitForOwner(since start: Int64, _ patience: inout Patience) async throws -> Waiting {
        let limit = deadline ?? Self.ownerPatience
        guard waitsForOwner else { return .givenUp }
        if hasNothingDue() {
            let found = try SpoolInspector(spool: spool).summary()
            // What waits, and not for a time to come, has arrived since the look, and the other is at it.
            let next = found.nextAttemptMilliseconds ?? 0
            patience.unsureLooks += 1
            let isSure = found.waiting == 0 || next > spool.clock.wallMilliseconds
            if isSure || patience.unsureLooks > 10 { return .done(found) }
        }
        guard !Task.isCancelled, spool.clock.bootMilliseconds - start < limit else { return .givenUp }
        if !patience.hasTold {
            patience.hasTold = true
            onWaiting(holder, limit)
        }
        try? await spool.clock.sleep(milliseconds: Self.pollInterval)
        return .tryAgain
    }

    /// How the spool stands after a run that was told to end before its ledger was open. The ledger is as it was found.
    func standing() throws -> SubmissionSummary {
        var summary = try SpoolInspector(spool: spool).summary()
        let zone = DropZone(spool: spool)
        let drops = (try? zone.drops()) ?? []
        summary.waiting += ((try? zone.takenNames()) ?? []).count + drops.count { $0.readiness == .ready }
        summary.skipped = drops.count { $0.readiness != .ready }
        summary.repairs.append(
            "the run ended before its ledger was checked and could be used: give it more time, or no deadline")
        return summary
    }

    var holder: LockHolder? {
        OwnerLock.holder(LedgerPlace.lockName, in: spool.root, clock: spool.clock)
    }

    private func hasNothingDue() -> Bool {
        guard
            let reader = try? LedgerReader(
                name: LedgerPlace.ledgerName, in: spool.root, files: spool.files, clock: spool.clock),
            let left = try? reader.queries.memories(prefix: LeftSources.prefix),
            let isDue = try? reader.hasSendable(), !isDue
        else { return false }
        // What the owner has left where it is, it will not take while this waits.
        return arrivals(besides: left).isEmpty
    }

    /// Whether something lies there for an owner to take in.
    var hasArrivals: Bool { !arrivals().isEmpty }

    /// What lies there for an owner to take in, besides what one has left where it is.
    func arrivals(besides left: [String: String] = [:]) -> Set<EntryName> {
        func isLeft(_ path: String, _ facts: FileMetadata?) -> Bool {
            !left.isEmpty && left[LeftSources.Key(path, facts).text] != nil
        }
        let zone = DropZone(spool: spool)
        var names: Set<EntryName> = []
        for drop in (try? zone.takenDrops()) ?? []
        where drop.readiness == .beingTaken && !isLeft(drop.path, drop.facts) {
            names.insert(drop.entry)
        }
        // What is neither a report nor an order that this program can carry out waits for somebody else.
        for name in (try? spool.files.entries(of: spool.collected)) ?? [] where !isLeft("collected/\(name)", nil) {
            let isOrder = Order.isOrder(name) && Order.isKnown(name, in: spool)
            if isOrder || StoredReport.id(in: name) != nil { names.insert(name) }
        }
        for drop in (try? zone.drops()) ?? [] where drop.readiness == .ready && !isLeft(drop.path, drop.facts) {
            names.insert(drop.entry)
        }
        return names
    }

    /// A run that is told to end does not look: what has arrived is the next one's.
    func hasNewArrivals(besides known: Set<EntryName>) -> Bool {
        !Task.isCancelled && !arrivals().isSubset(of: known)
    }
}
