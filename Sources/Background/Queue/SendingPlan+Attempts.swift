/// The end of an attempt, which the attempt's own task reports: at any time, also while a turn of the queue is on its
/// way to the disk.
extension SendingPlan {
    /// What follows an attempt's end.
    package struct Succession: Sendable {
        /// The claim that gets the slot.
        package var next: Claim?
        package var wake: Wake
    }

    /// An attempt has ended. The end of a row that is not running means nothing.
    ///
    /// `letsNextGo` says whether the next claim of the origin may start before the queue has judged this end: the
    /// server has accepted the transfer, and has not asked to wait.
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

    /// How many go beside it says what an attempt's pace means. When all are told to end they end one after another,
    /// and the last one was not alone.
    mutating func noteCompany(of row: Int64) {
        guard let origin = transfers[row]?.origin else { return }
        transfers[row]?.wasAlone = lines[origin]?.hasOneBegun ?? false
    }

    // MARK: - Slots

    /// Gives all free slots to claims that wait.
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

    /// A row comes to the stage in which it is to be judged.
    mutating func end(_ row: Int64, with stage: Stage) {
        guard let origin = transfers[row]?.origin else { return }
        transfers[row]?.stage = stage
        endedRows.append(row)
        lines[origin]?.endedCount += 1
        if case .ended(_, isBlocking: true) = stage { lines[origin]?.blockingCount += 1 }
    }
}
