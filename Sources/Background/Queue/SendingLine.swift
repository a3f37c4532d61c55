/// One origin's part of a ``SendingPlan``: its rows by stage, and how far ahead of its slots rows are claimed.
package struct SendingLine: Hashable, Sendable {
    /// Rows are claimed no faster than they are sent: ahead of its slots an origin has what they send in 25 ms, about
    /// as long as a commit takes on a busy disk, and 112 at most.
    package static let lookAhead = Duration.milliseconds(25)
    package static let lookAheadLimit = 112

    /// Rows that wait for a slot, the next one first.
    package internal(set) var waiting: ArraySlice<Int64> = []
    package internal(set) var runningCount = 0
    /// Ends that the queue has yet to judge.
    package internal(set) var endedCount = 0
    /// How many of these ends keep the waiting rows from starting.
    package internal(set) var blockingCount = 0
    /// How long an attempt that ends with a delivery takes, smoothed; `nil` before the first one, and after trouble.
    package internal(set) var pace: Duration?

    package var inFlightCount: Int { waiting.count + runningCount + endedCount }

    /// Whether a single row has begun and is not judged yet.
    var hasOneBegun: Bool { runningCount + endedCount == 1 }

    /// How many rows may be claimed beyond the slots.
    func lookAhead(slots: Int) -> Int {
        guard let pace else { return 0 }
        return min(Int(Double(slots) * (Self.lookAhead / max(pace, .microseconds(1)))), Self.lookAheadLimit)
    }

    /// Whether the queue should look at once, and not when more has ended. It depends on whether more may be due.
    func isHungry(slots: Int, hasMore: Bool) -> Bool {
        guard hasMore else { return runningCount == 0 }
        return waiting.count < runningCount / 2 || runningCount < slots
    }

    mutating func note(_ latest: Duration) {
        pace = pace.map { $0 + (latest - $0) / 8 } ?? latest
    }

    /// - Returns: the row that gets a slot, if one waits, a slot is free, and no end keeps the row from starting.
    mutating func startNext(slots: Int) -> Int64? {
        guard blockingCount == 0, runningCount < slots, let row = waiting.popFirst() else { return nil }
        runningCount += 1
        return row
    }
}
