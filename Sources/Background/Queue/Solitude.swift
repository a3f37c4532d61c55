/// The stop of other work for a suspect, if there is one, and the number of tasks that collect drops meanwhile.
///
/// A suspect is a row or a drop that was under way when a process died. The suspect is tried while no other row is sent
/// and no other drop is collected, so that a second death says something about the suspect. A *stop* is the time for
/// which other work is stopped. Its party is the suspect row or the suspect drop that the stop is for.
///
/// One stop lasts for ``longestStop`` at most, including the wait for the work that is already under way. Then other
/// work goes on beside the suspect, and a death would say nothing about the suspect. After a stop that kept other work
/// waiting, the next stop begins only after a rest that is as long as the stop was. When no suspect row could begin
/// during a stop, the stop was in vain. After a stop in vain, the queue rests longer before the next stop that is for a
/// suspect row and keeps other work waiting. Each further stop in vain doubles the rest.
///
/// All times are milliseconds on the boot clock. A crash loses this value, and nothing else is lost with it.
package struct Solitude: Hashable, Sendable {
    /// The longest time for which other work is stopped without a pause: 10 s.
    package static let longestStop: Int64 = 10_000

    /// The longest time for which a run may stop other work without a pause: a quarter of the time that is left until
    /// the run's end, and ``longestStop`` at most.
    ///
    /// So a suspect that hangs does not take all the time of a short run.
    /// - Parameter left: the time until the run's end, in milliseconds; `nil` for a run without an end.
    /// - Returns: milliseconds, at least 100.
    package static func stopLength(with left: Int64?) -> Int64 {
        left.map { min(longestStop, max(100, $0 / 4)) } ?? longestStop
    }

    /// How long a suspect row waits before other work is stopped for the row: 60 s.
    package static let patience: Int64 = 60_000
    /// The longest rest after several stops in vain: 5 min.
    package static let longestRest: Int64 = 300_000

    package enum Party: Hashable, Sendable {
        case row
        case drop
    }

    /// One stop: a time in which other work is stopped.
    package struct Stop: Hashable, Sendable {
        package let party: Party
        package let begun: Int64
        /// When the other work goes on, whatever becomes of the suspect.
        package let end: Int64
        /// Whether the stop keeps other work waiting.
        fileprivate var isFelt: Bool
    }

    private var stopLength = Self.longestStop
    /// The latest stop; `nil` after the queue has ended it. The time of this stop may be over already.
    package private(set) var stop: Stop?
    /// How many tasks are collecting drops.
    package private(set) var collectingCount = 0
    /// Before this time, no stop begins.
    package private(set) var restEnd = Int64.min
    /// Before this time, no stop begins for a suspect row if that stop would keep other work waiting.
    private var vainRestEnd = Int64.min
    /// The number of stops in vain, one after another.
    private var vainStops = 0
    /// Whether a suspect row waits until no drop is being collected.
    package private(set) var isCollectingInTheWay = false

    package init() {}

    // MARK: - Questions

    /// The stop whose time is not over; `nil` when there is none.
    package func stop(at now: Int64) -> Stop? {
        stop.flatMap { now < $0.end ? $0 : nil }
    }

    /// A stop for a suspect row, if the time of the stop is over and the queue has not ended the stop yet.
    package func lapsedRowStop(at now: Int64) -> Stop? {
        stop.flatMap { $0.party == .row && now >= $0.end ? $0 : nil }
    }

    /// How long a task that wants to collect has to wait, in milliseconds; `nil` when it may begin now.
    package func collectingWait(at now: Int64) -> Int64? {
        stop(at: now).flatMap { $0.party == .row ? $0.end - now : nil }
    }

    /// How long the queue must wait before it may begin a stop, in milliseconds; `nil` when it may begin one now.
    ///
    /// When the time of a stop for a suspect row is over, the queue ends the stop in its next turn. Until then no other
    /// stop begins.
    package func stopWait(at now: Int64) -> Int64? {
        if lapsedRowStop(at: now) != nil { return Self.longestStop }
        let end = max(restEnd, stop(at: now)?.end ?? .min)
        return end > now ? end - now : nil
    }

    /// How long the queue must wait before it may begin a stop for a suspect row, if that stop would keep other work
    /// waiting; in milliseconds, and `nil` when the queue may begin it now.
    package func forceWait(at now: Int64) -> Int64? {
        vainRestEnd > now ? max(vainRestEnd - now, stopWait(at: now) ?? 0) : stopWait(at: now)
    }

    // MARK: - Events

    /// Records that a drive begins. `left` is the time until the drive's end, in milliseconds; `nil` for a drive
    /// without an end.
    package mutating func driveBegan(with left: Int64?) { stopLength = Self.stopLength(with: left) }

    /// Records that a task collects drops from now on.
    package mutating func collectingBegan() { collectingCount += 1 }

    /// Records that a task has to wait before it collects.
    package mutating func collectingWaits() { stop?.isFelt = true }

    /// Records that a task has stopped collecting drops.
    /// - Returns: whether a suspect row may have waited for that task.
    package mutating func collectingEnded() -> Bool {
        collectingCount = max(0, collectingCount - 1)
        guard collectingCount == 0 else { return false }
        defer { isCollectingInTheWay = false }
        return isCollectingInTheWay || stop?.party == .row
    }

    /// Records that a suspect row could be sent if no drop were being collected.
    package mutating func rowWaitsForCollecting() { isCollectingInTheWay = collectingCount > 0 }

    /// Begins a stop, if one may begin now.
    /// - Parameters:
    ///   - party: the kind of suspect that other work is stopped for.
    ///   - now: the time on the boot clock, in milliseconds.
    ///   - isForced: whether the stop keeps other work waiting from its beginning.
    /// - Returns: whether the stop has begun.
    package mutating func begin(_ party: Party, at now: Int64, isForced: Bool) -> Bool {
        guard (party == .row && isForced ? forceWait(at: now) : stopWait(at: now)) == nil else { return false }
        stop = Stop(party: party, begun: now, end: now + stopLength, isFelt: isForced)
        return true
    }

    /// Ends the stop of a party. Does nothing when other work is not stopped for that party.
    /// - Parameters:
    ///   - party: the kind of suspect that other work was stopped for.
    ///   - now: the time on the boot clock, in milliseconds.
    ///   - isInVain: whether the time of the stop is over, and no suspect could begin. The default is `false`.
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
