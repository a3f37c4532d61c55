/// The events of a drive that the queue reports outside of its turns.
extension SendingPlan {
    /// The action that a cancellation requires of the queue.
    package enum CancelAction: Hashable, Sendable {
        /// The row is not in flight. The ledger alone says whether it can be cancelled.
        case changeLedger
        /// The queue has to cancel the attempt, as soon as the attempt's task exists.
        case endAttempt
        /// The row was waiting and will not be sent. The queue has to judge it.
        case wakeQueue
        /// The attempt has ended, and the queue will judge it.
        case none
    }

    /// Records that a drive begins.
    /// - Returns: the starts of claims that still wait because an earlier drive ended with an error.
    package mutating func driveBegan() -> [Start] {
        isStopped = false
        return fillSlots()
    }

    /// Records that the drive ends, or has been told to end. No claim starts from now on.
    package mutating func driveStopped() {
        guard !isStopped else { return }
        isStopped = true
        for (row, transfer) in transfers {
            if case .running = transfer.stage { noteCompany(of: row) }
        }
    }

    /// Allows one probe of each closed gate, because a person or program has asked for this drive. A gate that is
    /// closed until a time that the server named stays closed.
    package mutating func allowedProbes(at origins: some Sequence<String>) {
        for origin in origins { schedule.change(origin) { $0.gate.allowExplicitProbe() } }
    }

    /// Makes the probe of a closed gate due, because somebody asks for it during a drive.
    /// - Returns: the record of the origin as it is now.
    package mutating func madeProbeDue(at origin: String, now: Int64) -> OriginRecord? {
        schedule.change(origin) { $0.gate.makeProbeDue(at: now) }
        return schedule.origins[origin]
    }

    /// Records that the queue made a row due so that it can serve as a probe.
    package mutating func madeDue(probe row: Int64) {
        schedule.probes.insert(row)
    }

    /// Records that a caller asked for a suspect row by its name. The queue sends this row next and alone, instead of
    /// after all other rows.
    package mutating func askedFor(suspect row: Int64) {
        schedule.asked.insert(row)
    }

    /// Records that a row has come further than in any earlier attempt. The row is no suspect any more, and the queue
    /// may send other rows beside it.
    package mutating func advanced(_ row: Int64, at now: Int64 = 0) -> Wake {
        guard schedule.suspect == row else { return .none }
        schedule.suspect = nil
        solitude.end(.row, at: now)
        return .now
    }

    /// Records that a transfer is to be taken out of the queue.
    ///
    /// A waiting row is not sent. A running row is removed when the queue judges it, unless the server has accepted it
    /// by then.
    package mutating func cancelled(_ row: Int64) -> CancelAction {
        guard let transfer = transfers[row] else { return .changeLedger }
        transfers[row]?.isCancelled = true
        switch transfer.stage {
        case .ended: return .none
        case .running: return .endAttempt
        case .waiting:
            lines[transfer.origin]?.waiting.removeAll { $0 == row }
            // The cancellation says nothing about the origin, so the origin's other claims go on.
            end(row, with: .ended(nil, isBlocking: false))
            return .wakeQueue
        }
    }
}
