import DurableIO
import Synchronization

/// The waiting of a run that lasts, between the looks of its intake.
///
/// A watcher says when something may have come (``SpoolWatch``), and the next look follows 200 ms later, so that a storm
/// of drops is one batch. Without a word of the watcher, the next look comes after 15 minutes. What a look has left, it
/// looks at again sooner: after a second, then after twice as long each time, up to a minute.
final class Vigil: Sendable {
    private struct State {
        var watch: SpoolWatch?
        var hasTold = false
        /// How long the next wait is at most if the look has left something, in milliseconds.
        var nap = Vigil.shortestNap
        var hasLooked = false
    }

    private let intake: Intake
    private let handover: Handover
    private let options: WatchOptions
    private let state = Mutex(State())

    /// How long drops are gathered after the first one, in milliseconds.
    private static let gatheringTime: Int64 = 200
    /// How long the watcher is believed, in milliseconds: 15 minutes. Some file systems change without telling.
    private static let longestWait: Int64 = 900_000
    private static let shortestNap: Int64 = 1_000
    private static let longestNap: Int64 = 60_000
    /// The time between looks where there is no watcher, in milliseconds.
    private static let pollInterval: Int64 = 2_000
    /// How long a drop may take to become complete where only its age tells, in milliseconds.
    private static let youngNap: Int64 = 500
    /// How long a missing room may be the beginning of the removal of the whole spool, in milliseconds.
    private static let removalTime: Int64 = 1_000

    init(_ intake: Intake, _ handover: Handover, _ options: WatchOptions) {
        self.intake = intake
        self.handover = handover
        self.options = options
    }

    private var clock: any SystemClock { intake.spool.clock }

    /// Says that the loop of the intake is at work.
    func pulse() { options.onPulse() }

    // MARK: - Before a look

    /// Begins to watch, if nothing watches yet: what comes before the watch is found by the look that follows. Looks
    /// after the runs of programs, if something has happened there.
    /// - Returns: `false` when a room was removed or replaced. The run has to end then, and begin with new rooms.
    /// - Throws: ``ReportsError/Code/spoolNotUsable`` when the spool itself was.
    func mayLook() async throws -> Bool {
        pulse()
        guard intake.spool.hasItsRooms else {
            // The removal of a spool begins with what is in it.
            try? await clock.sleep(milliseconds: Self.removalTime)
            guard intake.spool.isInPlace else { throw intake.spool.goneError }
            return false
        }
        state.withLock { state in
            guard state.watch == nil else { return }
            do throws(FileSystemError) {
                state.watch = try SpoolWatch(
                    intake.spool, handover, intake.queue, settings: options.watcher, onEvent: intake.sender.onEvent)
            } catch {
                if !state.hasTold { intake.sender.onEvent(.notWatched(error.description)) }
                state.hasTold = true
            }
        }
        if handover.takeRunsChange() { intake.sweepRuns() }
        return true
    }

    // MARK: - After a look

    /// Notes that a look is over, and what it has found is brought in.
    func hasLooked(hasCome: Bool) {
        let isFirst = state.withLock { state in
            if hasCome { state.nap = Self.shortestNap }
            defer { state.hasLooked = true }
            return !state.hasLooked
        }
        if isFirst { options.onReady() }
    }

    /// Waits until something may have come, or it is time for another look.
    /// - Parameters:
    ///   - list: what the last look has left. The reasons are written into the ledger first, for readers.
    ///   - arrivals: ``Handover/arrivals`` before the last look.
    ///   - limit: the time until the next look that somebody else has planned, in milliseconds; `nil` for none.
    /// - Throws: the errors of the ledger.
    func keep(_ list: inout IntakeList, since arrivals: Handover.Arrivals, atMost limit: Int64?) async throws {
        try await list.endLook()
        await intake.sender.tellStanding()
        let end = clock.bootMilliseconds + wait(after: list.summary, atMost: limit ?? .max)
        while !Task.isCancelled, handover.arrivals == arrivals {
            let left = end - clock.bootMilliseconds
            guard left > 0 else { return }
            await handover.waitForArrival(
                since: arrivals, atMost: min(left, options.pulseInterval ?? .max), clock: clock)
            pulse()
        }
        guard handover.arrivals.outer > arrivals.outer else { return }
        state.withLock { $0.nap = Self.shortestNap }
        try? await clock.sleep(milliseconds: Self.gatheringTime)
    }

    private func wait(after summary: Intake.Summary, atMost limit: Int64) -> Int64 {
        state.withLock { state in
            if summary.young > 0 { return min(Self.youngNap, limit) }
            let longest = min(state.watch == nil ? Self.pollInterval : Self.longestWait, limit)
            let hasLeft = summary.skipped > 0 || summary.isOutOfSpace || summary.misplaced > 0
            guard hasLeft, state.nap < longest else { return longest }
            defer { state.nap = min(2 * state.nap, Self.longestNap) }
            return state.nap
        }
    }
}
