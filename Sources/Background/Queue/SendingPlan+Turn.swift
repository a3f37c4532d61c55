extension SendingPlan {
    /// What one turn of the queue decides, on a copy of the plan.
    ///
    /// A turn is one commit, and attempts do not wait for it: meanwhile they report their ends to the plan itself, and
    /// start there what earlier commits have made durable. So a turn never sets the plan back to an earlier state, in
    /// which such a report would be lost:
    ///
    /// - When the commit fails, the copy is dropped, and with it all that the turn decided. The plan is as the attempts
    ///   have left it, and the ends to be judged are still there.
    /// - When the commit is durable, ``SendingPlan/committed(_:)`` repeats the decisions on the plan as it is by then.
    ///
    /// They can be repeated because no report of an attempt touches their subjects. A row whose end is judged does not
    /// end again. A claim that is given back has not started and cannot start: its origin has an end that nothing may
    /// follow before it is judged, or the drive has stopped. A new claim is not in the plan before it is durable. All
    /// else, the ``SendingPlan/Schedule``, the queue alone changes, and it does nothing else between the copy and the
    /// commit.
    package struct Turn: Sendable {
        /// The plan as the turn would have it.
        package private(set) var plan: SendingPlan
        private let origins: [String: OriginRecord]
        fileprivate var judged: Set<Int64> = []
        /// Origins whose waiting claims do not stand: after trouble they would hide from the policy that they were
        /// claimed before it, and after a stop they will not start at all.
        fileprivate let lapsed: [String]
        fileprivate var claims: [Start] = []
        /// On the boot clock, in milliseconds.
        private(set) var time: Int64
        fileprivate var endsStop = false
        fileprivate var isStopInVain = false

        fileprivate init(of plan: SendingPlan, at time: Int64) {
            self.plan = plan
            self.time = time
            origins = plan.schedule.origins
            lapsed = plan.lines.keys.filter(plan.hasLapsed(at:))
            self.plan.schedule.originsWithMore = []
        }
    }

    /// An attempt that the queue has to judge. Without an end it never began.
    package struct Ended: Sendable {
        package let claim: Claim
        package let origin: String
        package let end: End?
        /// Whether it alone was under way to its origin at its end.
        package let wasAlone: Bool
    }

    /// Whether there is something that a turn has to write down: ends, or claims that lapse.
    package var needsTurn: Bool {
        !endedRows.isEmpty || lines.contains { !$0.value.waiting.isEmpty && hasLapsed(at: $0.key) }
    }

    /// A turn at a time on the boot clock, in milliseconds.
    package func turn(at now: Int64 = 0) -> Turn {
        Turn(of: self, at: now)
    }

    /// A turn's commit is durable.
    /// - Returns: the attempts that start now.
    package mutating func committed(_ turn: Turn) -> [Start] {
        forget(judged: turn.judged)
        for origin in turn.lapsed {
            _ = giveBack(at: origin)
            // After trouble the origin shows anew how fast it is.
            lines[origin]?.pace = nil
        }
        for start in turn.claims { lineUp(start) }
        let wasAlone = schedule.suspect != nil
        schedule = turn.plan.schedule
        if turn.endsStop || (wasAlone && schedule.suspect == nil) {
            solitude.end(.row, at: turn.time, isInVain: turn.isStopInVain)
        }
        return fillSlots()
    }

    private func hasLapsed(at origin: String) -> Bool {
        isStopped || (lines[origin]?.blockingCount ?? 0) > 0
    }

    // MARK: - In and out of flight

    fileprivate mutating func lineUp(_ start: Start) {
        transfers[start.claim.id] = Transfer(claim: start.claim, origin: start.origin)
        lines[start.origin, default: SendingLine()].waiting.append(start.claim.id)
    }

    fileprivate mutating func giveBack(at origin: String) -> [Claim] {
        let rows = lines[origin]?.waiting ?? []
        lines[origin]?.waiting = []
        if let suspect = schedule.suspect, rows.contains(suspect) { schedule.suspect = nil }
        return rows.compactMap { transfers.removeValue(forKey: $0)?.claim }
    }

    fileprivate mutating func forget(judged rows: Set<Int64>) {
        for row in rows {
            guard let transfer = transfers[row], case .ended(_, let isBlocking) = transfer.stage else { continue }
            transfers[row] = nil
            lines[transfer.origin]?.endedCount -= 1
            if isBlocking { lines[transfer.origin]?.blockingCount -= 1 }
        }
        endedRows.removeAll(where: rows.contains)
    }
}

extension SendingPlan.Turn {
    // MARK: - Questions

    /// What is to be judged, in the order in which it ended.
    package var ends: [SendingPlan.Ended] {
        plan.endedRows.compactMap { row in
            guard let transfer = plan.transfers[row], case .ended(let end, _) = transfer.stage else { return nil }
            return SendingPlan.Ended(
                claim: transfer.claim, origin: transfer.origin, end: end, wasAlone: transfer.wasAlone)
        }
    }

    /// How many rows a lane has claimed so far.
    package func claimCount(of lane: Lane) -> Int {
        plan.schedule.claimCounts[lane] ?? 0
    }

    /// The origins that this turn has changed.
    package var changedOrigins: [OriginRecord] {
        plan.schedule.origins.values.filter { origins[$0.name] != $0 }
    }

    // MARK: - Events

    /// The queue has judged an end: the row is not in flight any more.
    /// - Returns: whether the row was a probe.
    package mutating func judged(_ row: Int64) -> Bool {
        judged.insert(row)
        plan.forget(judged: [row])
        plan.schedule.asked.remove(row)
        if plan.schedule.suspect == row { plan.schedule.suspect = nil }
        return plan.schedule.probes.remove(row) != nil
    }

    /// The queue is about to claim.
    /// - Returns: claims that do not stand any more: the ledger is to have them back, due and uncounted.
    package mutating func lapsedClaims() -> [Claim] {
        lapsed.flatMap { plan.giveBack(at: $0) }
    }

    /// An attempt has changed what is known of its origin.
    package mutating func change(_ origin: String, _ change: (inout OriginRecord) throws -> Void) rethrows {
        try plan.schedule.change(origin, change)
    }

    /// A row was made due, for a probe.
    package mutating func madeDue(probe row: Int64) {
        plan.schedule.probes.insert(row)
    }

    /// A lane has claimed rows in their order.
    package mutating func counted(_ count: Int, in lane: Lane) {
        plan.schedule.claimCounts[lane, default: 0] += count
    }

    /// Others go on beside a suspect, or without one: the ledger is told that nobody is to be blamed for a death.
    package mutating func othersGoOn() {
        plan.schedule.suspect = nil
        plan.schedule.blamesNobody = true
        endsStop = true
    }

    /// Others were stopped for as long as they may be, and no suspect could begin, not even beside them.
    package mutating func stopWasInVain() {
        isStopInVain = true
    }

    /// A suspect has the process to itself: the ledger is told that it is to be blamed for a death.
    package mutating func suspectGoesAlone() {
        plan.schedule.blamesNobody = false
    }

    /// Nobody is there any more for whom others are stopped.
    package mutating func stopIsVain() {
        endsStop = true
    }

    /// More may be due at an origin than this turn claims.
    package mutating func leftMore(at origin: String) {
        plan.schedule.originsWithMore.insert(origin)
    }

    /// Rows have been claimed, or a single one that may be what kills the process.
    /// - Returns: claims that the ledger is to have back, because an attempt of the same row is in flight: the row came
    ///   anew meanwhile, and that attempt's end must not be taken for the new one's.
    package mutating func claimed(
        _ claims: [Claim], at origin: String, isSuspect: Bool, now: Int64
    ) -> [Claim] {
        let (fresh, repeated) = (
            claims.filter { plan.transfers[$0.id] == nil }, claims.filter { plan.transfers[$0.id] != nil }
        )
        guard let first = fresh.first else { return repeated }
        for claim in fresh {
            let start = SendingPlan.Start(claim: claim, origin: origin)
            self.claims.append(start)
            plan.lineUp(start)
        }
        if isSuspect { plan.schedule.suspect = first.id }
        plan.schedule.claimCount += 1
        plan.schedule.change(origin) { $0.gate.started(at: now) }
        return repeated
    }
}
