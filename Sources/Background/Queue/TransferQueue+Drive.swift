import DurableIO

/// The loop of a drive: one turn after another, with attempts running beside the turns, and the waits between the
/// turns.
extension TransferQueue {
    /// Takes turns until the drive is over or the task is cancelled. Returns only when no attempt is under way.
    func turnUntilDone(_ persistence: Persistence) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            defer { shared.withLock { $0.plan.driveStopped() } }
            start(shared.withLock { $0.plan.driveBegan() }, in: &group)
            while true {
                let turn = try await turn(isStopping: Task.isCancelled)
                start(turn.starts, in: &group)
                // The client releases these files while the next transfers are sent.
                if !turn.settlements.isEmpty { await client.didSettle(turn.settlements) }
                if Task.isCancelled { return group.cancelAll() }
                if shared.withLock({ $0.plan.isIdle }) {
                    guard try await waitForWork(persistence) else { return }
                } else {
                    await waitForEvents(persistence)
                }
                await signal.gather(atMost: configuration.gatheringTime)
            }
        }
    }

    private func start(_ starts: [Plan.Start], in group: inout ThrowingDiscardingTaskGroup<any Error>) {
        for start in starts {
            group.addTask { await self.useSlot(for: start.claim, at: start.origin) }
        }
    }

    // MARK: - Attempts

    /// Runs attempts in one slot: the given claim, then further claims as long as each attempt is a delivery that lets
    /// the next claim start. Does not wait for the queue between them.
    private nonisolated func useSlot(for first: Claim, at origin: String) async {
        var next: Claim? = first
        while let claim = next {
            let begun = configuration.attemptClock()
            let report = await attempt(claim)
            let succession = shared.withLock { shared in
                shared.attempts[claim.id] = nil
                return shared.plan.ended(
                    claim.id, with: report, letsNextGo: report.letsNextGo,
                    after: configuration.attemptClock() - begun)
            }
            signal.raise(succession.wake)
            next = succession.next
        }
    }

    /// Makes the attempt in a task of its own, so that the queue can cancel this attempt alone.
    private nonisolated func attempt(_ claim: Claim) async -> AttemptReport {
        let attempt = Task(executorPreference: OwnThreads.current) { [client, transport, configuration] in
            let metered = MeteredTransport(
                transport, stopwatch: configuration.stopwatch, watchesClosely: claim.record.cuts.isWatchWanted)
            var report = await client.attempt(claim, over: metered)
            if report.outcome == .noAnswer(.interrupted) {
                report.trace = metered.trace
                report.bytesSent = metered.trace.byteCount
            }
            return report
        }
        let isCancelled = shared.withLock { shared in
            shared.attempts[claim.id] = attempt
            return shared.plan.isCancelled(claim.id)
        }
        // The transfer was cancelled before its attempt had a task.
        if isCancelled { attempt.cancel() }
        return await withTaskCancellationHandler {
            await attempt.value
        } onCancel: {
            cancelAfterGrace(attempt)
        }
    }

    private nonisolated func cancelAfterGrace(_ attempt: Task<AttemptReport, Never>) {
        let grace = configuration.grace
        guard grace > 0 else { return attempt.cancel() }
        // The cancelled task cannot wait, so another one does.
        Task.detached { [clock] in
            await withTaskGroup { group in
                group.addTask { _ = await attempt.value }
                group.addTask {
                    try? await clock.sleep(milliseconds: grace)
                    attempt.cancel()
                }
                await group.next()
                group.cancelAll()
            }
        }
    }

    // MARK: - Waiting

    private func waitForEvents(_ persistence: Persistence) async {
        var delays: [Int64] = []
        if let time = try? solitudeTime() { delays.append(time - clock.bootMilliseconds) }
        if case .waiting = persistence, let time = try? nextTime() { delays.append(time - store.now) }
        guard let delay = delays.min() else { return await signal.wait() }
        await signal.wait(atMost: max(1, delay), clock: clock)
    }

    /// Waits while no row is in flight.
    /// - Returns: whether there may be work now; `false` ends the drive.
    private func waitForWork(_ persistence: Persistence) async throws -> Bool {
        let end: Int64? = if case .waiting(let end) = persistence { end } else { nil }
        if let time = try solitudeTime() {
            // A due row waits for a suspect, or a suspect waits for other work to end.
            await signal.wait(atMost: max(1, min(time, end ?? time) - clock.bootMilliseconds), clock: clock)
            return end.map { clock.bootMilliseconds < $0 } ?? true
        }
        // A stop may have been in force when the turn looked, and may be over by now.
        guard case .waiting = persistence else { return try mayClaim() }
        try await client.didRunDry()
        let time = try nextTime()
        guard let end else {
            await waitForEvents(persistence)
            return true
        }
        guard let time else { return false }
        let delay = max(0, time - store.now)
        guard clock.bootMilliseconds + delay <= end else { return false }
        await signal.wait(atMost: max(1, delay), clock: clock)
        return true
    }

    /// The next time at which a due row can pass its gate, on the ledger's axis (``LedgerClock``).
    ///
    /// Rows that only wait for rows in flight have no such time, because the end of an attempt is an event.
    private func nextTime() throws -> Int64? {
        var earliest: Int64?
        for route in try routes() {
            let opens = gate(of: route.origin).opensAt
            var due = try store.queries.nextDue(lane: route.lane)
            // Behind a closed gate there may be rows without a due time. They can be sent when the gate may be probed
            // next.
            if let opens, try store.hasProbeCandidate(lane: route.lane) { due = min(due ?? opens, opens) }
            guard let due else { continue }
            let time = max(due, opens ?? due)
            if time <= store.now, !shared.withLock({ $0.plan.isIdle }) { continue }
            earliest = min(earliest ?? time, time)
        }
        return earliest
    }
}
