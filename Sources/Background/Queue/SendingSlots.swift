import Synchronization

/// A drive's claims on their way, origin by origin: those that wait for a slot, and the attempts that have one.
///
/// As many attempts run side by side as an origin's window has slots. When one ends with a delivery, its slot takes the
/// next claim at once and none stands idle while a commit is on its way to the disk: what waits here is durably claimed
/// already. After any other end, and after a delivery whose answer asks to wait, nothing of that origin starts before the
/// queue has judged it.
final class SendingSlots: Sendable {
    /// Rows are claimed no faster than they are sent: ahead of its slots an origin has what they send in 25 ms, about as
    /// long as a commit takes on a busy disk, and 112 at most.
    private static let lookAhead = Duration.milliseconds(25)
    private static let lookAheadLimit = 112

    private struct Line {
        /// In their order; those before `next` are gone.
        var claims: [Claim] = []
        var next = 0
        var slots = 0
        var running = 0
        /// Ends that do not let the next claim go and that the queue has yet to judge.
        var unjudged = 0
        /// Whether nothing more was due when the queue looked last.
        var isDry = false
        /// Of an attempt that ended with a delivery, smoothed; `nil` before the first, and again after trouble.
        var duration: Duration?

        var waiting: ArraySlice<Claim> { claims[next...] }

        mutating func take() -> Claim? {
            guard unjudged == 0, running < slots, next < claims.count else { return nil }
            running += 1
            next += 1
            return claims[next - 1]
        }

        mutating func note(_ latest: Duration) {
            duration = duration.map { $0 + (latest - $0) / 8 } ?? latest
        }

        /// Whether the queue should look at once, and not when more has ended.
        var isHungry: Bool { isDry ? running == 0 : waiting.count < running / 2 || running < slots }
    }

    private struct State {
        var lines: [String: Line] = [:]
        var attempts: [Int64: Task<AttemptReport, Never>] = [:]
        /// Rows that are to end as soon as they have begun.
        var cancelled: Set<Int64> = []
        var isClosed = false
    }
    private let state = Mutex(State())

    // MARK: - For the queue

    func open() {
        state.withLock { $0.isClosed = false }
    }

    /// From here on nothing starts.
    func close() {
        state.withLock { $0.isClosed = true }
    }

    var origins: [String] { state.withLock { Array($0.lines.keys) } }

    /// How many claims an origin may have beyond its slots.
    func allowanceAhead(of origin: String, slots: Int) -> Int {
        let duration = state.withLock { $0.lines[origin]?.duration }
        guard let duration else { return 0 }
        return min(Int(Double(slots) * (Self.lookAhead / max(duration, .microseconds(1)))), Self.lookAheadLimit)
    }

    /// Claims that have not started. They will not, unless the origin's unjudged ends become judged.
    func waiting(of origin: String) -> [Claim] {
        state.withLock { Array($0.lines[origin]?.waiting ?? []) }
    }

    /// Forgets the claims that wait for a slot: they are not claimed any more.
    func withdraw(from origin: String) {
        state.withLock { state in
            guard var line = state.lines[origin] else { return }
            // Claimed again, they are to be sent.
            for claim in line.waiting { state.cancelled.remove(claim.record.rowID) }
            (line.claims, line.next, line.duration) = ([], 0, nil)
            state.lines[origin] = line
        }
    }

    /// The same for claims that stay claimed; for each of them an end will be judged.
    func abandon(at origin: String) -> [Claim] {
        let claims = waiting(of: origin)
        withdraw(from: origin)
        state.withLock { $0.lines[origin]?.unjudged += claims.count }
        return claims
    }

    /// What a commit has made of an origin.
    struct Change {
        /// In their order, behind those that wait already.
        var claims: [Claim] = []
        /// How many may run side by side.
        var slots = 0
        /// How many ends that did not let the next claim go are judged.
        var judged = 0
        /// Whether nothing more is due.
        var isDry = false
    }

    /// - Returns: what has to be started now, each claim in a slot of its own.
    func admit(_ change: Change, to origin: String) -> [Claim] {
        state.withLock { state in
            var line = state.lines[origin] ?? Line()
            (line.claims, line.next) = (Array(line.waiting) + change.claims, 0)
            line.slots = change.slots
            line.unjudged -= change.judged
            line.isDry = change.isDry
            var started: [Claim] = []
            while !state.isClosed, let claim = line.take() { started.append(claim) }
            state.lines[origin] = line
            return started
        }
    }

    /// Ends an attempt, or keeps it from being more than a beginning.
    func cancel(_ row: Int64) {
        let attempt = state.withLock { state in
            state.cancelled.insert(row)
            return state.attempts[row]
        }
        attempt?.cancel()
    }

    // MARK: - For the slots

    /// An attempt has begun.
    func began(_ attempt: Task<AttemptReport, Never>, of row: Int64) {
        let isCancelled = state.withLock { state in
            state.attempts[row] = attempt
            return state.cancelled.contains(row)
        }
        if isCancelled { attempt.cancel() }
    }

    /// An attempt has ended.
    /// - Returns: what its slot sends next, and whether the queue should hear of the end at once.
    func ended(_ finished: TransferQueue.FinishedAttempt, after duration: Duration) -> (next: Claim?, isUrgent: Bool) {
        let letsNextGo = finished.report.letsNextGo
        return state.withLock { state in
            state.attempts[finished.claim.record.rowID] = nil
            state.cancelled.remove(finished.claim.record.rowID)
            guard var line = state.lines[finished.origin] else { return (nil, true) }
            defer { state.lines[finished.origin] = line }
            line.running -= 1
            guard letsNextGo else {
                line.unjudged += 1
                return (nil, true)
            }
            line.note(duration)
            return (state.isClosed ? nil : line.take(), line.isHungry)
        }
    }
}
