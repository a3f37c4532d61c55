import DurableIO
import Synchronization

/// The waiting of a run that lasts, between the looks of its intake.
///
/// A watcher says when something may have come (``SpoolWatch``), and the next look follows 200 ms later, so that a storm
/// of drops is one batch. Without a word of the watcher, the next look comes after 15 minutes. What a look has left, it
/// looks at again sooner: after a second, then after twice as long each time, up to a minute. For a drop that may be
/// complete in a moment, it looks twice a second before that, for 2.5 s at most.
final class Vigil: Sendable {
    private struct State {
        var watch: SpoolWatch?
        /// How long the next wait is at most if the look has left something, in milliseconds.
        var nap = Vigil.shortestNap
        /// Since when each look has found a drop that may be complete in a moment, on the boot clock in milliseconds.
        var youngSince: Int64?
        var hasLooked = false
        /// Whether it was told that there is too little space.
        var isFull = false
        /// How long it takes until the owner may end for another one, in milliseconds; `nil` while none is needed.
        var renewal: Int64?
    }

    private let intake: Intake
    private let handover: Handover
    private let options: WatchOptions
    private let runs: RunSweeps
    private let state = Mutex(State())

    /// How long drops are gathered after the first one, in milliseconds.
    private static let gatheringTime: Int64 = 200
    /// How long the watcher is believed, in milliseconds: 15 minutes. Some file systems change without telling.
    private static let longestWait: Int64 = 900_000
    private static let shortestNap: Int64 = 1_000
    private static let longestNap: Int64 = 60_000
    /// The time between looks where there is no watcher, in milliseconds.
    private static let pollInterval: Int64 = 2_000
    /// The time between looks while a drop may be complete in a moment, and for how long they are so frequent, in
    /// milliseconds. Then a program is likely to be writing it, for as long as it likes.
    private static let youngNap: Int64 = 500
    private static let youngPatience: Int64 = 2_500
    /// How long a missing room may be the beginning of the removal of the whole spool, in milliseconds.
    private static let removalTime: Int64 = 1_000

    init(_ intake: Intake, _ handover: Handover, _ options: WatchOptions) {
        self.intake = intake
        self.handover = handover
        self.options = options
        runs = RunSweeps(intake, handover, programLimit: options.programLimit)
    }

    private var clock: any SystemClock { intake.spool.clock }

    /// Says that the loop of the intake is at work.
    func pulse() { options.onPulse() }

    /// How long the loop may do nothing without saying so, in milliseconds.
    var pulseInterval: Int64 { options.pulseInterval ?? .max }

    // MARK: - Before a look

    /// Begins to watch, if nothing watches yet: what comes before the watch is found by the look that follows. Looks
    /// after the runs of programs, if something has happened there or has been left.
    /// - Parameter pace: gets the time for which runs were looked at in vain.
    /// - Returns: `false` when the owner has to end, and another one to begin: a room was removed or replaced, or files
    ///   and ledger have to be compared.
    /// - Throws: ``ReportsError/Code/spoolNotUsable`` when the spool itself was.
    func mayLook(_ pace: inout LookPace) async throws -> Bool {
        pulse()
        guard intake.spool.hasItsRooms else {
            // The removal of a spool begins with what is in it.
            try? await clock.sleep(milliseconds: Self.removalTime)
            guard intake.spool.isInPlace else { throw intake.spool.goneError }
            return false
        }
        if try await needsNewOwner() { return false }
        beginToWatch()
        pace.note(runs.lookIfDue(), at: clock.bootMilliseconds)
        return true
    }

    private func beginToWatch() {
        state.withLock { state in
            guard state.watch == nil else { return }
            let onEvent = intake.sender.onEvent
            do throws(FileSystemError) {
                state.watch = try SpoolWatch(intake.spool, handover, intake.queue, options, onEvent: onEvent)
            } catch {
                options.news.tell(error.description, onEvent)
            }
        }
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
        tellSpace(list.summary)
        await noteRenewal()
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
        let (now, sweep) = (clock.bootMilliseconds, runs.wait)
        return state.withLock { state in
            var longest = min(state.watch == nil ? Self.pollInterval : Self.longestWait, limit, sweep ?? .max)
            if let renewal = state.renewal, renewal > 0 { longest = min(longest, renewal) }
            state.youngSince = summary.young > 0 ? state.youngSince ?? now : nil
            if let since = state.youngSince, now - since < Self.youngPatience { return min(Self.youngNap, longest) }
            let hasLeft = summary.skipped > 0 || summary.young > 0 || state.isFull || state.renewal == 0
            guard hasLeft, state.nap < longest else { return longest }
            defer { state.nap = min(2 * state.nap, Self.longestNap) }
            return state.nap
        }
    }
}

// MARK: - Space, and what only another owner mends

extension Vigil {
    /// Why there is too little space for any report; `nil` if there is enough for a small one.
    private var spaceProblem: String? {
        do {
            try ReportCollector(spool: intake.spool).checkSpace(for: nil)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// Tells that something cannot be taken in for want of space, and that there is space again. Each is told once.
    private func tellSpace(_ summary: Intake.Summary) {
        let problem = spaceProblem
        let isFull = summary.isOutOfSpace || state.withLock(\.isFull) && problem != nil
        tell(isFull: isFull, problem)
    }

    private func tell(isFull: Bool, _ problem: String?) {
        let isNew = state.withLock { state in
            defer { state.isFull = isFull }
            return state.isFull != isFull
        }
        if isNew { intake.sender.onEvent(.noSpace(isFull ? problem ?? "the disk is full" : nil)) }
    }

    /// Whether something waits for the next owner, which compares all files with the ledger.
    private var isDistrusted: Bool {
        get async {
            if intake.sender.hasMisplacedFiles { return true }
            return await intake.queue.distrustsFiles
        }
    }

    private func noteRenewal() async {
        let wait = await isDistrusted ? options.renewals.wait(at: clock.bootMilliseconds) : nil
        state.withLock { $0.renewal = wait }
    }

    /// Whether this owner ends now, because only another one mends what is wrong. It stays while the disk is full: it
    /// can still send what has a row, and the next one could not do more.
    private func needsNewOwner() async throws -> Bool {
        guard await isDistrusted, options.renewals.wait(at: clock.bootMilliseconds) == 0, spaceProblem == nil else {
            return false
        }
        do {
            // A quota is not seen in the free space.
            try await intake.queue.change { _ in }
        } catch {
            guard SpoolErrors.isOutOfSpace(error) else { throw error }
            return false
        }
        let isSending = try await intake.queue.look {
            try !$0.page(of: .state(.sending), after: nil, limit: 1).isEmpty
        }
        guard options.renewals.mayEnd(at: clock.bootMilliseconds, isSending: isSending) else { return false }
        tell(isFull: false, nil)
        return true
    }
}
