import DurableIO
import Logging

extension TransferQueue {
    /// What a commit came to.
    struct Turn {
        var settlements: [Settlement] = []
        /// What is claimed, by origin, and whether nothing more was due there.
        var claims: [String: (claims: [Claim], isDry: Bool)] = [:]
        /// Attempts to be started.
        var starting: [(claim: Claim, origin: String)] = []
    }

    /// One turn of the loop: what ended is settled and what may start is claimed, in one commit.
    func settleAndClaim(isStopping: Bool) async throws -> Turn {
        let finished = mailbox.take()
        for attempt in finished { logEnd(of: attempt) }
        if isStopping { slots.close() }
        guard try !finished.isEmpty || isStopping || mayClaim() else { return Turn() }
        if !isStopping { try client.mayGoOn() }
        let lapsed = lapsedClaims(after: finished, isStopping: isStopping)
        let hasLapsed = lapsed.values.contains { !$0.isEmpty }
        guard !isStopping || !finished.isEmpty || hasLapsed else { return Turn() }
        var before = (origins, inFlight, probes, cancelled, lanesBegun)
        func undo() { (origins, inFlight, probes, cancelled, lanesBegun) = before }
        do {
            var turn = try await committing(undoing: undo) { _ in
                before = (origins, inFlight, probes, cancelled, lanesBegun)
                var turn = Turn(settlements: try settle(finished))
                for claims in lapsed.values { try giveBack(claims) }
                if !isStopping { turn.claims = try claim() }
                try saveChangedOrigins(since: before.0)
                return turn
            }
            for origin in lapsed.keys { slots.withdraw(from: origin) }
            turn.starting = admit(turn.claims, judged: finished)
            return turn
        } catch {
            // Nothing of it happened: the ends of these attempts are still to be written, by the next drive.
            mailbox.giveBack(finished)
            throw error
        }
    }

    // MARK: - Claims that wait for a slot

    /// Claims that must not start as they are: after trouble at their origin they would hide from the policy that it began
    /// before them, and at a stop they will not start at all.
    private func lapsedClaims(after finished: [FinishedAttempt], isStopping: Bool) -> [String: [Claim]] {
        let origins = isStopping ? slots.origins : finished.filter { !$0.report.letsNextGo }.map(\.origin)
        return Dictionary(Set(origins).map { ($0, slots.waiting(of: $0)) }, uniquingKeysWith: { first, _ in first })
    }

    private func giveBack(_ claims: [Claim]) throws {
        for claim in claims {
            inFlight[claim.record.rowID] = nil
            try store.giveBack(claim)
            // Nothing under way is left to be told to end.
            guard cancelled.remove(claim.record.rowID) != nil else { continue }
            try store.end(claim.record.identifier, as: .removed, reason: .cancelled)
            try store.acknowledge(claim.record.identifier)
        }
    }

    /// Hands what the commit has made durable to the slots.
    private func admit(
        _ claims: [String: (claims: [Claim], isDry: Bool)], judged: [FinishedAttempt]
    ) -> [(claim: Claim, origin: String)] {
        Set(slots.origins).union(claims.keys).flatMap { origin in
            let taken = claims[origin]
            let gate = self.origins[origin]?.gate ?? OriginGate()
            let change = SendingSlots.Change(
                claims: taken?.claims ?? [],
                slots: gate.closure == nil ? min(gate.window, configuration.policy.maximumWindow) : 1,
                judged: judged.count { $0.origin == origin && !$0.report.letsNextGo }, isDry: taken?.isDry ?? true)
            return slots.admit(change, to: origin).map { (claim: $0, origin: origin) }
        }
    }

    /// A cheap look, so that a turn with nothing to do costs no commit.
    private func mayClaim() throws -> Bool {
        if try nextAskedSuspect() != nil { return inFlight.isEmpty }
        return try routes().contains { route in
            guard allowance(of: route) > 0 else { return false }
            if gate(of: route).mayProbeWithOthers(at: store.now) {
                return try store.hasProbeCandidate(lane: route.lane)
            }
            return try store.queries.hasDue(by: store.now, lane: route.lane)
        }
    }

    private func allowance(of route: Route) -> Int {
        // A suspect goes alone, so that its death says something.
        guard !inFlight.values.contains(where: \.isSuspect) else { return 0 }
        // One gate for all lanes of an origin, and one count.
        let count = inFlight.values.count { $0.route.origin == route.origin }
        let gate = gate(of: route)
        let maximum = configuration.policy.maximumWindow
        guard gate.closure == nil else { return gate.allowance(at: store.now, inFlight: count, maximum: maximum) }
        let ahead = slots.allowanceAhead(of: route.origin, slots: min(gate.window, maximum))
        return gate.allowance(at: store.now, inFlight: count - ahead, maximum: maximum)
    }

    // MARK: - Claiming

    private func claim() throws -> [String: (claims: [Claim], isDry: Bool)] {
        var all: [String: (claims: [Claim], isDry: Bool)] = [:]
        if let (row, route) = try nextAskedSuspect() {
            guard inFlight.isEmpty, let claim = try store.claimDue(row: row, acceptedMark: gate(of: route).accepted)
            else { return all }
            note([claim], of: route)
            return [route.origin: ([claim], false)]
        }
        for route in try routesInTurn() {
            let limit = allowance(of: route)
            guard limit > 0 else {
                all[route.origin, default: ([], true)].isDry = false
                continue
            }
            let taken = try claim(route, limit: limit)
            if taken.count >= limit { all[route.origin, default: ([], true)].isDry = false }
            guard !taken.isEmpty else { continue }
            note(taken, of: route)
            all[route.origin, default: ([], true)].claims += taken
        }
        return all
    }

    /// With each claim another one first, so that no lane of an origin keeps the others from its window.
    private func routesInTurn() throws -> [Route] {
        let routes = try routes()
        guard routes.count > 1 else { return routes }
        let first = claimCount % routes.count
        return Array(routes[first...] + routes[..<first])
    }

    private func note(_ claims: [Claim], of route: Route) {
        claimCount += 1
        for claim in claims {
            inFlight[claim.record.rowID] = InFlight(route: route, isSuspect: claim.record.isSuspect)
        }
        update(route.origin) { $0.gate.started(at: store.now) }
    }

    private func claim(_ route: Route, limit: Int) throws -> [Claim] {
        let (lane, mark) = (route.lane, gate(of: route).accepted)
        var claims: [Claim] = []
        if configuration.sendsNewestOfFirstRankFirst, lanesBegun.insert(lane).inserted {
            if let newest = try store.claimNewestOfFirstRank(lane: lane, acceptedMark: mark) { claims.append(newest) }
        }
        claims += try store.claimDue(limit: limit - claims.count, suspects: false, lane: lane, acceptedMark: mark)
        if claims.isEmpty, inFlight.isEmpty {
            claims = try store.claimDue(limit: 1, suspects: true, lane: lane, acceptedMark: mark)
        }
        guard claims.isEmpty, gate(of: route).mayProbeWithOthers(at: store.now) else { return claims }
        // The gate may be probed, but all that waits for it is held or not due.
        guard let row = try store.wakeOneForProbe(lane: lane) else { return [] }
        probes.insert(row)
        for suspects in [false, true] where claims.isEmpty && (!suspects || inFlight.isEmpty) {
            claims = try store.claimDue(limit: 1, suspects: suspects, lane: lane, acceptedMark: mark)
        }
        return claims
    }

    // MARK: - Settling

    private func settle(_ finished: [FinishedAttempt]) throws -> [Settlement] {
        // Successes first: they tell whether a failure beside them is the origin's.
        let ordered = finished.filter(\.report.isDelivered) + finished.filter { !$0.report.isDelivered }
        return try ordered.compactMap { attempt in
            let settlement = judge(attempt)
            let isTaken = try store.settle(settlement)
            if settlement.verdict.isCancellation { try store.acknowledge(attempt.claim.record.identifier) }
            try releaseOthers(at: attempt.origin, after: settlement)
            // A row that came anew meanwhile has other bytes; nobody may move them for this attempt's sake.
            return isTaken ? settlement : nil
        }
    }

    private func judge(_ attempt: FinishedAttempt) -> Settlement {
        let claim = attempt.claim
        inFlight[claim.record.rowID] = nil
        asked.remove(claim.record.rowID)
        let outcome = attempt.report.outcome
        let facts = AttemptFacts(
            startedAt: claim.startedAt, now: store.now, enrolledAt: claim.record.enrolledAt,
            charged: claim.record.charged, failures: claim.record.failures,
            acceptedMark: claim.record.acceptedMark ?? 0)
        var verdict = Verdict(.waiting)
        update(attempt.origin) { origin in
            var random = AnyGenerator(base: generator)
            var gate = origin.gate
            verdict = configuration.policy.verdict(on: outcome, facts, gate: &gate, using: &random)
            generator = random.base
            if configuration.retryOwner == .caller {
                verdict = verdict.handedBack(outcome)
                // Whoever owns the retries also owns what a refusal means for the other transfers.
                if outcome.isRefusal {
                    gate = origin.gate
                    verdict.reopensOrigin = gate.answered(at: store.now)
                }
            }
            origin.gate = gate
            origin.note(attempt.report, verdict)
        }
        if cancelled.remove(claim.record.rowID) != nil, verdict.state.isLive {
            verdict = .cancelled
        }
        return attempt.settlement(
            verdict, endedWall: store.wallNow, acceptedMark: origins[attempt.origin]?.gate.accepted ?? 0)
    }

    private func releaseOthers(at origin: String, after settlement: Settlement) throws {
        let wasProbe = probes.remove(settlement.claim.record.rowID) != nil
        let isReopened = settlement.verdict.reopensOrigin
        let frees = settlement.verdict.state == .delivered && (isReopened || wasProbe)
        guard isReopened || frees else { return }
        // An origin that accepts from one lane is there for the others, too.
        for route in try routes() where route.origin == origin {
            if isReopened { try store.wakeUnreachable(lane: route.lane) }
            if frees { try store.wakeHeld(lane: route.lane) }
        }
    }

    private func saveChangedOrigins(since before: [String: OriginRecord]) throws {
        for (name, origin) in origins where before[name] != origin { try store.save(origin) }
    }

    private func logEnd(of attempt: FinishedAttempt) {
        logger.debug(
            "Attempt ended",
            metadata: [
                "transfer.id": "\(attempt.claim.record.identifier)", "outcome": "\(attempt.summary)",
            ])
    }
}

/// Lets an existential generator be used where a concrete one is asked for.
struct AnyGenerator: RandomNumberGenerator {
    var base: any RandomNumberGenerator & Sendable

    mutating func next() -> UInt64 { base.next() }
}
