/// The events about suspects and about the tasks that collect drops. Those tasks report their events at any time.
extension SendingPlan {
    /// Whether no row is in flight, and no turn is being committed that could add a row.
    package var isFree: Bool { isIdle && !isTurning }

    /// Records that a task wants to collect drops.
    /// - Parameters:
    ///   - now: the time on the boot clock, in milliseconds.
    ///   - insists: whether the task begins even while rows and drops are stopped for a suspect row.
    /// - Returns: how long the task has to wait, in milliseconds; `nil` when it collects from now on.
    package mutating func collectingWanted(at now: Int64, insists: Bool) -> Int64? {
        if !insists, let wait = solitude.collectingWait(at: now) {
            solitude.collectingWaits()
            return wait
        }
        solitude.collectingBegan()
        return nil
    }

    /// Records that a task has stopped collecting.
    package mutating func collectingEnded() -> Wake {
        solitude.collectingEnded() ? .now : .none
    }

    /// Stops claims so that a suspect drop has the process to itself, if they may be stopped now.
    /// - Returns: how long the drop has to wait until claims may be stopped, in milliseconds; `nil` when they are
    ///   stopped.
    package mutating func aloneWanted(at now: Int64) -> Int64? {
        if let wait = solitude.stopWait(at: now) { return wait }
        return solitude.begin(.drop, at: now, isForced: true) ? nil : 1
    }

    /// Stops all other work so that a suspect row has the process to itself, if it may be stopped now.
    /// - Parameters:
    ///   - now: the time on the boot clock, in milliseconds.
    ///   - isForced: whether the row has waited long enough. Otherwise it is sent only while no drop is being
    ///     collected.
    /// - Returns: whether other work is stopped.
    package mutating func suspectWanted(at now: Int64, isForced: Bool) -> Bool {
        guard isForced || solitude.collectingCount == 0 else {
            solitude.rowWaitsForCollecting()
            return false
        }
        return solitude.begin(.row, at: now, isForced: isForced)
    }

    /// Records that a suspect row or drop no longer needs the process to itself.
    package mutating func stopEnded(for party: Solitude.Party, at now: Int64) {
        solitude.end(party, at: now)
    }

    /// Records that the queue begins a turn, which may claim rows.
    package mutating func turnBegan() {
        isTurning = true
    }

    /// Records that the turn's commit is durable, or has failed.
    package mutating func turnEnded() {
        isTurning = false
    }
}
