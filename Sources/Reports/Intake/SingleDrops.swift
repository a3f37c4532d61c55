import Background
import DurableIO
import Synchronization

/// The drops that an intake collects by themselves, one at a time: large ones, beside the small ones, and those that
/// may have killed a process, with nothing beside them.
///
/// Each is begun in the ledger before its first byte is read. One that a deadline or a crash cuts stays in `taken/`,
/// and the next owner knows that it was begun.
final class SingleDrops: Sendable {
    /// By what a drop is known again, also when it was renamed away meanwhile.
    private struct Identity: Hashable {
        let inode: UInt64
        let size: UInt64
        let modified: Int64

        init(_ entry: DropOrder.Entry) { (inode, size, modified) = (entry.inode, entry.size, entry.modified) }
    }

    /// A try after which the drop is still there.
    private struct Failure {
        let identity: Identity
        let summary: Intake.Summary
        /// When it may be tried again, on the boot clock in milliseconds: as it was, and when it has changed.
        let nextTry: (same: Int64, changed: Int64)
    }

    private struct State {
        var underWay: Identity?
        /// A large one that earlier lives did not finish, and that waits for its time.
        var last: DropOrder.Entry?
        /// Before this time on the boot clock no suspect goes beside what is under way.
        var suspectsRestUntil: Int64 = 0
        var summary = Intake.Summary()
        /// By inode: a drop that is written on stays the same one.
        var failures: [UInt64: Failure] = [:]
    }

    private let intake: Intake
    private let handover: Handover
    private let state = Mutex(State())

    /// A drop that was read in vain is not read again before so many milliseconds have passed: 10 minutes. It takes
    /// long, and the others are to have their turn.
    private static let readPatience: Int64 = 600_000
    /// The same for one that has changed since: 10 s. It may change at each try.
    private static let changePatience: Int64 = 10_000
    /// One that could not be read yet is tried again at each look.
    private static let patience: Int64 = 1_000

    init(_ intake: Intake, _ handover: Handover) {
        self.intake = intake
        self.handover = handover
    }

    var isBusy: Bool { state.withLock { $0.underWay != nil } }

    /// Whether nothing is under way, and nothing waits for its time.
    var isIdle: Bool { state.withLock { $0.underWay == nil && $0.last == nil } }

    /// Whether it is this drop that is being collected, or waits for its time.
    func isUnderWay(_ entry: DropOrder.Entry) -> Bool {
        state.withLock { $0.underWay == Identity(entry) || $0.last.map(Identity.init) == Identity(entry) }
    }

    var suspectsRestUntil: Int64 { state.withLock(\.suspectsRestUntil) }

    /// What came in of all of them.
    var summary: Intake.Summary { state.withLock(\.summary) }

    // MARK: - Choosing

    /// Chooses the next large one, if none is under way. It is to be brought in.
    /// - Parameters:
    ///   - list: what the intake has before it.
    ///   - isTimeForLast: whether it may be one that earlier lives began and did not finish.
    /// - Returns: `nil` when there is none whose time has come.
    func chooseLarge(from list: inout IntakeList, isTimeForLast: Bool) -> DropOrder.Entry? {
        guard !isBusy else { return nil }
        while let entry = nextLarge(of: &list.drops) {
            if entry.tries > 0, !isTimeForLast {
                state.withLock { $0.last = entry }
                return nil
            }
            if begin(entry, &list.summary) { return entry }
        }
        return nil
    }

    private func nextLarge(of drops: inout DropOrder) -> DropOrder.Entry? {
        let last = state.withLock { state in
            defer { state.last = nil }
            return state.last
        }
        // A fresh one goes first; the other is found again by the next look.
        if last != nil, let fresh = drops.popLarge(), fresh.tries == 0 { return fresh }
        return last ?? drops.popLarge()
    }

    /// Chooses the next of those that may have killed a process. It is to be brought in.
    func chooseSuspect(from list: inout IntakeList) -> DropOrder.Entry? {
        guard !isBusy else { return nil }
        while let (entry, _) = list.suspects.popLast() {
            if begin(entry, &list.summary) { return entry }
        }
        return nil
    }

    /// - Returns: whether it may be tried now. If not, what was told of it then is told again.
    private func begin(_ entry: DropOrder.Entry, _ summary: inout Intake.Summary) -> Bool {
        let now = intake.spool.clock.bootMilliseconds
        let failure = state.withLock { state -> Failure? in
            if let failure = state.failures[entry.inode] {
                let isSame = failure.identity == Identity(entry)
                if now < (isSame ? failure.nextTry.same : failure.nextTry.changed) { return failure }
            }
            state.underWay = Identity(entry)
            return nil
        }
        guard let failure else { return true }
        summary.young += failure.summary.young
        summary.isOutOfSpace = summary.isOutOfSpace || failure.summary.isOutOfSpace
        if let cause = intake.left.cause(of: Intake.Source(entry).key) {
            intake.leave(Intake.Source(entry), cause, &summary)
        } else {
            summary.skipped += failure.summary.skipped
        }
        return false
    }

    // MARK: - Bringing in

    /// Collects and enrols the chosen large one.
    func bringIn(large entry: DropOrder.Entry) async throws {
        await intake.queue.beginCollecting()
        defer { intake.queue.endCollecting() }
        try await bringIn(entry)
    }

    /// Collects and enrols the chosen suspect while nothing else happens. Where something stays under way for so many
    /// milliseconds, as a transfer does whose server hangs, the drop is collected beside it.
    func bringIn(suspect entry: DropOrder.Entry, patience: Int64) async throws {
        let isAlone = await intake.queue.beginAlone(patience: patience)
        defer {
            intake.queue.endAlone()
            // A drive that could claim nothing meanwhile has ended with transfers that are due.
            handover.broughtIn()
        }
        if !isAlone {
            let restEnd = intake.spool.clock.bootMilliseconds + Solitude.longestStop
            state.withLock { $0.suspectsRestUntil = restEnd }
        }
        try await bringIn(entry)
    }

    private func bringIn(_ entry: DropOrder.Entry) async throws {
        var summary = Intake.Summary()
        var wasRead = false
        defer { ended(entry, summary, wasRead: wasRead) }
        wasRead = try await intake.bringIn(begun: entry, &summary)
    }

    private func ended(_ entry: DropOrder.Entry, _ summary: Intake.Summary, wasRead: Bool) {
        let now = intake.spool.clock.bootMilliseconds
        var events = summary
        events.isOutOfSpace = false
        state.withLock { [events] state in
            state.underWay = nil
            state.summary.add(events)
            state.failures = state.failures.filter { now < $0.value.nextTry.same }
            if summary.broughtInCount == 0 {
                let (same, changed) =
                    wasRead ? (Self.readPatience, Self.changePatience) : (Self.patience, Self.patience)
                state.failures[entry.inode] = Failure(
                    identity: Identity(entry), summary: summary, nextTry: (now + same, now + changed))
            }
        }
        if summary.broughtInCount > 0 { handover.broughtIn() }
        handover.singleDropEnded()
    }
}
