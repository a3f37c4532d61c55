import Background
import DurableIO
import Logging

/// The owner's way in: what lies in `taken/`, `collected/` and `incoming/` becomes stored reports with rows.
///
/// A room, drop or entry that gives trouble stays as it is, with its reason in the ledger, and keeps no other from
/// coming in. Only trouble with the ledger itself ends a look.
package struct Intake: Sendable {
    let spool: ReportSpool
    let queue: TransferQueue
    let sender: ReportSender
    let marks: SourceMarks
    let left: LeftSources
    let logger: Logger

    package init(_ owner: SpoolOwner) {
        spool = owner.spool
        queue = owner.queue
        sender = owner.sender
        marks = owner.marks
        left = owner.left
        logger = owner.logger
    }

    /// A drop with more bytes is collected by itself.
    var largeDropByteCount: UInt64 { spool.options.largeDropByteCount ?? DropOrder.largeByteCount }

    package struct Summary: Hashable, Sendable {
        var enrolled = 0
        var duplicates = 0
        /// Sources that were left where they are, and not for the first time only.
        var skipped = 0
        /// Drops that may be complete in a moment.
        var young = 0
        var orders = 0
        /// Something was left where it lies for want of space.
        var isOutOfSpace = false
        /// Reports that wait for the next owner to find them in `queued/`.
        var misplaced = 0
        /// The sources that were left where they are, with a reason.
        var left: [Source] = []
        /// The names of all that lay there at the last look: whatever else is there came later.
        var seen: Set<EntryName> = []

        /// How much has come in, of any kind.
        var broughtInCount: Int { enrolled + duplicates + orders }

        /// What could not be taken is a state, not an event: each look finds it anew.
        mutating func beginLook() {
            (skipped, young, isOutOfSpace, left) = (0, 0, false, [])
        }

        /// Adds what came in elsewhere, and whether space was short; what stays each look counts for itself.
        mutating func add(_ other: Summary) {
            enrolled += other.enrolled
            duplicates += other.duplicates
            orders += other.orders
            misplaced += other.misplaced
            isOutOfSpace = isOutOfSpace || other.isOutOfSpace
        }
    }

    /// A group is committed together: at most so many reports, and as many as come in so many milliseconds.
    static let groupCount = 100
    static let groupTime: Int64 = 50

    /// Only what other processes published, drops left alone.
    func bringInPublished() async throws {
        var list = IntakeList(self)
        list.lookAtEntries()
        while try await list.bringInNext() {}
    }

    // MARK: - Enrolling

    /// Enrols a group, and tells of each of its sources that stays.
    func enrolGroup(
        _ candidates: [Enrolment.Candidate], syncing: Publication.GroupSync = .together, _ summary: inout Summary
    ) async throws {
        guard !candidates.isEmpty else { return }
        let result: Enrolment.Result
        do {
            let enrolment = Enrolment(spool: spool, queue: queue, marks: marks, locks: sender.locks)
            result = try await enrolment.enrol(candidates, syncing: syncing)
        } catch is CancellationError {
            // Nothing has been placed yet: all of them stay where they lie, for the next owner.
            return
        } catch {
            guard SpoolErrors.isOutOfSpace(error) else { throw error }
            // Drops are still there; entries may lie in `queued/` without a row, for the next owner to find. What is
            // queued can be delivered, which frees space.
            await queue.distrustFiles()
            logger.warning("No space to take reports in", metadata: ["error": "\(error)"])
            summary.isOutOfSpace = true
            summary.misplaced += candidates.count { hasLeft($0) }
            summary.skipped += candidates.count { $0.drop != nil }
            return
        }
        summary.enrolled += result.enrolled
        summary.duplicates += result.duplicates
        summary.misplaced += result.misplaced
        if result.needsReconciling { await queue.distrustFiles() }
        for (candidate, error) in result.failures {
            if error.isOutOfSpace { summary.isOutOfSpace = true }
            leave(candidate, .notTaken("cannot be stored: \(error): \(SpoolErrors.advice(error))"), &summary)
        }
        for (candidate, error) in result.unreleased {
            let reason = "is taken in and cannot be removed: \(error.errno): \(SpoolErrors.advice(error))"
            leave(candidate, .notUnlinked(reason, mark: candidate.mark ?? ""), &summary)
        }
    }

    /// Whether an entry was moved to `queued/`, where nothing but its name tells of it until a row does.
    private func hasLeft(_ candidate: Enrolment.Candidate) -> Bool {
        guard case .entry(let entry) = candidate.source else { return false }
        return ((try? spool.files.metadata(of: entry, in: spool.collected)) ?? nil) == nil
    }
}
