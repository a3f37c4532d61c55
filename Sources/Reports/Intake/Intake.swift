import Background
import DurableIO
import Logging

/// The owner's way in: what lies in `taken/`, `collected/` and `incoming/` becomes stored reports with rows.
///
/// A room, drop or entry that gives trouble stays as it is, with its reason in the ledger, and keeps no other from
/// coming in. Only trouble with the ledger itself ends a look.
package struct Intake {
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

        var isIdle: Bool { enrolled == 0 && duplicates == 0 && orders == 0 }

        static func += (left: inout Summary, right: Summary) {
            left.enrolled += right.enrolled
            left.duplicates += right.duplicates
            left.orders += right.orders
            left.misplaced += right.misplaced
            // What could not be taken is a state, not an event.
            left.skipped = right.skipped
            left.young = right.young
            left.isOutOfSpace = right.isOutOfSpace
        }
    }

    /// A group is committed together: at most so many reports, and as many as come in so many milliseconds.
    static let groupCount = 100
    private static let groupTime: Int64 = 50

    /// One look at all that waits to come in.
    package func run() async throws -> Summary {
        var summary = Summary()
        left.beginLook()
        try await bringInTaken(&summary)
        try await bringInEntries(&summary)
        try await bringInDrops(&summary)
        guard !Task.isCancelled else { return summary }
        do {
            try await left.endLook(queue)
        } catch {
            // The reasons are told by a later look.
            guard SpoolErrors.isOutOfSpace(error) else { throw error }
        }
        return summary
    }

    /// Only what other processes published, drops left alone.
    func bringInPublished() async throws {
        var summary = Summary()
        try await bringInEntries(&summary)
    }

    // MARK: - Drops

    /// Drops an earlier owner had renamed away.
    private func bringInTaken(_ summary: inout Summary) async throws {
        let zone = DropZone(spool: spool)
        var group = Group()
        for (room, name) in listed("taken", &summary, { () throws(FileSystemError) in try zone.takenNames() }) {
            if Task.isCancelled { break }
            let path = "\(room.rawValue)/\(name.entry)"
            do {
                let facts = try spool.files.metadata(of: name.entry, in: zone.directory(of: room))
                if isLeft(path, facts, unlink: (name.entry, zone.directory(of: room)), &summary) { continue }
                switch try zone.reopen(name, in: room) {
                case .taken(let drop): try await bringIn(drop, into: &group, &summary)
                case .notNow(let readiness): count(readiness, path, facts, &summary)
                }
            } catch let error as FileSystemError {
                leave(path, nil, .notTaken(DropZone.unreadable(error)), &summary)
            }
        }
        try await enrolGroup(&group, &summary)
    }

    private func bringInDrops(_ summary: inout Summary) async throws {
        let zone = DropZone(spool: spool)
        var group = Group()
        for drop in listed("incoming", &summary, { () throws(FileSystemError) in try zone.drops() }) {
            if Task.isCancelled { break }
            do {
                try ReportCollector(spool: spool).checkSpace(for: drop.facts)
                switch try zone.take(drop) {
                case .taken(let taken): try await bringIn(taken, into: &group, &summary)
                case .notNow(let readiness): count(readiness, drop.path, drop.facts, &summary)
                }
            } catch let problem as PayloadProblem {
                if case .noSpace = problem { summary.isOutOfSpace = true }
                leave(drop.path, drop.facts, .notTaken(problem.description), &summary)
            } catch let error as FileSystemError {
                if error.isOutOfSpace { summary.isOutOfSpace = true }
                leave(drop.path, drop.facts, .notTaken(DropZone.words(error)), &summary)
            }
        }
        try await enrolGroup(&group, &summary)
    }

    /// A room that cannot be listed keeps no other from being looked at.
    func listed<Element>(
        _ room: String, _ summary: inout Summary, _ list: () throws(FileSystemError) -> [Element]
    ) -> [Element] {
        do throws(FileSystemError) {
            return try list()
        } catch {
            logger.warning("Room not listed", metadata: ["room": "\(room)", "error": "\(error)"])
            summary.skipped += 1
            return []
        }
    }

    struct Group {
        var candidates: [Enrolment.Candidate] = []
        var startedAt: Int64 = 0
        /// Entries that were looked at and stay, so that they are not met again in this look.
        var staying: Set<EntryName> = []
    }

    private func bringIn(
        _ taken: consuming DropZone.Taken, into group: inout Group, _ summary: inout Summary
    ) async throws {
        let drop = taken.drop
        let candidate: Enrolment.Candidate
        do {
            let collector = ReportCollector(spool: spool)
            try collector.checkSpace(for: drop.facts)
            let description = ReportCollector.Description(name: drop.name.dropped.bytes, source: drop.mark)
            // Nothing is sent before all is taken in, so that nothing else may keep a drop waiting.
            let slot = try await PayloadSlots.shared.slot(for: drop.facts.size, goesFirst: true)
            let collected = try collector.collect(
                .file(taken.file, facts: drop.facts), as: description, betweenBlocks: { slot.pause() })
            candidate = Enrolment.Candidate(
                report: collected.report, source: .publication(collected.publication), drop: drop)
        } catch is CancellationError {
            // It stays in `taken/`, for the next owner.
            return
        } catch let problem as PayloadProblem {
            switch problem {
            case .changed: summary.young += 1
            case .noSpace:
                summary.isOutOfSpace = true
                leave(drop.path, drop.facts, .notTaken(problem.description), &summary)
            case .tooLarge, .tooLargeInAll:
                leave(drop.path, drop.facts, .notCollected(problem.description), &summary)
            }
            return
        } catch let error as FileSystemError {
            if error.isOutOfSpace { summary.isOutOfSpace = true }
            let isRead = error.operation == .read && !error.isPassing
            leave(
                drop.path, drop.facts, isRead ? .notCollected(DropZone.unreadable(error)) : .notTaken("\(error)"),
                &summary)
            return
        } catch {
            return leave(drop.path, drop.facts, .notCollected("cannot be stored: \(error)"), &summary)
        }
        try await add(candidate, to: &group, &summary)
    }

    func add(
        _ candidate: Enrolment.Candidate, to group: inout Group, _ summary: inout Summary
    ) async throws {
        if group.candidates.isEmpty { group.startedAt = spool.clock.bootMilliseconds }
        group.candidates.append(candidate)
        let age = spool.clock.bootMilliseconds - group.startedAt
        if group.candidates.count >= Self.groupCount || age >= Self.groupTime { try await enrolGroup(&group, &summary) }
    }

    func enrolGroup(_ group: inout Group, _ summary: inout Summary) async throws {
        guard !group.candidates.isEmpty else { return }
        let candidates = group.candidates
        group.candidates = []
        let result: Enrolment.Result
        do {
            result = try await Enrolment(spool: spool, queue: queue, marks: marks, locks: sender.locks).enrol(
                candidates)
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
            leave(candidate, .notTaken("cannot be stored: \(error): \(SpoolErrors.advice(error))"), &group, &summary)
        }
        for (candidate, error) in result.unreleased {
            let reason = "is taken in and cannot be removed: \(error.errno): \(SpoolErrors.advice(error))"
            leave(candidate, .notUnlinked(reason, mark: candidate.mark ?? ""), &group, &summary)
        }
    }

    /// Whether an entry was moved to `queued/`, where nothing but its name tells of it until a row does.
    private func hasLeft(_ candidate: Enrolment.Candidate) -> Bool {
        guard case .entry(let entry) = candidate.source else { return false }
        return ((try? spool.files.metadata(of: entry, in: spool.collected)) ?? nil) == nil
    }

    private func count(
        _ readiness: DropZone.Readiness, _ path: String, _ facts: FileMetadata?, _ summary: inout Summary
    ) {
        switch readiness {
        case .ready: break
        case .young, .beingTaken: summary.young += 1
        case .beingWritten: summary.skipped += 1
        case .skipped(let reason): leave(path, facts, .notTaken(reason), &summary)
        }
    }
}
