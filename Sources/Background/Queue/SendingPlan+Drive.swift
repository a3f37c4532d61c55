/// The events of a drive that the queue tells outside of its turns.
extension SendingPlan {
    /// What a wish to cancel asks of the queue.
    package enum CancelAction: Hashable, Sendable {
        /// The row is not in flight: the ledger alone says what can be cancelled.
        case changeLedger
        /// The attempt, once it has begun, is to be told to end.
        case endAttempt
        /// The row waited and will not be sent: the queue is to judge that.
        case wakeQueue
        /// The attempt has ended and the queue will judge it.
        case none
    }

    /// A drive begins.
    /// - Returns: claims that wait since an earlier drive ended with an error.
    package mutating func driveBegan() -> [Start] {
        isStopped = false
        return fillSlots()
    }

    /// The drive is told to end, or ends: nothing starts any more.
    package mutating func driveStopped() {
        guard !isStopped else { return }
        isStopped = true
        for (row, transfer) in transfers {
            if case .running = transfer.stage { noteCompany(of: row) }
        }
    }

    /// Somebody asked for this drive: gates closed by failure or for a reason may be probed once.
    package mutating func allowedProbes(at origins: some Sequence<String>) {
        for origin in origins { schedule.change(origin) { $0.gate.allowExplicitProbe() } }
    }

    /// A row was made due, for a probe.
    package mutating func madeDue(probe row: Int64) {
        schedule.probes.insert(row)
    }

    /// Somebody asks for a suspect by its name: it goes next, alone, instead of after all others.
    package mutating func askedFor(suspect row: Int64) {
        schedule.asked.insert(row)
    }

    /// A row has come further than ever before, and is no suspect any more: others may go beside it.
    package mutating func advanced(_ row: Int64, at now: Int64 = 0) -> Wake {
        guard schedule.suspect == row else { return .none }
        schedule.suspect = nil
        solitude.end(.row, at: now)
        return .now
    }

    /// Somebody wants a transfer taken out of the queue. A row that waits is not sent. A row that is running is removed
    /// by its judgement, unless the server has accepted it by then.
    package mutating func cancelled(_ row: Int64) -> CancelAction {
        guard let transfer = transfers[row] else { return .changeLedger }
        transfers[row]?.isCancelled = true
        switch transfer.stage {
        case .ended: return .none
        case .running: return .endAttempt
        case .waiting:
            lines[transfer.origin]?.waiting.removeAll { $0 == row }
            // It says nothing about the origin, whose other claims go on.
            end(row, with: .ended(nil, isBlocking: false))
            return .wakeQueue
        }
    }
}
