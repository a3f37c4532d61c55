import Background
import DurableIO

/// The drops of other programs: those in `incoming/`, and those that owners have taken.
extension IntakeList {
    private var spool: ReportSpool { intake.spool }

    // MARK: - Looking

    /// Adds all drops to the list, except the drop that is being collected by itself. If one drop cannot be examined,
    /// the others are still added.
    mutating func lookAtDrops(for time: LookTime, besides isUnderWay: (DropOrder.Entry) -> Bool) async throws {
        let end = time.listing.map { spool.clock.bootMilliseconds + $0 }
        let begun = try await intake.queue.look { try $0.begunDrops() }
        var met: Set<String> = []
        let (intake, zone) = (intake, DropZone(spool: spool))
        var (drops, summary) = (drops, summary)
        self.drops = DropOrder()
        var suspects: [(entry: DropOrder.Entry, deaths: Int)] = []
        let look = zone.look(into: &drops, until: end) { entry, mark in
            let source = Intake.Source(entry)
            met.insert(mark)
            if isUnderWay(entry) {
                // Its collecting may have failed a moment ago, with a reason that no look would find again.
                intake.left.keep(source.key)
                return nil
            }
            if intake.isLeft(source, &summary) { return nil }
            guard let earlier = begun[mark] else { return 0 }
            if earlier.deaths == 0 { return earlier.tries }
            if earlier.deaths < PoisonPolicy.deathLimit {
                suspects.append((entry, earlier.deaths))
            } else {
                intake.leave(source, .poisonous(DropZone.poisonous(deaths: earlier.deaths)), &summary)
            }
            return nil
        } leave: { drop in
            intake.leave(drop, in: zone, &summary)
        }
        if lookCount == 0 { try await restore(zone.loneSidecars(look), in: zone) }
        for (room, error) in look.failures { intake.tell(notListed: room.path, error, &summary) }
        zone.readHeads(into: &drops, for: time.reading)
        cutCount = look.isCut ? cutCount + 1 : 0
        if look.isWhole {
            try await forget(begun.keys.filter { !met.contains($0) })
            summary.seen.formUnion(drops.places.map { Intake.Place($0.name, in: $0.room) })
            summary.seen.formUnion(summary.left.map(\.place))
            summary.seen.formUnion(suspects.map { Intake.Place($0.entry.name, in: $0.entry.room) })
        }
        self.suspects = suspects.sorted { ($1.deaths, $1.entry.name) < ($0.deaths, $0.entry.name) }
        (self.drops, self.summary) = (drops, summary)
        hasSmallDrops = drops.count > 0
    }

    /// Puts the sidecars back that an owner which died has renamed away without their payloads. Only the first look does
    /// this, because then this owner has taken no drop yet.
    private func restore(_ sidecars: [DropZone.LoneSidecar], in zone: DropZone) async throws {
        guard !sidecars.isEmpty else { return }
        let nonces = sidecars.map(\.nonce)
        let areEnrolled = try await intake.queue.look { queries in
            try nonces.map { nonce in
                try SourceMark.prefixes(ofNonce: nonce).contains { try queries.isConsumed(tokenWithPrefix: $0) }
            }
        }
        for (sidecar, isEnrolled) in zip(sidecars, areEnrolled) { zone.restore(sidecar, isEnrolled: isEnrolled) }
    }

    /// Deletes the ledger's notes that the drops with these marks were begun, because the drops are gone.
    private func forget(_ marks: [String]) async throws {
        guard !marks.isEmpty else { return }
        try await intake.queue.change { store in for mark in marks { try store.forget(drop: mark) } }
    }

    // MARK: - Bringing in

    /// The largest number of drops in a group while a large drop is being collected. Then each file of the group is
    /// synced by itself, and on a busy disk each sync takes long.
    private static let groupCountBesideLarge = 16

    /// Takes, collects and enrols one group of small drops.
    mutating func bringInDrops() async throws {
        guard hasSmallDrops else { return }
        guard try await beginLife() else { return }
        await intake.queue.beginCollecting()
        defer { intake.queue.endCollecting() }
        do {
            let group = try await collectGroup()
            try await intake.enrolGroup(group, syncing: isBesideLarge ? .oneByOne : .together, &summary)
        } catch is CancellationError {
            // The task was cancelled before any drop was taken.
        }
    }

    /// Makes durable that this owner moves files. Without this commit, an owner that dies before its first other commit
    /// would look like an owner that has ended in order. Then the next owner would not ask which drop has killed the
    /// process.
    /// - Returns: whether the disk had space for this commit.
    private mutating func beginLife() async throws -> Bool {
        do {
            try await intake.queue.begin()
            return true
        } catch {
            guard SpoolErrors.isOutOfSpace(error) else { throw error }
            summary.isOutOfSpace = true
            hasSmallDrops = false
            return false
        }
    }

    private mutating func collectGroup() async throws -> [Enrolment.Candidate] {
        // The whole group shares one slot, because a group takes no longer than a payload of some MiB. A large payload
        // that is being compressed pauses meanwhile.
        let slot = try await spool.slots.slot(for: 0, goesFirst: true)
        let begin = spool.clock.bootMilliseconds
        var group: [Enrolment.Candidate] = []
        let limit = isBesideLarge ? Self.groupCountBesideLarge : Intake.groupCount
        let hasCrash = drops.hasSmallCrash()
        while group.count < limit, !Task.isCancelled {
            guard let next = drops.popSmall() else {
                hasSmallDrops = false
                break
            }
            if let drop = intake.open(next, &summary),
                let candidate = intake.candidate(of: drop, betweenBlocks: { slot.pause() }, &summary)
            {
                group.append(candidate)
            }
            // The group ends here, so that its crashes are enrolled before the other drops are collected.
            if hasCrash, !drops.hasSmallCrash() { break }
            if spool.clock.bootMilliseconds - begin >= Intake.groupTime { break }
        }
        return group
    }
}
