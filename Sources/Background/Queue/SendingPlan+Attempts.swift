/// The event that the task of an attempt reports: the attempt's end. The task may report it at any time, also while a
/// turn of the queue is being committed.
extension SendingPlan {
    /// The consequences of an attempt's end.
    package struct Succession: Sendable {
        /// The claim that gets the free slot; `nil` when none may start.
        package var next: Claim?
        package var wake: Wake
    }

    /// Records that an attempt has ended. Does nothing for a row that is not running.
    ///
    /// `letsNextGo` says whether the origin's next claim may start before the queue has judged this end. It is `true`
    /// when the server has accepted the transfer and has not asked to wait.
    package mutating func ended(
        _ row: Int64, with end: End, letsNextGo: Bool, after duration: Duration
    ) -> Succession {
        guard let transfer = transfers[row], case .running = transfer.stage else {
            return Succession(next: nil, wake: .none)
        }
        let origin = transfer.origin
        if !isStopped { noteCompany(of: row) }
        lines[origin]?.runningCount -= 1
        self.end(row, with: .ended(end, isBlocking: !letsNextGo))
        guard letsNextGo else { return Succession(next: nil, wake: .now) }
        lines[origin]?.note(duration)
        let slots = slots(of: origin)
        let next = startNext(at: origin, slots: slots)
        let hasMore = schedule.originsWithMore.contains(origin)
        let isHungry = lines[origin]?.isHungry(slots: slots, hasMore: hasMore) ?? false
        return Succession(next: next, wake: isHungry ? .now : .soon)
    }

    /// Records whether this row is the only one under way to its origin. Beside other attempts a body goes out more
    /// slowly than it could alone, so the queue has to know this when it judges the body's pace.
    ///
    /// When a drive stops, its attempts end one after another, and the last one would seem to have been alone. So the
    /// plan calls this for every running row before the first attempt ends.
    mutating func noteCompany(of row: Int64) {
        guard let origin = transfers[row]?.origin else { return }
        transfers[row]?.wasAlone = lines[origin]?.hasOneBegun ?? false
    }

    // MARK: - Slots

    /// Gives all free slots to waiting claims.
    mutating func fillSlots() -> [Start] {
        var starts: [Start] = []
        for origin in lines.filter({ !$0.value.waiting.isEmpty }).keys.sorted() {
            let slots = slots(of: origin)
            while let claim = startNext(at: origin, slots: slots) {
                starts.append(Start(claim: claim, origin: origin))
            }
        }
        return starts
    }

    private mutating func startNext(at origin: String, slots: Int) -> Claim? {
        guard !isStopped, let row = lines[origin]?.startNext(slots: slots) else { return nil }
        transfers[row]?.stage = .running
        return transfers[row]?.claim
    }

    /// Moves a row to the stage in which the queue has to judge it.
    mutating func end(_ row: Int64, with stage: Stage) {
        guard let origin = transfers[row]?.origin else { return }
        transfers[row]?.stage = stage
        endedRows.append(row)
        lines[origin]?.endedCount += 1
        if case .ended(_, isBlocking: true) = stage { lines[origin]?.blockingCount += 1 }
    }
}
