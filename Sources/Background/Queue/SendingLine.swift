/// The rows in flight to one origin, by stage, and how many rows may be claimed ahead of the origin's slots.
package struct SendingLine: Hashable, Sendable {
    /// How far ahead of an origin's slots (``SendingPlan``) the queue claims rows: as many rows beyond the number of
    /// slots as the slots send in 25 ms, and at most 112.
    ///
    /// With these rows no slot is idle during a commit, which takes about 25 ms on a busy disk. The queue claims rows
    /// no faster than they are sent.
    package static let lookAhead = Duration.milliseconds(25)
    package static let lookAheadLimit = 112

    /// Rows that wait for a slot. The first one is the next to start.
    package internal(set) var waiting: ArraySlice<Int64> = []
    package internal(set) var runningCount = 0
    /// How many attempts have ended without being judged yet.
    package internal(set) var endedCount = 0
    /// How many of these ended attempts keep the waiting rows from starting.
    package internal(set) var blockingCount = 0
    /// The smoothed duration of an attempt that ends with a delivery; `nil` before the first one, and after a failure.
    package internal(set) var pace: Duration?

    package var inFlightCount: Int { waiting.count + runningCount + endedCount }

    /// Whether exactly one row has begun and is not judged yet.
    var hasOneBegun: Bool { runningCount + endedCount == 1 }

    /// How many rows may be claimed beyond the number of slots.
    func lookAhead(slots: Int) -> Int {
        guard let pace else { return 0 }
        return min(Int(Double(slots) * (Self.lookAhead / max(pace, .microseconds(1)))), Self.lookAheadLimit)
    }

    /// Whether the queue has to take its next turn immediately, instead of waiting until further attempts have ended.
    ///
    /// `hasMore` says whether more rows may be due at this origin.
    func isHungry(slots: Int, hasMore: Bool) -> Bool {
        guard hasMore else { return runningCount == 0 }
        return waiting.count < runningCount / 2 || runningCount < slots
    }

    mutating func note(_ latest: Duration) {
        pace = pace.map { $0 + (latest - $0) / 8 } ?? latest
    }

    /// - Returns: the row that gets a slot; `nil` when no row waits, no slot is free, or an ended attempt keeps the
    ///   waiting rows from starting.
    mutating func startNext(slots: Int) -> Int64? {
        guard blockingCount == 0, runningCount < slots, let row = waiting.popFirst() else { return nil }
        runningCount += 1
        return row
    }
}
