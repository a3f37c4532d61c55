/// The events about suspects, and about tasks that collect drops: these tell them at any time.
extension SendingPlan {
    /// Whether no row is in flight, nor in a turn that is on its way to the disk.
    package var isFree: Bool { isIdle && !isTurning }

    /// A task wants to collect drops.
    /// - Parameters:
    ///   - now: the time on the boot clock, in milliseconds.
    ///   - insists: whether it does not wait.
    /// - Returns: how long it has to wait, in milliseconds; `nil` if it collects from now on.
    package mutating func collectingWanted(at now: Int64, insists: Bool) -> Int64? {
        if !insists, let wait = solitude.collectingWait(at: now) {
            solitude.collectingWaits()
            return wait
        }
        solitude.collectingBegan()
        return nil
    }

    /// A task has ended collecting.
    package mutating func collectingEnded() -> Wake {
        solitude.collectingEnded() ? .now : .none
    }

    /// A suspect drop is to have the process to itself.
    /// - Returns: how long it has to wait until others may be stopped for it, in milliseconds; `nil` if they are.
    package mutating func aloneWanted(at now: Int64) -> Int64? {
        if let wait = solitude.stopWait(at: now) { return wait }
        return solitude.begin(.drop, at: now, isForced: true) ? nil : 1
    }

    /// A suspect row is to have the process to itself: others are stopped for it, if they may be.
    /// - Parameters:
    ///   - now: the time on the boot clock, in milliseconds.
    ///   - isForced: whether it cannot wait any longer; otherwise it goes only where nothing is being collected.
    /// - Returns: whether others are stopped.
    package mutating func suspectWanted(at now: Int64, isForced: Bool) -> Bool {
        guard isForced || solitude.collectingCount == 0 else {
            solitude.rowWaitsForCollecting()
            return false
        }
        return solitude.begin(.row, at: now, isForced: isForced)
    }

    /// A suspect, row or drop, does not need the process to itself any more.
    package mutating func stopEnded(for party: Solitude.Party, at now: Int64) {
        solitude.end(party, at: now)
    }

    /// The queue takes a turn, which may claim rows.
    package mutating func turnBegan() {
        isTurning = true
    }

    /// The turn's commit is durable, or has failed.
    package mutating func turnEnded() {
        isTurning = false
    }
}
