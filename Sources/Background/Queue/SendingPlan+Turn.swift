extension SendingPlan {
    /// The decisions of one turn of the queue, made on a copy of the plan.
    ///
    /// A turn is one commit, and attempts do not wait for it. An attempt that ends during the commit reports its end to
    /// the plan itself, not to the copy. Then the plan may start the next waiting claim, which an earlier commit has
    /// made durable. If a turn set the plan back to an earlier state, such a report would be lost. So a turn never does
    /// that:
    ///
    /// - When the commit fails, the queue drops the copy, and with it all decisions of the turn. The plan is as the
    ///   attempts have left it, and still holds the ends to be judged.
    /// - When the commit is durable, ``SendingPlan/committed(_:)`` repeats the decisions on the plan as it is by then.
    ///
    /// The decisions can be repeated because no report of an attempt changes a row, a claim or an origin that a
    /// decision concerns. A row whose end is judged does not end again. A claim that the turn gives back has not
    /// started. It cannot start during the commit either: its origin has an end that the queue must judge first, or the
    /// drive has stopped. A new claim enters the plan only when the claim is durable. All other decisions concern the
    /// ``SendingPlan/Schedule``. Only the queue changes the schedule, and between the copy and the commit the queue
    /// does nothing else.
    package struct Turn: Sendable {
        /// The plan as it will be when the turn is committed.
        package private(set) var plan: SendingPlan
        private let origins: [String: OriginRecord]
        fileprivate var judged: Set<Int64> = []
        /// Origins whose waiting claims this turn gives back.
        ///
        /// A claim carries the time at which it was made. If the claim started after trouble at its origin, the policy
        /// would take the attempt as begun before the trouble. After the drive has stopped, a waiting claim does not
        /// start at all.
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

    /// An attempt that the queue has to judge. `end` is `nil` when the attempt never began.
    package struct Ended: Sendable {
        package let claim: Claim
        package let origin: String
        package let end: End?
        /// Whether no other transfer was under way to its origin when the attempt ended.
        package let wasAlone: Bool
    }

    /// Whether a turn has something to write: ended attempts, or claims to be given back.
    package var needsTurn: Bool {
        !endedRows.isEmpty || lines.contains { !$0.value.waiting.isEmpty && hasLapsed(at: $0.key) }
    }

    /// Makes a turn that decides on a copy of this plan. The time is on the boot clock, in milliseconds.
    package func turn(at now: Int64 = 0) -> Turn {
        Turn(of: self, at: now)
    }

    /// Applies a turn whose commit is durable.
    /// - Returns: the attempts to be started now.
    package mutating func committed(_ turn: Turn) -> [Start] {
        forget(judged: turn.judged)
        for origin in turn.lapsed {
            _ = giveBack(at: origin)
            // After trouble the pace of the origin is measured from the beginning.
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

    /// The ended attempts to be judged, in the order in which they ended.
    package var ends: [SendingPlan.Ended] {
        plan.endedRows.compactMap { row in
            guard let transfer = plan.transfers[row], case .ended(let end, _) = transfer.stage else { return nil }
            return SendingPlan.Ended(
                claim: transfer.claim, origin: transfer.origin, end: end, wasAlone: transfer.wasAlone)
        }
    }

    /// How many rows a lane has claimed so far, in this process.
    package func claimCount(of lane: Lane) -> Int {
        plan.schedule.claimCounts[lane] ?? 0
    }

    /// The origins that this turn has changed.
    package var changedOrigins: [OriginRecord] {
        plan.schedule.origins.values.filter { origins[$0.name] != $0 }
    }

    // MARK: - Events

    /// Records that the queue has judged an ended attempt. The row is no longer in flight.
    /// - Returns: whether the row was a probe.
    package mutating func judged(_ row: Int64) -> Bool {
        judged.insert(row)
        plan.forget(judged: [row])
        plan.schedule.asked.remove(row)
        if plan.schedule.suspect == row { plan.schedule.suspect = nil }
        return plan.schedule.probes.remove(row) != nil
    }

    /// Takes the claims that must not start out of the plan. The queue calls this before it claims.
    /// - Returns: these claims, which the ledger has to make due again, without counting an attempt.
    package mutating func lapsedClaims() -> [Claim] {
        lapsed.flatMap { plan.giveBack(at: $0) }
    }

    /// Changes the record of an origin after an attempt.
    package mutating func change(_ origin: String, _ change: (inout OriginRecord) throws -> Void) rethrows {
        try plan.schedule.change(origin, change)
    }

    /// Records that the queue made a row due so that it can serve as a probe.
    package mutating func madeDue(probe row: Int64) {
        plan.schedule.probes.insert(row)
    }

    /// Records how many rows a lane has claimed.
    package mutating func counted(_ count: Int, in lane: Lane) {
        plan.schedule.claimCounts[lane, default: 0] += count
    }

    /// Ends the stop for a suspect row. The ledger is told that no row is to be blamed if the process dies.
    ///
    /// Other work goes on, whether the suspect is under way or not.
    package mutating func othersGoOn() {
        plan.schedule.suspect = nil
        plan.schedule.blamesNobody = true
        endsStop = true
    }

    /// Records that a stop has lasted for its whole time and no suspect could begin, not even beside other rows.
    package mutating func stopWasInVain() {
        isStopInVain = true
    }

    /// Records that a suspect is sent alone. The ledger is told that the suspect is to be blamed if the process dies.
    package mutating func suspectGoesAlone() {
        plan.schedule.blamesNobody = false
    }

    /// Ends the stop, because no suspect is left for which other work has to be stopped. This does not count as a stop
    /// in vain (``stopWasInVain()``).
    package mutating func stopIsVain() {
        endsStop = true
    }

    /// Records that more rows may be due at an origin than this turn claims.
    package mutating func leftMore(at origin: String) {
        plan.schedule.originsWithMore.insert(origin)
    }

    /// Records that the queue has claimed rows of an origin. With `isSuspect`, it has claimed one suspect row, which it
    /// sends alone.
    /// - Returns: the claims that the queue has to give back, because an earlier attempt of the claimed row is still in
    ///   flight. Such a row was enrolled again meanwhile, and the end of the earlier attempt must not settle the new
    ///   claim.
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
