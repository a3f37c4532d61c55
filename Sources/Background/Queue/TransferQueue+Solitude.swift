import DurableIO

/// The calls that give a suspect (``Solitude``) the process to itself. The queue uses them, and so do the tasks that
/// collect drops.
extension TransferQueue {
    // MARK: - Collecting

    /// Tells the queue that work on drops begins.
    ///
    /// If other work is stopped for a suspect row, this waits until the stop ends, 10 s at most. A cancelled task does
    /// not wait. The caller calls ``endCollecting()`` once for each call of this function.
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

    /// Tells the queue that work on drops has ended.
    package nonisolated func endCollecting() {
        signal.raise(shared.withLock { $0.plan.collectingEnded() })
    }

    // MARK: - A suspect drop

    /// Stops claims, so that a suspect drop can have the process to itself.
    ///
    /// If other work is stopped for another suspect, this first waits until that stop ends. If that stop kept other
    /// work waiting, this then waits once more for as long as the stop lasted. The queue claims again no later than
    /// 10 s after claims were stopped, even if the caller has not called ``endAlone()``: collecting a drop may take
    /// longer.
    ///
    /// - Parameter patience: how long to wait for the transfers under way, in milliseconds.
    /// - Returns: whether nothing else is under way. If the result is `false`, claims are not stopped any more.
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

    /// Stops claims for a suspect drop as soon as they may be stopped.
    /// - Returns: the time of the stop on the boot clock, in milliseconds; `nil` when the task is cancelled.
    private nonisolated func stopClaims() async -> Int64? {
        while !Task.isCancelled {
            let now = clock.bootMilliseconds
            let (wait, latch) = shared.withLock { ($0.plan.aloneWanted(at: now), $0.release) }
            guard let wait else { return now }
            await latch.wait(atMost: wait, clock)
        }
        return nil
    }

    /// Ends the stop for a suspect drop, whether the drop has been collected or not. Does nothing without such a stop.
    package nonisolated func endAlone() {
        endStop(for: .drop)
        signal.raise(.now)
    }

    // MARK: - Suspect rows

    /// When the queue has to take a turn because of suspects, on the boot clock in milliseconds.
    ///
    /// `nil` when only an event, and not time alone, can change anything about suspects.
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
            // The drive already waits for the time at which a later row becomes due.
            guard due <= store.now else { return nil }
            if isFree { return rest ?? now }
        }
        let forced = max(now + due - store.now, firstDriveBegun) + patience
        return max(forced, rest ?? forced)
    }

    /// The suspect row that the queue sends as soon as the row can be alone: a row that a caller asked for, or else the
    /// first suspect row that is due.
    func suspect(in plan: Plan) throws -> SuspectRow? {
        if let asked = try askedSuspect(in: plan) { return asked }
        return try firstSuspect(in: plan).flatMap { $0.due <= store.now ? $0 : nil }
    }

    /// The suspect row for which other work has to be stopped: a row that a caller asked for, or else a suspect row
    /// that has waited long enough.
    func impatientSuspect(in plan: Plan) throws -> SuspectRow? {
        if let asked = try askedSuspect(in: plan) { return asked }
        guard clock.bootMilliseconds - firstDriveBegun >= patience else { return nil }
        return try firstSuspect(in: plan).flatMap { $0.due <= store.now - patience ? $0 : nil }
    }

    /// How long a suspect row waits before other work is stopped for the row, in milliseconds: half of a short drive's
    /// time at most, so that the suspect is tried in this drive.
    private var patience: Int64 {
        driveEnd.map { min(Solitude.patience, max(0, $0 - begun) / 2) } ?? Solitude.patience
    }

    struct SuspectRow {
        let row: Int64
        /// In milliseconds on the ledger's axis (``LedgerClock``).
        let due: Int64
        let route: Route
    }

    /// The suspect row that the queue sends beside other rows, if the row's origin has a free slot: a row that a caller
    /// asked for, or else the first suspect row that is due.
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

    /// Ends the stop of this party, if there is one, and wakes the tasks that wait for its end.
    nonisolated func endStop(for party: Solitude.Party) {
        let now = clock.bootMilliseconds
        openRelease { $0.plan.stopEnded(for: party, at: now) }
    }

    /// Ends a turn, and wakes the tasks that wait for a free process or for the end of a stop.
    func turnEnded() {
        openRelease { $0.plan.turnEnded() }
    }

    /// Wakes the tasks that wait for the end of a stop.
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
