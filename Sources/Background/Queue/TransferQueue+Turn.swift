import DurableIO
import Logging

/// A turn: one commit that judges the attempts that have ended and claims the rows that may be sent next.
extension TransferQueue {
    /// Takes one turn, if there is anything to judge or to claim.
    ///
    /// There is no suspension between the copy of the plan and the end of the commit. Meanwhile only attempts report
    /// events to the plan (``SendingPlan/Turn``). When the drive is stopping, the turn claims no rows, and gives back
    /// all claims that have not started (``SendingPlan``).
    func turn(isStopping: Bool) async throws -> (settlements: [Settlement], starts: [Plan.Start]) {
        signal.lower()
        if isStopping { shared.withLock { $0.plan.driveStopped() } }
        let needsTurn = shared.withLock { $0.plan.needsTurn }
        guard try needsTurn || (!isStopping && mayClaim()) else { return ([], []) }
        if !isStopping { try client.mayGoOn() }
        shared.withLock { $0.plan.turnBegan() }
        defer { turnEnded() }
        return try await retryingOnFullDisk {
            let now = clock.bootMilliseconds
            var turn = shared.withLock { $0.plan.turn(at: now) }
            let settlements = try store.transaction { () throws in
                let settlements = try judgeEnds(in: &turn)
                for claim in turn.lapsedClaims() { try store.giveBack(claim) }
                if !isStopping { try fillLanes(in: &turn) }
                for origin in turn.changedOrigins { try store.save(origin) }
                return settlements
            }
            return (settlements, shared.withLock { [turn] in $0.plan.committed(turn) })
        }
    }

    /// Whether a turn could claim a row. This check is cheap, and saves a commit when there is nothing to do.
    func mayClaim() throws -> Bool {
        let (plan, now) = (shared.withLock { $0.plan }, clock.bootMilliseconds)
        if let stop = plan.solitude.stop(at: now) {
            return stop.party == .row && plan.schedule.suspect == nil && mayBeAlone(plan)
        }
        if try plan.solitude.lapsedRowStop(at: now) != nil || maySuspectBeForced(plan, at: now) { return true }
        let isDue = try routes().contains { route in
            guard plan.allowance(of: route.origin, at: store.now) > 0 else { return false }
            if plan.gate(of: route.origin).mayProbeWithOthers(at: store.now) {
                if try store.hasProbeCandidate(lane: route.lane) { return true }
            } else if try store.queries.hasDue(by: store.now, lane: route.lane, suspects: [false]) {
                return true
            }
            return try slowTransfer(for: route, in: plan) != nil
        }
        if isDue { return true }
        guard try plan.isIdle && plan.solitude.stopWait(at: now) == nil && suspect(in: plan) != nil else {
            return false
        }
        return shared.withLock { shared in
            shared.plan.solitude.rowWaitsForCollecting()
            return shared.plan.solitude.collectingCount == 0
        }
    }

    private func maySuspectBeForced(_ plan: Plan, at now: Int64) throws -> Bool {
        try plan.solitude.forceWait(at: now) == nil && impatientSuspect(in: plan) != nil
    }

    private func mayBeAlone(_ plan: Plan) -> Bool {
        plan.isIdle && plan.solitude.collectingCount == 0
    }

    // MARK: - Claiming

    private func fillLanes(in turn: inout Plan.Turn) throws {
        if let stop = turn.plan.solitude.stop(at: turn.time) {
            // While a stop is in force, rows are claimed only for a suspect row that has not begun yet.
            guard stop.party == .row, turn.plan.schedule.suspect == nil else { return }
            return try claimSuspectAlone(in: &turn)
        }
        let isOver = turn.plan.solitude.lapsedRowStop(at: turn.time) != nil
        if isOver {
            try letOthersGoOn(in: &turn)
        } else if try maySuspectBeForced(turn.plan, at: turn.time) {
            if wantSuspect(at: turn.time, isForced: true) { return try claimSuspectAlone(in: &turn) }
        }
        for route in turn.plan.inTurn(try routes()) {
            let limit = turn.plan.allowance(of: route.origin, at: store.now)
            let claims = limit > 0 ? try claims(for: route, limit: limit, in: &turn) : []
            if claims.count >= limit { turn.leftMore(at: route.origin) }
            try include(claims, of: route, in: &turn)
        }
        // A suspect is sent when nothing else can be sent.
        guard try !isOver && turn.plan.isIdle && suspect(in: turn.plan) != nil else { return }
        if wantSuspect(at: turn.time, isForced: false) { try claimSuspectAlone(in: &turn) }
    }

    private func wantSuspect(at now: Int64, isForced: Bool) -> Bool {
        shared.withLock { $0.plan.suspectWanted(at: now, isForced: isForced) }
    }

    /// Claims the suspect row for which other work is stopped, as soon as no row is in flight and no drop is being
    /// collected.
    private func claimSuspectAlone(in turn: inout Plan.Turn) throws {
        guard let found = try suspect(in: turn.plan) else { return turn.stopIsVain() }
        guard turn.plan.isIdle, shared.withLock({ $0.plan.solitude.collectingCount }) == 0 else { return }
        let mark = turn.plan.gate(of: found.route.origin).accepted
        guard let claim = try store.claimDue(row: found.row, acceptedMark: mark) else { return turn.stopIsVain() }
        if turn.plan.schedule.blamesNobody { try store.blameAgain() }
        turn.suspectGoesAlone()
        turn.leftMore(at: found.route.origin)
        try include([claim], of: found.route, isAlone: true, in: &turn)
    }

    /// Ends a stop whose time is over.
    ///
    /// From now on a death says nothing about the suspect row, which goes on beside the other rows, or begins now.
    private func letOthersGoOn(in turn: inout Plan.Turn) throws {
        let isUnderWay = turn.plan.schedule.suspect != nil
        try store.blameNobody()
        turn.othersGoOn()
        guard !isUnderWay else { return }
        guard let found = try suspectWithSlot(in: turn.plan) else { return turn.stopWasInVain() }
        let mark = turn.plan.gate(of: found.route.origin).accepted
        guard let claim = try store.claimDue(row: found.row, acceptedMark: mark) else { return }
        try include([claim], of: found.route, in: &turn)
    }

    private func include(
        _ claims: [Claim], of route: Route, isAlone: Bool = false, in turn: inout Plan.Turn
    ) throws {
        for claim in turn.claimed(claims, at: route.origin, isSuspect: isAlone, now: store.now) {
            try store.giveBack(claim)
        }
    }

    private func claims(for route: Route, limit: Int, in turn: inout Plan.Turn) throws -> [Claim] {
        let (lane, gate) = (route.lane, turn.plan.gate(of: route.origin))
        let slow = slowRows(at: route.origin, in: turn.plan)
        var claims =
            try configuration.prefersFirstRank
            ? store.claimInOrder(
                limit: limit, after: turn.claimCount(of: lane), lane: lane, slow: slow, acceptedMark: gate.accepted)
            : store.claimDue(limit: limit, suspects: false, lane: lane, slow: slow, acceptedMark: gate.accepted)
        turn.counted(claims.count, in: lane)
        if claims.isEmpty, gate.mayProbeWithOthers(at: store.now), let row = try store.wakeOneForProbe(lane: lane) {
            // The gate may be probed, but all rows behind it are held or not due yet, so one of them is made due.
            turn.madeDue(probe: row)
            claims = try store.claimDue(limit: 1, suspects: false, lane: lane, acceptedMark: gate.accepted)
        }
        if claims.isEmpty, let slow = try slowTransfer(for: route, in: turn.plan) {
            claims = [try store.claim(slow, acceptedMark: gate.accepted)]
        }
        return claims
    }

    // MARK: - Judging

    private func judgeEnds(in turn: inout Plan.Turn) throws -> [Settlement] {
        let finished = turn.ends.map {
            FinishedAttempt(
                claim: $0.claim, origin: $0.origin, report: $0.end ?? AttemptReport(.interrupted),
                wasAlone: $0.wasAlone)
        }
        // Deliveries come first: they tell whether a failure beside them is the origin's fault.
        let ordered = finished.filter(\.report.isDelivered) + finished.filter { !$0.report.isDelivered }
        var settlements: [Settlement] = []
        for attempt in ordered {
            logEnd(of: attempt)
            let settlement = try judge(attempt, in: &turn)
            let isTaken = try store.settle(settlement)
            if settlement.verdict.isCancellation { try store.acknowledge(attempt.claim.record.identifier) }
            let wasProbe = turn.judged(attempt.claim.id)
            try wakeOthers(at: attempt.origin, after: settlement.verdict, wasProbe: wasProbe)
            // A row that was enrolled again during the attempt has other bytes. The client must not move them because
            // of this attempt.
            if isTaken { settlements.append(settlement) }
        }
        return settlements
    }

    private func judge(_ attempt: FinishedAttempt, in turn: inout Plan.Turn) throws -> Settlement {
        let claim = attempt.claim
        let outcome = attempt.report.outcome
        let facts = AttemptFacts(
            startedAt: claim.startedAt, now: store.now, enrolledAt: claim.record.enrolledAt,
            charged: claim.record.charged, failures: claim.record.failures,
            acceptedMark: claim.record.acceptedMark ?? 0)
        var verdict = Verdict(.waiting)
        turn.change(attempt.origin) { origin in
            var random = AnyGenerator(base: generator)
            var gate = origin.gate
            verdict = configuration.policy.verdict(on: outcome, facts, gate: &gate, using: &random)
            generator = random.base
            if configuration.retryOwner == .caller {
                verdict = verdict.handedBack(outcome)
                // A caller that decides about retries also decides what a refusal means for its other transfers.
                if outcome.isRefusal {
                    gate = origin.gate
                    verdict.reopensOrigin = gate.answered(at: store.now)
                }
            }
            origin.gate = gate
            origin.note(attempt.report, verdict)
        }
        if turn.plan.isCancelled(claim.id), verdict.state.isLive { verdict = .cancelled }
        let cuts = try noteCut(of: attempt, in: &verdict)
        return attempt.settlement(
            verdict, cuts: cuts, endedWall: store.wallNow,
            acceptedMark: turn.plan.gate(of: attempt.origin).accepted)
    }

    /// Makes other rows of the origin due, if the verdict ends their wait.
    ///
    /// A verdict that has reopened the gate makes the rows due that waited because the origin was unreachable. A
    /// delivery that reopened the gate, or that was a probe, also makes the rows due that were held for a reason which
    /// a delivery ends.
    private func wakeOthers(at origin: String, after verdict: Verdict, wasProbe: Bool) throws {
        let isReopened = verdict.reopensOrigin
        let frees = verdict.state == .delivered && (isReopened || wasProbe)
        guard isReopened || frees else { return }
        // A verdict about the origin concerns all lanes that lead to it.
        for route in try routes() where route.origin == origin {
            if isReopened { try store.wakeUnreachable(lane: route.lane) }
            if frees { try store.wakeHeld(lane: route.lane) }
        }
    }

    private func logEnd(of attempt: FinishedAttempt) {
        logger.debug(
            "Attempt ended",
            metadata: [
                "transfer.id": "\(attempt.claim.record.identifier)", "outcome": "\(attempt.summary)",
            ])
    }
}

extension Claim: Identifiable {
    /// The number of the claimed row.
    package var id: Int64 { record.rowID }
}

/// A random number generator that wraps an existential one, for functions that need a concrete type.
struct AnyGenerator: RandomNumberGenerator {
    var base: any RandomNumberGenerator & Sendable

    mutating func next() -> UInt64 { base.next() }
}
