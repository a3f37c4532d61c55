/// For whom others are stopped: a suspect row, a suspect drop, or nobody; and how many tasks collect drops meanwhile.
///
/// A suspect is a row, or a drop, that was under way when a process died. It is tried while nothing else goes on, so
/// that a second death says something. Others are stopped for it for ``longestStop`` at a time at most, the wait for
/// those under way included; then they go on beside it, and its death would say nothing. After a stop that kept
/// somebody waiting, nobody is stopped again for as long as that one lasted. After stops in which no suspect row could
/// begin, others are stopped for one more and more seldom, unless nothing else goes on anyway.
///
/// All times are milliseconds on the boot clock. A crash loses this value and nothing with it.
package struct Solitude: Hashable, Sendable {
    /// How long others are stopped at a time, at most: 10 s.
    package static let longestStop: Int64 = 10_000

    /// How long others may be stopped at a time where so much time is left, in milliseconds: a quarter of it at most,
    /// so that a suspect that hangs does not take all the time of a short run.
    /// - Parameter left: until the run's end; `nil` for a run without one.
    /// - Returns: milliseconds, 100 at least.
    package static func stopLength(with left: Int64?) -> Int64 {
        left.map { min(longestStop, max(100, $0 / 4)) } ?? longestStop
    }

    /// How long a suspect row waits for the others until they are stopped for it: 60 s.
    package static let patience: Int64 = 60_000
    /// How long others go on after many stops in vain: 5 min.
    package static let longestRest: Int64 = 300_000

    package enum Party: Hashable, Sendable {
        case row
        case drop
    }

    /// A time in which others are stopped.
    package struct Stop: Hashable, Sendable {
        package let party: Party
        package let begun: Int64
        /// When the others go on, whatever becomes of the suspect.
        package let end: Int64
        /// Whether it keeps anybody waiting.
        fileprivate var isFelt: Bool
    }

    private var stopLength = Self.longestStop
    /// The latest stop, until it is ended; its time may be over.
    package private(set) var stop: Stop?
    /// How many tasks are collecting drops.
    package private(set) var collectingCount = 0
    /// Until then nobody is stopped again.
    package private(set) var restEnd = Int64.min
    /// Until then nobody is stopped for a row.
    private var vainRestEnd = Int64.min
    /// Stops in a row in which no suspect row could begin.
    private var vainStops = 0
    /// Whether a suspect row waits for the end of collecting.
    package private(set) var isCollectingInTheWay = false

    package init() {}

    // MARK: - Questions

    /// The stop that is in force.
    package func stop(at now: Int64) -> Stop? {
        stop.flatMap { now < $0.end ? $0 : nil }
    }

    /// A suspect row's stop whose time is over, which is to be ended.
    package func lapsedRowStop(at now: Int64) -> Stop? {
        stop.flatMap { $0.party == .row && now >= $0.end ? $0 : nil }
    }

    /// How long a task that is about to collect has to wait, in milliseconds; `nil` if it has not.
    package func collectingWait(at now: Int64) -> Int64? {
        stop(at: now).flatMap { $0.party == .row ? $0.end - now : nil }
    }

    /// How long it takes until others may be stopped, in milliseconds; `nil` if they may be now.
    ///
    /// A row's stop whose time is over comes to its end in the queue's next turn: until then it is no other party's.
    package func stopWait(at now: Int64) -> Int64? {
        if lapsedRowStop(at: now) != nil { return Self.longestStop }
        let end = max(restEnd, stop(at: now)?.end ?? .min)
        return end > now ? end - now : nil
    }

    /// The same, where a suspect row would keep others from going on.
    package func forceWait(at now: Int64) -> Int64? {
        vainRestEnd > now ? max(vainRestEnd - now, stopWait(at: now) ?? 0) : stopWait(at: now)
    }

    // MARK: - Events

    /// A drive begins that has so much time, in milliseconds; `nil` for one without an end.
    package mutating func driveBegan(with left: Int64?) { stopLength = Self.stopLength(with: left) }

    /// A task collects drops from now on.
    package mutating func collectingBegan() { collectingCount += 1 }

    /// A task has to wait before it collects.
    package mutating func collectingWaits() { stop?.isFelt = true }

    /// A task has ended collecting drops.
    /// - Returns: whether a suspect row waits for that.
    package mutating func collectingEnded() -> Bool {
        collectingCount = max(0, collectingCount - 1)
        guard collectingCount == 0 else { return false }
        defer { isCollectingInTheWay = false }
        return isCollectingInTheWay || stop?.party == .row
    }

    /// A suspect row could go if nothing were being collected.
    package mutating func rowWaitsForCollecting() { isCollectingInTheWay = collectingCount > 0 }

    /// Others are stopped from now on, if they may be.
    /// - Parameters:
    ///   - party: for whom.
    ///   - now: the time.
    ///   - isForced: whether somebody waits from the beginning.
    /// - Returns: whether they are.
    package mutating func begin(_ party: Party, at now: Int64, isForced: Bool) -> Bool {
        guard (party == .row && isForced ? forceWait(at: now) : stopWait(at: now)) == nil else { return false }
        stop = Stop(party: party, begun: now, end: now + stopLength, isFelt: isForced)
        return true
    }

    /// The party's stop is over. Does nothing when others are not stopped for it.
    /// - Parameters:
    ///   - party: for whom others were stopped.
    ///   - now: the time.
    ///   - isInVain: whether its time is over, and no suspect could begin.
    package mutating func end(_ party: Party, at now: Int64, isInVain: Bool = false) {
        guard let stop, stop.party == party else { return }
        self.stop = nil
        let end = max(stop.begun, min(now, stop.end))
        let length = end - stop.begun
        if stop.isFelt { restEnd = end + length }
        guard party == .row else { return }
        vainStops = isInVain ? min(vainStops + 1, 5) : 0
        vainRestEnd = isInVain ? end + min(length << vainStops, Self.longestRest) : .min
    }
}
