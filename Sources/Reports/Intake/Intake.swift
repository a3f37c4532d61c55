import Background
import DurableIO
import Logging

/// The owner's way in: what lies in `taken/`, `collected/` and `incoming/` becomes stored reports with rows.
///
/// A room, drop or entry that gives trouble stays as it is, with its reason in the ledger, and keeps no other from coming
/// in. Only trouble with the ledger itself ends a look.
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

    package struct Outcome: Hashable, Sendable {
        var enrolled = 0
        var duplicates = 0
        /// Sources that were left where they are, and not for the first time only.
        var skipped = 0
        /// Drops that may be complete in a moment.
        var young = 0
        var requests = 0
        /// Something was left where it lies for want of space.
        var isOutOfSpace = false
        /// Reports that wait for the next owner to find them in `queued/`.
        var misplaced = 0

        var isIdle: Bool { enrolled == 0 && duplicates == 0 && requests == 0 }

        static func += (left: inout Outcome, right: Outcome) {
            left.enrolled += right.enrolled
            left.duplicates += right.duplicates
            left.requests += right.requests
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
    package func run() async throws -> Outcome {
        var outcome = Outcome()
        left.beginLook()
        try await takeUp(&outcome)
        try await takeEntries(&outcome)
        try await takeDrops(&outcome)
        guard !Task.isCancelled else { return outcome }
        do {
            try await left.endLook(queue)
        } catch {
            // The reasons are told by a later look.
            guard SpoolErrors.isOutOfSpace(error) else { throw error }
        }
        return outcome
    }

    /// Only what other processes published, drops left alone.
    func takePublished() async throws {
        var outcome = Outcome()
        try await takeEntries(&outcome)
    }

    // MARK: - Drops

    /// Drops an earlier owner had renamed away.
    private func takeUp(_ outcome: inout Outcome) async throws {
        let zone = DropZone(spool: spool)
        var group = Group()
        for (room, name) in listed("taken", &outcome, { () throws(FileSystemError) in try zone.takenNames() }) {
            if Task.isCancelled { break }
            let path = "\(room.rawValue)/\(name.entry)"
            do {
                let facts = try spool.files.metadata(of: name.entry, in: zone.directory(of: room))
                if isLeft(path, facts, unlink: (name.entry, zone.directory(of: room)), &outcome) { continue }
                switch try zone.reopen(name, in: room) {
                case .taken(let drop): try await collect(drop, into: &group, &outcome)
                case .notNow(let standing): count(standing, path, facts, &outcome)
                }
            } catch let error as FileSystemError {
                leave(path, nil, .notTaken(DropZone.unreadable(error)), &outcome)
            }
        }
        try await enrol(&group, &outcome)
    }

    private func takeDrops(_ outcome: inout Outcome) async throws {
        let zone = DropZone(spool: spool)
        var group = Group()
        for drop in listed("incoming", &outcome, { () throws(FileSystemError) in try zone.drops() }) {
            if Task.isCancelled { break }
            do {
                try ReportCollector(spool: spool).checkSpace(for: drop.facts)
                switch try zone.take(drop) {
                case .taken(let taken): try await collect(taken, into: &group, &outcome)
                case .notNow(let standing): count(standing, drop.path, drop.facts, &outcome)
                }
            } catch let problem as PayloadProblem {
                if case .noSpace = problem { outcome.isOutOfSpace = true }
                leave(drop.path, drop.facts, .notTaken(problem.description), &outcome)
            } catch let error as FileSystemError {
                if error.isOutOfSpace { outcome.isOutOfSpace = true }
                leave(drop.path, drop.facts, .notTaken(DropZone.words(error)), &outcome)
            }
        }
        try await enrol(&group, &outcome)
    }

    /// A room that cannot be listed keeps no other from being looked at.
    func listed<Element>(
        _ room: String, _ outcome: inout Outcome, _ list: () throws(FileSystemError) -> [Element]
    ) -> [Element] {
        do throws(FileSystemError) {
            return try list()
        } catch {
            logger.warning("Room not listed", metadata: ["room": "\(room)", "error": "\(error)"])
            outcome.skipped += 1
            return []
        }
    }

    struct Group {
        var candidates: [Enrolment.Candidate] = []
        var startedAt: Int64 = 0
        /// Entries that were looked at and stay, so that they are not met again in this look.
        var staying: Set<EntryName> = []
    }

    private func collect(
        _ taken: consuming DropZone.Taken, into group: inout Group, _ outcome: inout Outcome
    ) async throws {
        let drop = taken.drop
        let candidate: Enrolment.Candidate
        do {
            let collector = ReportCollector(spool: spool)
            try collector.checkSpace(for: drop.facts)
            let description = ReportCollector.Description(name: drop.name.dropped.bytes, source: drop.mark)
            let collected = try collector.collect(
                .file(taken.file, facts: drop.facts), as: description, endsWithTask: true)
            candidate = Enrolment.Candidate(
                report: collected.report, origin: .publication(collected.publication), drop: drop)
        } catch is CancellationError {
            // It stays in `taken/`, for the next owner.
            return
        } catch let problem as PayloadProblem {
            switch problem {
            case .changed: outcome.young += 1
            case .noSpace:
                outcome.isOutOfSpace = true
                leave(drop.path, drop.facts, .notTaken(problem.description), &outcome)
            case .tooLarge, .tooLargeInAll:
                leave(drop.path, drop.facts, .notCollected(problem.description), &outcome)
            }
            return
        } catch let error as FileSystemError {
            if error.isOutOfSpace { outcome.isOutOfSpace = true }
            let isRead = error.operation == .read && !error.isPassing
            leave(
                drop.path, drop.facts, isRead ? .notCollected(DropZone.unreadable(error)) : .notTaken("\(error)"),
                &outcome)
            return
        } catch {
            return leave(drop.path, drop.facts, .notCollected("cannot be stored: \(error)"), &outcome)
        }
        try await add(candidate, to: &group, &outcome)
    }

    func add(
        _ candidate: Enrolment.Candidate, to group: inout Group, _ outcome: inout Outcome
    ) async throws {
        if group.candidates.isEmpty { group.startedAt = spool.clock.bootMilliseconds }
        group.candidates.append(candidate)
        let age = spool.clock.bootMilliseconds - group.startedAt
        if group.candidates.count >= Self.groupCount || age >= Self.groupTime { try await enrol(&group, &outcome) }
    }

    func enrol(_ group: inout Group, _ outcome: inout Outcome) async throws {
        guard !group.candidates.isEmpty else { return }
        let candidates = group.candidates
        group.candidates = []
        let result: Enrolment.Outcome
        do {
            result = try await Enrolment(spool: spool, queue: queue, marks: marks, turns: sender.turns).enrol(
                candidates)
        } catch {
            guard SpoolErrors.isOutOfSpace(error) else { throw error }
            // Drops are still there; entries may lie in `queued/` without a row, for the next owner to find. What is
            // queued can be delivered, which frees space.
            await queue.distrustFiles()
            logger.warning("No space to take reports in", metadata: ["error": "\(error)"])
            outcome.isOutOfSpace = true
            outcome.misplaced += candidates.count { hasLeft($0) }
            outcome.skipped += candidates.count { $0.drop != nil }
            return
        }
        outcome.enrolled += result.enrolled
        outcome.duplicates += result.duplicates
        outcome.misplaced += result.misplaced
        if result.needsReconciling { await queue.distrustFiles() }
        for (candidate, error) in result.failures {
            if error.isOutOfSpace { outcome.isOutOfSpace = true }
            leave(candidate, .notTaken("cannot be stored: \(error): \(SpoolErrors.advice(error))"), &group, &outcome)
        }
        for (candidate, error) in result.unreleased {
            let reason = "is taken in and cannot be removed: \(error.errno): \(SpoolErrors.advice(error))"
            leave(candidate, .notUnlinked(reason, mark: candidate.mark ?? ""), &group, &outcome)
        }
    }

    /// Whether an entry was moved to `queued/`, where nothing but its name tells of it until a row does.
    private func hasLeft(_ candidate: Enrolment.Candidate) -> Bool {
        guard case .entry(let entry) = candidate.origin else { return false }
        return ((try? spool.files.metadata(of: entry, in: spool.collected)) ?? nil) == nil
    }

    private func count(_ standing: DropZone.Standing, _ path: String, _ facts: FileMetadata?, _ outcome: inout Outcome)
    {
        switch standing {
        case .ready: break
        case .young, .beingTaken: outcome.young += 1
        case .beingWritten: outcome.skipped += 1
        case .skipped(let reason): leave(path, facts, .notTaken(reason), &outcome)
        }
    }
}
