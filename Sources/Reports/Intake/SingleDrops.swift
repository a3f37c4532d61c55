import Background
import DurableIO
import Synchronization

/// The single drops of an intake: the drops that it collects by themselves, one at a time. They are the large drops and
/// the suspect drops, which may have killed a process. The intake collects a large drop beside small drops, and a
/// suspect drop while no other drop is collected and no transfer is sent.
///
/// The intake writes into the ledger that a single drop is begun, before it reads the drop's first byte. If a deadline
/// or a crash stops the collecting, the drop stays in `taken/`. The next owner then knows that the drop was begun.
final class SingleDrops: Sendable {
    /// The identity of a drop, which stays the same when the drop is renamed.
    private struct Identity: Hashable {
        let inode: UInt64
        let size: UInt64
        let modified: Int64

        init(_ entry: DropOrder.Entry) { (inode, size, modified) = (entry.inode, entry.size, entry.modified) }
    }

    /// A failed try: the drop is still there.
    private struct Failure {
        let identity: Identity
        let summary: Intake.Summary
        /// When the drop may be tried again, on the boot clock in milliseconds: `same` holds for an unchanged drop, and
        /// `changed` for a drop that has changed.
        let nextTry: (same: Int64, changed: Int64)
    }

    private struct State {
        var underWay: Identity?
        /// A large drop that earlier owners have begun and not finished. It waits until it is time for such drops.
        var last: DropOrder.Entry?
        /// Before this time, no suspect drop is collected beside other work. On the boot clock, in milliseconds.
        var suspectsRestUntil: Int64 = 0
        var summary = Intake.Summary()
        /// The failed tries by the drop's inode, because a drop keeps its inode while a program writes to it.
        var failures: [UInt64: Failure] = [:]
    }

    private let intake: Intake
    private let handover: Handover
    private let state = Mutex(State())

    /// How long an unchanged drop waits after a try that has read it, in milliseconds: 10 minutes. Reading a large drop
    /// takes long, and the other drops must have their turn.
    private static let readPatience: Int64 = 600_000
    /// How long a drop waits that has changed after a try that has read it, in milliseconds: 10 s. The drop may change
    /// again during each try.
    private static let changePatience: Int64 = 10_000
    /// How long a drop waits after a try that could not begin to read it, in milliseconds: until the next look.
    private static let patience: Int64 = 1_000

    init(_ intake: Intake, _ handover: Handover) {
        self.intake = intake
        self.handover = handover
    }

    var isBusy: Bool { state.withLock { $0.underWay != nil } }

    /// Whether no single drop is being collected, and none waits for its time.
    var isIdle: Bool { state.withLock { $0.underWay == nil && $0.last == nil } }

    /// When the next of the failed drops may be tried again, on the boot clock in milliseconds; `nil` if there is none.
    /// Whether a drop has changed is seen only by a look.
    var nextTry: Int64? {
        let now = intake.spool.clock.bootMilliseconds
        return state.withLock { state in
            state.failures.values.lazy.flatMap { [$0.nextTry.changed, $0.nextTry.same] }.filter { $0 > now }.min()
        }
    }

    /// Whether this is the drop that is being collected, or the drop that waits for its time.
    func isUnderWay(_ entry: DropOrder.Entry) -> Bool {
        state.withLock { $0.underWay == Identity(entry) || $0.last.map(Identity.init) == Identity(entry) }
    }

    var suspectsRestUntil: Int64 { state.withLock(\.suspectsRestUntil) }

    /// The counts of what the single drops of this run have brought in.
    var summary: Intake.Summary { state.withLock(\.summary) }

    // MARK: - Choosing

    /// Chooses the next large drop, if no single drop is being collected. The caller then has to bring the chosen drop
    /// in.
    /// - Parameters:
    ///   - list: the list of the intake.
    ///   - isTimeForLast: whether the drop may be a drop that earlier owners have begun and not finished.
    /// - Returns: the drop; `nil` when no large drop may be collected now.
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
        // A drop that no owner has begun goes before `last`. Of the two drops, the one that is not returned here waits
        // again when the next look finds it.
        if last != nil, let fresh = drops.popLarge(), fresh.tries == 0 { return fresh }
        return last ?? drops.popLarge()
    }

    /// Chooses the next suspect drop, if no single drop is being collected. The caller then has to bring the chosen
    /// drop in.
    func chooseSuspect(from list: inout IntakeList) -> DropOrder.Entry? {
        guard !isBusy else { return nil }
        while let (entry, _) = list.suspects.popLast() {
            if begin(entry, &list.summary) { return entry }
        }
        return nil
    }

    /// Begins a try of a drop, unless the last try of this drop failed too short a time ago.
    /// - Returns: whether the try has begun. If not, the intake leaves the drop with the reason of the last try.
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

    /// Collects and enrols the chosen large drop.
    func bringIn(large entry: DropOrder.Entry) async throws {
        await intake.queue.beginCollecting()
        defer { intake.queue.endCollecting() }
        try await bringIn(entry)
    }

    /// Collects and enrols the chosen suspect drop while no other work goes on. If a transfer is still under way after
    /// `patience`, in milliseconds, the drop is collected beside that transfer. A server that hangs can keep a transfer
    /// under way for long.
    func bringIn(suspect entry: DropOrder.Entry, patience: Int64) async throws {
        let isAlone = await intake.queue.beginAlone(patience: patience)
        defer {
            intake.queue.endAlone()
            // While claims were stopped, the drive may have ended although transfers were due. This signal makes the
            // drive begin again.
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
