import DurableIO

/// What tasks that collect drops tell the queue, so that a suspect can have the process to itself.
extension TransferQueue {
    // MARK: - Collecting

    /// Work on drops is about to begin. Waits while others are stopped for a suspect row, 10 s at most; a cancelled
    /// task does not wait. Every call is followed by one of ``endCollecting()``.
    package nonisolated func beginCollecting() async {
        while true {
            let now = clock.bootMilliseconds
            let (wait, latch) = shared.withLock {
                ($0.plan.collectingWanted(at: now, insists: Task.isCancelled), $0.release)
            }
            guard let wait else { return }
            await latch.wait(atMost: wait, clock)
        }
    }

    /// Work on drops has ended.
    package nonisolated func endCollecting() {
        signal.raise(shared.withLock { $0.plan.collectingEnded() })
    }

    // MARK: - A suspect drop

    /// Stops claims, so that a suspect drop can have the process to itself.
    ///
    /// Waits first while others are stopped for another suspect, and for as long afterwards. Claims go on 10 s after
    /// they were stopped at the latest, even if ``endAlone()`` has not been called: a drop may take longer.
    ///
    /// - Parameter patience: how long the transfers under way are waited for, in milliseconds.
    /// - Returns: whether nothing is under way. If not, or if the task is cancelled, claims go on at once.
    package nonisolated func beginAlone(patience: Int64) async -> Bool {
        guard let begun = await stopClaims() else { return false }
        let end = begun + min(max(0, patience), Solitude.longestStop)
        while true {
            let now = clock.bootMilliseconds
            let (isFree, latch) = shared.withLock { ($0.plan.isFree, $0.release) }
            if isFree { return true }
            guard now < end, !Task.isCancelled else {
                endAlone()
                return false
            }
            await latch.wait(atMost: end - now, clock)
        }
    }

    /// - Returns: when, on the boot clock in milliseconds; `nil` when the task is cancelled.
    private nonisolated func stopClaims() async -> Int64? {
        while !Task.isCancelled {
            let now = clock.bootMilliseconds
            let (wait, latch) = shared.withLock { ($0.plan.aloneWanted(at: now), $0.release) }
            guard let wait else { return now }
            await latch.wait(atMost: wait, clock)
        }
        return nil
    }

    /// The suspect drop has been collected, or has not: claims go on. Does nothing when none are stopped for a drop.
    package nonisolated func endAlone() {
        endStop(for: .drop)
        signal.raise(.now)
    }

    // MARK: - Suspect rows

    /// When the queue has to look again for a suspect's sake, on the boot clock in milliseconds.
    ///
    /// `nil` where nothing about suspects changes by the passing of time alone.
    func solitudeTime() throws -> Int64? {
        let now = clock.bootMilliseconds
        let plan = shared.withLock { $0.plan }
        if let stop = plan.solitude.stop(at: now) { return stop.end }
        if plan.solitude.lapsedRowStop(at: now) != nil { return now }
        let isFree = plan.isIdle && plan.solitude.collectingCount == 0
        let rest = (isFree ? plan.solitude.stopWait(at: now) : plan.solitude.forceWait(at: now)).map { now + $0 }
        if try askedSuspect(in: plan) != nil { return rest ?? now }
        guard let due = try firstSuspect(in: plan)?.due else { return nil }
        if plan.isIdle {
            // What is due later is looked for by those who wait for its time.
            guard due <= store.now else { return nil }
            if isFree { return rest ?? now }
        }
        let forced = max(now + due - store.now, firstDriveBegun) + patience
        return max(forced, rest ?? forced)
    }

    /// A suspect that may go as soon as it has the process to itself: one that somebody asks for, or the first that is
    /// due.
    func suspect(in plan: Plan) throws -> SuspectRow? {
        if let asked = try askedSuspect(in: plan) { return asked }
        return try firstSuspect(in: plan).flatMap { $0.due <= store.now ? $0 : nil }
    }

    /// One for which others are to be stopped: somebody asks for it, or it has waited long enough.
    func impatientSuspect(in plan: Plan) throws -> SuspectRow? {
        if let asked = try askedSuspect(in: plan) { return asked }
        guard clock.bootMilliseconds - firstDriveBegun >= patience else { return nil }
        return try firstSuspect(in: plan).flatMap { $0.due <= store.now - patience ? $0 : nil }
    }

    /// A short life has a suspect wait for half of it at most, so that it is tried in this life.
    private var patience: Int64 {
        driveEnd.map { min(Solitude.patience, max(0, $0 - begun) / 2) } ?? Solitude.patience
    }

    struct SuspectRow {
        let row: Int64
        /// On the ledger's axis.
        let due: Int64
        let route: Route
    }

    /// One that goes beside the others, where its origin has a slot for it: one that somebody asks for, or the first
    /// that is due.
    func suspectWithSlot(in plan: Plan) throws -> SuspectRow? {
        let hasSlot = { (route: Route) in plan.allowance(of: route.origin, at: self.store.now) > 0 }
        if let asked = try askedSuspect(in: plan, where: hasSlot) { return asked }
        let found = try firstSuspect(in: plan, where: hasSlot)
        return found.flatMap { $0.due <= store.now ? $0 : nil }
    }

    private func firstSuspect(in plan: Plan, where mayGo: (Route) -> Bool = { _ in true }) throws -> SuspectRow? {
        let routes = try routes().filter { plan.mayGoAlone(to: $0.origin, at: store.now) && mayGo($0) }
        return try plan.inTurn(routes).compactMap { route in
            try store.queries.firstSuspect(lane: route.lane).map {
                SuspectRow(row: $0.row, due: $0.due, route: route)
            }
        }.min { $0.due < $1.due }
    }

    private func askedSuspect(in plan: Plan, where mayGo: (Route) -> Bool = { _ in true }) throws -> SuspectRow? {
        for row in plan.schedule.asked.sorted() {
            guard let found = try store.queries.suspect(row: row), found.due <= store.now,
                let origin = found.lane.ownOrigin
            else { continue }
            let route = Route(lane: found.lane, origin: origin)
            if plan.mayGoAlone(to: origin, at: store.now), mayGo(route) {
                return SuspectRow(row: row, due: found.due, route: route)
            }
        }
        return nil
    }

    // MARK: - Changes

    /// Others go on, if they were stopped for this party.
    nonisolated func endStop(for party: Solitude.Party) {
        let now = clock.bootMilliseconds
        openRelease { $0.plan.stopEnded(for: party, at: now) }
    }

    /// A turn is over: those look again who wait for the process to be free, or for a suspect's end.
    func turnEnded() {
        openRelease { $0.plan.turnEnded() }
    }

    /// Those look again who wait for the end of a stop.
    nonisolated func releaseWaiting() { openRelease { _ in } }

    private nonisolated func openRelease(after change: (inout Shared) -> Void) {
        let latch = shared.withLock { shared in
            change(&shared)
            defer { shared.release = Latch() }
            return shared.release
        }
        latch.open()
    }
}

extension Latch {
    /// Returns when the latch is open, the time has passed, or the task is cancelled.
    func wait(atMost milliseconds: Int64, _ clock: any SystemClock) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await clock.sleep(milliseconds: milliseconds) }
            await group.next()
            group.cancelAll()
        }
    }
}
