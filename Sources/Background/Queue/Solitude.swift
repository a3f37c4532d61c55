/// The party for which other work is stopped, if there is one, and the number of tasks that collect drops meanwhile.
///
/// A suspect is a row or a drop that was under way when a process died. It is tried while no other row is sent and no
/// other drop is collected, so that a second death says something about the suspect. The party of a stop is a suspect
/// row or a suspect drop.
///
/// One stop lasts for ``longestStop`` at most, including the wait for the work that is already under way. Then other
/// work goes on beside the suspect, and a death would say nothing about it. After a stop that kept other work waiting,
/// no stop begins for as long as that stop lasted. After stops in which no suspect row could begin, further stops for a
/// suspect row become rarer, unless no other work is there to be stopped.
///
/// All times are milliseconds on the boot clock. A crash loses this value, and nothing else is lost with it.
package struct Solitude: Hashable, Sendable {
    /// The longest time for which other work is stopped at once: 10 s.
    package static let longestStop: Int64 = 10_000

    /// The longest time for which other work may be stopped at once in a run: a quarter of the run's time that is left,
    /// and ``longestStop`` at most.
    ///
    /// So a suspect that hangs does not take all the time of a short run.
    /// - Parameter left: the time until the run's end, in milliseconds; `nil` for a run without an end.
    /// - Returns: milliseconds, at least 100.
    package static func stopLength(with left: Int64?) -> Int64 {
        left.map { min(longestStop, max(100, $0 / 4)) } ?? longestStop
    }

    /// How long a suspect row waits until other work is stopped for it: 60 s.
    package static let patience: Int64 = 60_000
    /// The longest time for which other work goes on after several stops in vain: 5 min.
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
    /// The latest stop, until the queue ends it. Its time may be over already.
    package private(set) var stop: Stop?
    /// How many tasks are collecting drops.
    package private(set) var collectingCount = 0
    /// The time before which no stop begins again.
    package private(set) var restEnd = Int64.min
    /// The time before which no stop begins for a suspect row that would keep other work waiting.
    private var vainRestEnd = Int64.min
    /// The number of stops in a row in which no suspect row could begin.
    private var vainStops = 0
    /// Whether a suspect row waits until no drop is being collected.
    package private(set) var isCollectingInTheWay = false

    package init() {}

    // MARK: - Questions

    /// The stop that is in force.
    package func stop(at now: Int64) -> Stop? {
        stop.flatMap { now < $0.end ? $0 : nil }
    }

    /// The stop for a suspect row whose time is over, and which the queue still has to end.
    package func lapsedRowStop(at now: Int64) -> Stop? {
        stop.flatMap { $0.party == .row && now >= $0.end ? $0 : nil }
    }

    /// How long a task that wants to collect has to wait, in milliseconds; `nil` when it may begin now.
    package func collectingWait(at now: Int64) -> Int64? {
        stop(at: now).flatMap { $0.party == .row ? $0.end - now : nil }
    }

    /// How long it takes until a stop may begin, in milliseconds; `nil` when one may begin now.
    ///
    /// The queue ends an overdue stop of a row in its next turn. Until then no other stop begins.
    package func stopWait(at now: Int64) -> Int64? {
        if lapsedRowStop(at: now) != nil { return Self.longestStop }
        let end = max(restEnd, stop(at: now)?.end ?? .min)
        return end > now ? end - now : nil
    }

    /// How long it takes until a stop may begin for a suspect row that would keep other work waiting, in milliseconds;
    /// `nil` when it may begin now.
    package func forceWait(at now: Int64) -> Int64? {
        vainRestEnd > now ? max(vainRestEnd - now, stopWait(at: now) ?? 0) : stopWait(at: now)
    }

    // MARK: - Events

    /// Records that a drive begins that has so much time, in milliseconds; `nil` for a drive without an end.
    package mutating func driveBegan(with left: Int64?) { stopLength = Self.stopLength(with: left) }

    /// Records that a task collects drops from now on.
    package mutating func collectingBegan() { collectingCount += 1 }

    /// Records that a task has to wait before it collects.
    package mutating func collectingWaits() { stop?.isFelt = true }

    /// Records that a task has stopped collecting drops.
    /// - Returns: whether a suspect row waits for that.
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
