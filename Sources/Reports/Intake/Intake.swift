import Background
import DurableIO
import Logging

/// The owner's way in: what lies in `taken/`, `collected/` and `incoming/` becomes stored reports with rows.
package struct Intake {
    let spool: ReportSpool
    let queue: TransferQueue
    let sender: ReportSender
    let marks: SourceMarks
    let logger: Logger

    package init(_ owner: SpoolOwner) {
        spool = owner.spool
        queue = owner.queue
        sender = owner.sender
        marks = owner.marks
        logger = owner.logger
    }

    package struct Outcome: Hashable, Sendable {
        var enrolled = 0
        var duplicates = 0
        /// Drops that were not taken, by reason, and not for the first time only.
        var skipped = 0
        /// Drops that may be complete in a moment.
        var young = 0
        var requests = 0
        /// Something was left where it lies for want of space.
        var isOutOfSpace = false

        var isIdle: Bool { enrolled == 0 && duplicates == 0 && requests == 0 }

        static func += (left: inout Outcome, right: Outcome) {
            left.enrolled += right.enrolled
            left.duplicates += right.duplicates
            left.requests += right.requests
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
        try await takeUp(&outcome)
        try await takeEntries(&outcome)
        try await takeDrops(&outcome)
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
        for name in try spool.files.entries(of: spool.taken) {
            if Task.isCancelled { break }
            switch try zone.reopen(name) {
            case .taken(let drop): try await collect(drop, into: &group, &outcome)
            case .notNow(let standing): count(standing, &outcome)
            }
        }
        try await enrol(&group, &outcome)
    }

    private func takeDrops(_ outcome: inout Outcome) async throws {
        let zone = DropZone(spool: spool)
        var group = Group()
        for drop in try zone.drops() {
            if Task.isCancelled { break }
            do {
                try ReportCollector(spool: spool).checkSpace(for: drop.facts.size)
            } catch let problem as PayloadProblem {
                note(drop.name, problem.description)
                if case .noSpace = problem { outcome.isOutOfSpace = true }
                outcome.skipped += 1
                continue
            }
            switch try zone.take(drop) {
            case .taken(let taken): try await collect(taken, into: &group, &outcome)
            case .notNow(let standing): count(standing, &outcome)
            }
        }
        try await enrol(&group, &outcome)
    }

    private struct Group {
        var candidates: [Enrolment.Candidate] = []
        var startedAt: Int64 = 0
    }

    private func collect(
        _ drop: consuming DropZone.Taken, into group: inout Group, _ outcome: inout Outcome
    ) async throws {
        let (name, facts) = (drop.name, drop.facts)
        let candidate: Enrolment.Candidate
        do {
            try ReportCollector(spool: spool).checkSpace(for: facts.size)
            let description = ReportCollector.Description(name: name.bytes, source: SourceMark.of(taken: facts))
            let collected = try ReportCollector(spool: spool).collect(
                .file(drop.file, facts: facts), as: description)
            candidate = Enrolment.Candidate(
                report: collected.report, origin: .publication(collected.publication), drop: (name, facts))
        } catch let problem as PayloadProblem {
            // Stays in `taken/` and is read again at the next look.
            note(name, problem.description)
            if case .changed = problem { outcome.young += 1 } else { outcome.skipped += 1 }
            return
        } catch let error as FileSystemError where error.isOutOfSpace || error.operation == .read {
            note(name, error.description)
            outcome.skipped += 1
            return
        }
        try await add(candidate, to: &group, &outcome)
    }

    private func add(
        _ candidate: Enrolment.Candidate, to group: inout Group, _ outcome: inout Outcome
    ) async throws {
        if group.candidates.isEmpty { group.startedAt = spool.clock.bootMilliseconds }
        group.candidates.append(candidate)
        let age = spool.clock.bootMilliseconds - group.startedAt
        if group.candidates.count >= Self.groupCount || age >= Self.groupTime { try await enrol(&group, &outcome) }
    }

    private func enrol(_ group: inout Group, _ outcome: inout Outcome) async throws {
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
            outcome.skipped += candidates.count
            return
        }
        outcome.enrolled += result.enrolled
        outcome.duplicates += result.duplicates
    }

    private func count(_ standing: DropZone.Standing, _ outcome: inout Outcome) {
        switch standing {
        case .ready: break
        case .young, .beingTaken: outcome.young += 1
        case .beingWritten, .skipped: outcome.skipped += 1
        }
    }

    private func note(_ name: EntryName, _ problem: String) {
        logger.notice("Drop not taken", metadata: ["drop.name": "\(name)", "reason": "\(problem)"])
    }

    // MARK: - What other processes published

    /// So many names are held at once: there may be a hundred thousand.
    private static let pieceCount = 1_024

    private func takeEntries(_ outcome: inout Outcome) async throws {
        var requests: Set<EntryName> = []
        // What was looked at and stays, so that it is not met again.
        var staying: Set<EntryName> = []
        while true {
            let names = try publishedNames(besides: staying.union(requests))
            for name in names where OwnerRequest.isRequest(name) { requests.insert(name) }
            try await take(names.filter { !requests.contains($0) }, staying: &staying, &outcome)
            if names.count < Self.pieceCount || Task.isCancelled || outcome.isOutOfSpace { break }
        }
        // After the entries: a report that was added before it was asked for is there by now.
        for name in requests.sorted() {
            let actions = OwnerActions(spool: spool, queue: queue, sender: sender)
            if try await actions.carryOut(name) { outcome.requests += 1 }
        }
    }

    private func publishedNames(besides known: Set<EntryName>) throws -> [EntryName] {
        var names: [EntryName] = []
        try spool.files.forEachEntry(in: spool.collected) { name in
            if !known.contains(name) { names.append(name) }
            return names.count < Self.pieceCount
        }
        return names.sorted()
    }

    /// What an entry turned out to be.
    private enum Entry {
        case report(StoredReport)
        case gone
        case damaged(DamagedReport)
        case unreadable(FileSystemError)
    }

    private func take(_ names: [EntryName], staying: inout Set<EntryName>, _ outcome: inout Outcome) async throws {
        var group = Group()
        var rest = names[...]
        var looked = try look(at: rest.popFirst(Self.groupCount))
        while !looked.isEmpty, !Task.isCancelled {
            // The next ones are read while these are written.
            let following = rest.popFirst(Self.groupCount)
            async let next = look(at: following)
            for (name, entry) in looked {
                try await take(entry, named: name, into: &group, staying: &staying, &outcome)
            }
            looked = try await next
        }
        try await enrol(&group, &outcome)
    }

    private func look(at names: ArraySlice<EntryName>) throws -> [(name: EntryName, entry: Entry)] {
        try names.map { name in
            do {
                return (name, try spool.stored(name, in: spool.collected).map { .report($0) } ?? .gone)
            } catch let problem as DamagedReport {
                return (name, .damaged(problem))
            } catch let error as FileSystemError {
                return (name, .unreadable(error))
            }
        }
    }

    private func take(
        _ entry: Entry, named name: EntryName, into group: inout Group, staying: inout Set<EntryName>,
        _ outcome: inout Outcome
    ) async throws {
        switch entry {
        case .report(let report):
            let candidate = Enrolment.Candidate(report: report, origin: .entry(name), drop: nil)
            do {
                try await add(candidate, to: &group, &outcome)
            } catch let error as FileSystemError {
                leave(name, error, &staying, &outcome)
            }
        case .gone:
            staying.insert(name)
        case .damaged(let problem):
            note(name, problem.description)
            try await Enrolment(spool: spool, queue: queue, marks: marks, turns: sender.turns)
                .park(damaged: name, reason: problem.description)
            sender.noteMovedFiles()
            staying.insert(name)
        case .unreadable(let error):
            leave(name, error, &staying, &outcome)
        }
    }

    /// One bad file must not keep the others from being sent.
    private func leave(
        _ name: EntryName, _ error: FileSystemError, _ staying: inout Set<EntryName>, _ outcome: inout Outcome
    ) {
        note(name, error.description)
        outcome.skipped += 1
        staying.insert(name)
    }
}

extension ArraySlice {
    /// The first ones, which are taken away.
    fileprivate mutating func popFirst(_ count: Int) -> ArraySlice {
        defer { self = dropFirst(count) }
        return prefix(count)
    }
}
