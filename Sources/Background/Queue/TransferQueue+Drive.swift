import DurableIO
import Logging

extension TransferQueue {
    /// Sends what is due until the drive is over, then returns. One drive at a time.
    ///
    /// Cancelling the task gives the transfers under way back, due at once and uncharged, before this returns.
    /// When it is explicit, somebody asked for this: gates closed by failure or for a reason are probed once.
    package func drive(_ persistence: Persistence, isExplicit: Bool) async throws {
        precondition(!isDriven, "a queue has one drive at a time")
        isDriven = true
        defer { isDriven = false }
        lanesBegun = []
        slots.open()
        // Whatever ends the drive, what has not started was never sent.
        defer { dropUnstarted() }
        try await saveLanes()
        if isExplicit { try await allowExplicitProbes() }
        try await withThrowingDiscardingTaskGroup { group in
            defer { slots.close() }
            while true {
                try await turn(startingIn: &group)
                if Task.isCancelled { return group.cancelAll() }
                if inFlight.isEmpty {
                    guard try await waitForWork(persistence) else { return }
                } else {
                    await waitForEvents(persistence)
                }
                await mailbox.gather(atMost: Self.gatheringTime)
            }
        }
        // Attempts that were cut short have posted their end while the group waited for them.
        let last = try await settleAndClaim(isStopping: true)
        await client.didSettle(last.settlements)
    }

    /// What ends within 5 ms of another is settled with it, unless there is nothing to send meanwhile.
    private static let gatheringTime = Duration.milliseconds(5)

    private func turn(startingIn group: inout ThrowingDiscardingTaskGroup<any Error>) async throws {
        let turn = try await settleAndClaim(isStopping: Task.isCancelled)
        for claim in turn.starting { start(claim.claim, to: claim.origin, in: &group) }
        // While the next ones are sent.
        if !turn.settlements.isEmpty { await client.didSettle(turn.settlements) }
    }

    /// Tells the drive to look again.
    package nonisolated func wake() {
        mailbox.wake()
    }

    /// Fills a slot: with the claim, and with others after it as long as each is delivered.
    private func start(
        _ claim: Claim, to origin: String, in group: inout ThrowingDiscardingTaskGroup<any Error>
    ) {
        group.addTask { [mailbox, slots, client, transport] in
            var next: Claim? = claim
            while let claim = next {
                let begun = ContinuousClock.now
                let attempt = Task { await client.attempt(claim, over: transport) }
                slots.began(attempt, of: claim.record.rowID)
                let report = await withTaskCancellationHandler {
                    await attempt.value
                } onCancel: {
                    attempt.cancel()
                }
                let finished = FinishedAttempt(claim: claim, origin: origin, report: report)
                let isUrgent: Bool
                (next, isUrgent) = slots.ended(finished, after: .now - begun)
                mailbox.post(finished, isUrgent: isUrgent)
            }
        }
    }

    /// After an error there may be claims that never got a slot.
    private func dropUnstarted() {
        for origin in slots.origins {
            let ends = slots.abandon(at: origin).map {
                FinishedAttempt(claim: $0, origin: origin, report: AttemptReport(.interrupted))
            }
            mailbox.giveBack(ends)
        }
    }

    // MARK: - Waiting

    private func waitForEvents(_ persistence: Persistence) async {
        guard case .waiting = persistence, let time = try? nextTime() else { return await mailbox.wait() }
        await mailbox.wait(atMost: max(1, time - store.now), clock: clock)
    }

    /// - Returns: whether there may be something to do.
    private func waitForWork(_ persistence: Persistence) async throws -> Bool {
        guard case .waiting(let end) = persistence else { return false }
        try await client.didRunDry()
        let time = try nextTime()
        guard let end else {
            await waitForEvents(persistence)
            return true
        }
        guard let time else { return false }
        let delay = max(0, time - store.now)
        guard clock.bootMilliseconds + delay <= end else { return false }
        await mailbox.wait(atMost: max(1, delay), clock: clock)
        return true
    }

    /// When something will be due that its gate lets through, on the ledger's axis. What only waits for others to end
    /// has no time: their end is an event.
    private func nextTime() throws -> Int64? {
        var earliest: Int64?
        for route in try routes() {
            let opens = gate(of: route).opensAt
            var due = try store.queries.nextDue(lane: route.lane)
            // Behind a closed gate lie transfers without a time of their own; the gate's next probe is theirs.
            if let opens, try store.hasProbeCandidate(lane: route.lane) { due = min(due ?? opens, opens) }
            guard let due else { continue }
            let time = max(due, opens ?? due)
            if time <= store.now, !inFlight.isEmpty { continue }
            earliest = min(earliest ?? time, time)
        }
        return earliest
    }

    // MARK: - Explicit probes

    private func allowExplicitProbes() async throws {
        let routes = try routes()
        for origin in Set(configuration.destinations.values).union(routes.map(\.origin)) {
            update(origin) { $0.gate.allowExplicitProbe() }
        }
        for route in routes {
            // Where the gate is open, what single transfers are held for may be over, too; and what was unreachable is
            // not so here: it waits for an origin that was the destination before.
            // Most often there is no such thing, and then no commit.
            guard gate(of: route).closure == nil, try store.probeCandidate(lane: route.lane) != nil
            else { continue }
            let row = try await committing { store in
                try store.wakeUnreachable(lane: route.lane)
                return try store.wakeOneForProbe(lane: route.lane)
            }
            if let row { probes.insert(row) }
        }
    }
}
