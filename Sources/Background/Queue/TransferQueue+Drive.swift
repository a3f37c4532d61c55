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
        hasSentFirstLabel = false
        if isExplicit { try await allowExplicitProbes() }
        try await withThrowingDiscardingTaskGroup { group in
            while true {
                let claims = try await settleAndClaim()
                for claim in claims { start(claim, in: &group) }
                if Task.isCancelled { return group.cancelAll() }
                if inFlight.isEmpty {
                    guard try await waitForWork(persistence) else { return }
                } else {
                    await waitForEvents(persistence)
                }
            }
        }
        // Attempts that were cut short have posted their end while the group waited for them.
        _ = try await settleAndClaim()
    }

    /// Tells the drive to look again.
    package nonisolated func wake() {
        mailbox.wake()
    }

    private func start(_ claim: Claim, in group: inout ThrowingDiscardingTaskGroup<any Error>) {
        let row = claim.record.rowID
        let attempt = Task { [client, transport] in await client.attempt(claim.record, over: transport) }
        if cancelled.contains(row) { attempt.cancel() }
        inFlight[row]?.attempt = attempt
        group.addTask { [mailbox] in
            let outcome = await withTaskCancellationHandler {
                await attempt.value
            } onCancel: {
                attempt.cancel()
            }
            mailbox.post(FinishedAttempt(claim: claim, outcome: outcome))
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
        for lane in try lanes() {
            let opens = gate(of: lane).opensAt
            var due = try store.queries.nextDue(origin: lane.rowOrigin)
            // Behind a closed gate lie transfers without a time of their own; the gate's next probe is theirs.
            if let opens, try store.hasProbeCandidate(origin: lane.rowOrigin) { due = min(due ?? opens, opens) }
            guard let due else { continue }
            let time = max(due, opens ?? due)
            if time <= store.now, !inFlight.isEmpty { continue }
            earliest = min(earliest ?? time, time)
        }
        return earliest
    }

    // MARK: - Explicit probes

    private func allowExplicitProbes() async throws {
        for lane in try lanes() {
            update(lane) { $0.gate.allowExplicitProbe() }
            // Where the gate is open, what single transfers are held for may be over, too; and what was unreachable is
            // not so here: it waits for an origin that was the destination before.
            guard gate(of: lane).closure == nil else { continue }
            let row = try await committing { store in
                try store.releaseUnreachable(origin: lane.rowOrigin)
                return try store.releaseOneForProbe(origin: lane.rowOrigin)
            }
            if let row { probes.insert(row) }
        }
    }
}
