import Background
import DurableIO

/// The waiting of a run while another process is the owner, and the question whether that owner has anything left to
/// do.
extension Submission {
    enum Waiting {
        case tryAgain
        /// The other owner has done all that was due. The summary says what is left.
        case done(SubmissionSummary)
        case givenUp
    }

    struct Patience {
        var unsureLooks = 0
        var hasTold = false
        /// Whether this run has looked for something that the owner would not try without being asked.
        var hasAsked = false
        /// The order by which this run has asked.
        var order: EntryName?
    }

    func waitForOwner(since start: Int64, _ patience: inout Patience) async throws -> Waiting {
        let limit = deadline ?? Self.ownerPatience
        guard waitsForOwner else { return .givenUp }
        if isExplicit, !patience.hasAsked {
            patience.hasAsked = true
            // Where there is no space for the order, the owner's own time has to do.
            if hasClosed() { patience.order = try? OrderDispatch(spool: spool).orderTry() }
        }
        if hasNothingDue() {
            let found = try SpoolInspector(spool: spool).summary()
            // If a report waits and no attempt is planned for a later time, the report arrived after `hasNothingDue()`
            // had read the ledger. The owner is taking the report in.
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

    /// How long a run that lasts waits for another owner before it looks again by itself, in milliseconds: 30 s.
    private static let lockInterval: Int64 = 30_000

    /// Waits until no process owns the spool, or the task is cancelled. The other owner's death or end closes its lock
    /// file, and wakes this.
    /// - Throws: ``ReportsError/Code/spoolNotUsable`` when the spool is removed or replaced.
    func waitForLock(_ patience: inout Patience) async throws {
        if !patience.hasTold {
            patience.hasTold = true
            configuration.onEvent(.ownedElsewhere(holder?.description))
            onWaiting(holder, .max)
        }
        let closings = Watched(0)
        let watcher = try? DirectoryWatcher(
            [WatchedDirectory("spool", spool.root, for: .closings)], files: spool.files, settings: watching.watcher,
            onTrouble: { _ in }, onChange: { _ in closings.change { $0 += 1 } })
        defer { withExtendedLifetime(watcher) {} }
        let interval = min(watcher == nil ? 1_000 : Self.lockInterval, watching.pulseInterval ?? .max)
        // A lock that is free, and cannot be had, is not asked for all the time.
        repeat {
            watching.onPulse()
            let seen = closings.state
            guard spool.isInPlace else { throw spool.goneError }
            guard OwnerLock.isHeld(LedgerPlace.lockName, in: spool.root) else {
                try? await spool.clock.sleep(milliseconds: Self.pollInterval)
                return
            }
            await closings.wait {
                $0 > seen
            } orUntilEndOf: { [clock = spool.clock] in
                try? await clock.sleep(milliseconds: interval)
            }
        } while !Task.isCancelled
    }

    /// The summary of a run that was told to end before it could use the ledger. The ledger is unchanged.
    func standing() throws -> SubmissionSummary {
        var summary = try SpoolInspector(spool: spool).summary()
        let zone = DropZone(spool: spool)
        let drops = (try? zone.drops()) ?? []
        summary.waiting += ((try? zone.takenNames()) ?? []).count + drops.count { $0.readiness == .ready }
        summary.skipped = drops.count { $0.readiness != .ready && zone.isWorthTelling($0) }
        summary.repairs.append(
            "the run ended before it had checked its ledger: give it more time, or no deadline")
        return summary
    }

    var holder: LockHolder? {
        OwnerLock.holder(LedgerPlace.lockName, in: spool.root, clock: spool.clock)
    }

    /// Takes back the order of a run that no longer waits. An owner of an earlier version does not know such orders, and
    /// one of each submit would stay.
    func takeBack(_ patience: Patience) {
        guard let order = patience.order else { return }
        _ = try? spool.files.remove(order, in: spool.collected)
    }

    /// Whether the ledger has something that the owner tries by itself only later, and now if it is asked: a server that
    /// is closed by trouble, or a report that is held until a server accepts.
    private func hasClosed() -> Bool {
        guard
            let reader = try? LedgerReader(
                name: LedgerPlace.ledgerName, in: spool.root, files: spool.files, clock: spool.clock),
            let isClosed = try? reader.hasUntried(in: { configuration.sends(in: $0) })
        else { return false }
        return isClosed
    }

    private func hasNothingDue() -> Bool {
        guard
            let reader = try? LedgerReader(
                name: LedgerPlace.ledgerName, in: spool.root, files: spool.files, clock: spool.clock),
            let left = try? reader.queries.memories(prefix: LeftSources.prefix),
            let isDue = try? reader.hasSendable(in: { configuration.sends(in: $0) }), !isDue
        else { return false }
        // The owner does not take these sources again during this wait, because it could not take them in or unlink
        // them.
        return arrivals(besides: left).isEmpty
    }

    /// Whether there is a drop, an entry or an order for an owner to take in.
    var hasArrivals: Bool { !arrivals().isEmpty }

    /// The drops, entries and orders that an owner can take in, except those that the owner has left where they are.
    func arrivals(besides left: [String: String] = [:]) -> Set<Intake.Place> {
        func isLeft(_ path: String, _ facts: FileMetadata?) -> Bool {
            !left.isEmpty && left[LeftSources.Key(path, facts).text] != nil
        }
        let zone = DropZone(spool: spool)
        var places: Set<Intake.Place> = []
        for drop in (try? zone.takenDrops()) ?? []
        where drop.readiness == .beingTaken && !isLeft(drop.path, drop.facts) {
            places.insert(Intake.Place(drop.entry, in: drop.room))
        }
        // A file that is neither a report nor an order that this program knows is not for this program.
        for name in (try? spool.files.entries(of: spool.collected)) ?? [] where !isLeft("collected/\(name)", nil) {
            let isOrder = Order.isOrder(name) && Order.isKnown(name, in: spool)
            if isOrder || StoredReport.id(in: name) != nil {
                places.insert(Intake.Place(name, in: nil))
            }
        }
        for drop in (try? zone.drops()) ?? [] where drop.readiness == .ready && !isLeft(drop.path, drop.facts) {
            places.insert(Intake.Place(drop.entry, in: drop.room))
        }
        return places
    }

    /// Whether something has arrived that was not known at the last look. A run that was told to end does not look, and
    /// leaves new arrivals to the next run.
    func hasNewArrivals(besides known: Set<Intake.Place>) -> Bool {
        !Task.isCancelled && !arrivals().isSubset(of: known)
    }
}
