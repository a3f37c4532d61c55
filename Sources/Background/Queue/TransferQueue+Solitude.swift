import DurableIO

/// What the tasks that collect drops tell the queue, so that a suspect can have the process to itself.
extension TransferQueue {
    // MARK: - Collecting

    /// Work on drops is about to begin. Waits while a suspect row has the process to itself, 10 s at most; a cancelled
    /// task does not wait. Every call is followed by one of ``endCollecting()``.
    package nonisolated func beginCollecting() async {
        let end = clock.bootMilliseconds + Solitude.longestStop
        while true {
            let now = clock.bootMilliseconds
            let latch = shared.withLock { shared -> Latch? in
                if shared.plan.schedule.suspect != nil, now < end, !Task.isCancelled { return shared.release }
                shared.plan.solitude.collectingBegan()
                return nil
            }
            guard let latch else { return }
            await latch.wait(atMost: end - now, clock)
        }
    }

    /// Work on drops has ended.
    package nonisolated func endCollecting() {
        shared.withLock { $0.plan.solitude.collectingEnded() }
        signal.raise(.now)
    }

    // MARK: - A suspect drop

    /// Stops claims, so that a suspect drop can have the process to itself, for 10 s at most, this wait included.
    ///
    /// - Parameter patience: how long the transfers under way are waited for, in milliseconds.
    /// - Returns: whether nothing is under way. If not, claims go on at once. If so, they go on with ``endAlone()``.
    package nonisolated func beginAlone(patience: Int64) async -> Bool {
        let begun = clock.bootMilliseconds
        shared.withLock { $0.plan.solitude.dropBegan(at: begun) }
        while true {
            let left = begun + min(patience, Solitude.longestStop) - clock.bootMilliseconds
            let (isFree, latch) = shared.withLock { ($0.plan.isFree, $0.release) }
            if isFree { return true }
            guard left > 0, !Task.isCancelled else {
                endAlone()
                return false
            }
            await latch.wait(atMost: left, clock)
        }
    }

    /// The suspect drop has been collected, or has not: claims go on. Does nothing when no drop has the process to
    /// itself.
    package nonisolated func endAlone() {
        shared.withLock { $0.plan.solitude.dropEnded() }
        signal.raise(.now)
    }

    /// A turn is over: those look again who wait for the process to be free, or for a suspect's end.
    func turnEnded() {
        let latch = shared.withLock { shared in
            shared.plan.turnEnded()
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
