import Background
import DurableIO
import Logging

/// The intake of an owner: it turns drops and entries into stored reports with rows, and carries out orders.
///
/// A *source* is a file that the intake has to bring in: an entry in `collected/`, or a drop in `incoming/` or
/// `taken/`. A *look* lists the sources. When the intake brings a source in, the report is enrolled, or counted if the
/// spool has it already. When the intake cannot bring a source in, it *leaves* the source: the source stays where it
/// is, and the ledger gets the reason.
///
/// An error about one directory or source does not keep the intake from bringing in the other sources. Only an error of
/// the ledger ends a look.
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

    /// The size above which a drop is large, in bytes. The intake collects each large drop by itself.
    var largeDropByteCount: UInt64 { spool.options.largeDropByteCount ?? DropOrder.largeByteCount }

    package struct Summary: Hashable, Sendable {
        var enrolled = 0
        var duplicates = 0
        /// The number of reports that were evicted at once (``SpoolLimits/maximumPerSignature``).
        var braked = 0
        /// The number of sources that the intake has left or passed over at the last look.
        var skipped = 0
        /// The number of drops that may be complete in a moment.
        var young = 0
        /// The number of drops that a program has open for writing. They count as skipped.
        var beingWritten = 0
        var orders = 0
        /// Whether the intake has left a source because the disk had no space.
        var isOutOfSpace = false
        /// The number of reports that are in `queued/` without a row. The next owner finds them.
        var misplaced = 0
        /// The sources that the intake has left at the last look.
        var left: [Source] = []
        /// The places of all sources and orders that the last look has found. A file in another place came later.
        var seen: Set<Place> = []

        /// The number of reports and orders that the intake has brought in.
        var broughtInCount: Int { enrolled + duplicates + braked + orders }

        /// Resets the counts of sources that were left, because each look finds these sources again.
        mutating func beginLook() {
            (skipped, young, beingWritten, isOutOfSpace, left) = (0, 0, 0, false, [])
        }

        /// Adds what another part of the intake has brought in, and whether the disk had no space. Does not add the
        /// sources that were left, because each look counts them.
        mutating func add(_ other: Summary) {
            enrolled += other.enrolled
            duplicates += other.duplicates
            braked += other.braked
            orders += other.orders
            misplaced += other.misplaced
            isOutOfSpace = isOutOfSpace || other.isOutOfSpace
        }
    }

    /// The largest number of reports in a group, and the longest time to collect a group, in milliseconds. A group is
    /// enrolled in one commit.
    static let groupCount = 100
    static let groupTime: Int64 = 50

    /// Brings in the entries of producers and carries out the orders. Does not look at drops.
    func bringInPublished() async throws {
        var list = IntakeList(self)
        list.lookAtEntries()
        while try await list.bringInNext() {}
    }

    // MARK: - Enrolling

    /// Enrols a group of candidates, and leaves each source that failed, with its reason.
    func enrolGroup(
        _ candidates: [Enrolment.Candidate], syncing: Publication.GroupSync = .together, _ summary: inout Summary
    ) async throws {
        guard !candidates.isEmpty else { return }
        let result: Enrolment.Result
        do {
            let enrolment = Enrolment(
                spool: spool, queue: queue, marks: marks, locks: sender.locks, router: sender.router)
            result = try await enrolment.enrol(candidates, syncing: syncing)
        } catch is CancellationError {
            // The files have not been placed yet. All sources stay where they are, for the next owner.
            return
        } catch {
            guard SpoolErrors.isOutOfSpace(error) else { throw error }
            // All drops are still there. Some entries may be in `queued/` without a row, and the next owner finds them.
            // The queue can still deliver reports that have rows, and each delivery frees space.
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
        for (report, isKnown) in result.taken { sender.onEvent(.taken(report, isKnown: isKnown)) }
        note(braked: result.braked, &summary)
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

    private func note(braked: [String: Int], _ summary: inout Summary) {
        for (signature, count) in braked {
            summary.braked += count
            sender.countBraked(count)
            sender.onEvent(.braked(signature: signature, count: count))
            logger.notice(
                "Reports evicted",
                metadata: [
                    "signature": "\(signature)", "count": "\(count)",
                    "reason": "\(EndReason.signatureLimit.rawValue)",
                    "limit": "\(spool.options.limits.maximumPerSignature?.words ?? "")",
                ])
        }
    }

    /// Whether the candidate's entry was moved to `queued/`. There only the file's name identifies the report until it
    /// has a row.
    private func hasLeft(_ candidate: Enrolment.Candidate) -> Bool {
        guard case .entry(let entry) = candidate.source else { return false }
        return ((try? spool.files.metadata(of: entry, in: spool.collected)) ?? nil) == nil
    }
}
