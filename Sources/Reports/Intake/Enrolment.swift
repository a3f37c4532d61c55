import Background
import DurableIO

/// The last step in: a stored report gets its place in `queued/` and its row, or is counted when it is known.
///
/// The order is what makes it safe: bytes and name durable, then the row, then whatever they came from is unlinked.
struct Enrolment {
    let spool: ReportSpool
    let queue: TransferQueue
    let marks: SourceMarks
    let locks: ReportLocks

    /// Where a report's bytes come from.
    enum Source {
        /// Collected by the owner from a drop, still in `tmp/`.
        case publication(Publication)
        /// Published by a producer.
        case entry(EntryName)
    }

    struct Candidate {
        let report: StoredReport
        let source: Source
        /// The taken drop to unlink when all is durable.
        let drop: TakenDrop?
        /// Whether the ledger was told that the drop's collecting begins.
        var isBegun = false

        /// By what its source is known again.
        var mark: String? {
            if let drop { return drop.mark }
            if case .entry(let entry) = source { return SourceMark.of(entry: entry) }
            return nil
        }
    }

    struct Result {
        var enrolled = 0
        var duplicates = 0
        /// Those that were not enrolled: their sources are still there.
        var failures: [(candidate: Candidate, error: FileSystemError)] = []
        /// Those that were, and whose sources cannot be unlinked.
        var unreleased: [(candidate: Candidate, error: FileSystemError)] = []
        /// A file may lie where no row, or another one than its own, expects it.
        var needsReconciling = false
        /// Entries that lie in `queued/` without a row.
        var misplaced = 0
    }

    /// What the ledger and the rooms say of a report that comes in.
    private enum Fate {
        case new
        case count
        case revive
        /// Counted by a life that died before it had unlinked the source.
        case repeated

        /// Whether the report's bytes get a place in `queued/`.
        var bringsBytes: Bool { self == .new || self == .revive }
    }

    /// A candidate on its way through the group's steps.
    private struct Step {
        let candidate: Candidate
        let fate: Fate
    }

    /// Enrols a group: one sync for all new files, one commit for all rows. A candidate whose files give trouble keeps
    /// no other from being enrolled.
    /// - Parameters:
    ///   - group: what is to be enrolled.
    ///   - syncing: how the new files are synced. The default is together.
    /// - Returns: what came of each.
    /// - Throws: when the ledger cannot be read or written.
    func enrol(_ group: [Candidate], syncing: Publication.GroupSync = .together) async throws -> Result {
        guard !group.isEmpty else { return Result() }
        return try await locks.alone(with: Set(group.map(\.report.id.hex))) {
            try await enrolInTurn(group, syncing: syncing)
        }
    }

    private func enrolInTurn(_ group: [Candidate], syncing: Publication.GroupSync) async throws -> Result {
        var result = Result()
        var steps = try await steps(of: group, &result)
        // A crash between the file's move and its row must not look like an orderly end.
        try await queue.begin()
        place(&steps, syncing: syncing, &result)
        try await record(steps)
        unlinkSources(steps, &result)
        result.duplicates = steps.count { $0.fate == .count }
        result.enrolled = steps.count { $0.fate.bringsBytes }
        return result
    }

    private func steps(of group: [Candidate], _ result: inout Result) async throws -> [Step] {
        let questions = group.map { (mark: $0.mark, id: $0.report.id.hex) }
        let answers = try await queue.look { queries in
            try queries.together {
                try questions.map { question in
                    let isKnown = try question.mark.map { try queries.isConsumed(token: $0) } ?? false
                    return (isKnown: isKnown, isRecorded: try queries.isRecorded(question.id))
                }
            }
        }
        var steps: [Step] = []
        var comingIn: Set<ContentHash> = []
        for (candidate, answer) in zip(group, answers) {
            let id = candidate.report.id
            let fate: Fate
            if comingIn.contains(id) {
                fate = answer.isKnown ? .repeated : .count
            } else if answer.isRecorded {
                do {
                    fate = try await self.fate(of: id, isKnown: answer.isKnown)
                } catch let error as FileSystemError {
                    result.failures.append((candidate, error))
                    continue
                }
            } else {
                fate = .new
            }
            // A source that is only unlinked stores no bytes, so that a second one of the same id must still store its
            // own.
            if fate != .repeated { comingIn.insert(id) }
            steps.append(Step(candidate: candidate, fate: fate))
        }
        return steps
    }

    private func fate(of id: ContentHash, isKnown: Bool) async throws -> Fate {
        guard var record = try await queue.look({ try $0.record(id.hex) }) else { return .new }
        while true {
            let again: Fate = isKnown ? .repeated : .count
            if record.state == .delivered { return again }
            if record.state == .evicted || record.state == .removed {
                // What was let go stays gone; what was lost comes back.
                return isKnown && record.reason != .ended(.bytesMissing) ? .repeated : .revive
            }
            if try spool.hasWhole(id, in: spool.queued) || spool.hasWhole(id, in: spool.parked) { return again }
            // Under this report's lock nobody moves its file, but the queue may have settled its row since the look.
            guard let now = try await queue.look({ try $0.record(id.hex) }), now.state != record.state else {
                return .revive
            }
            record = now
        }
    }

    /// Whatever has the name already is not whole, or has no row: these bytes are the better ones. It is rarely there.
    private func place(_ entry: EntryName, as name: EntryName, isLinked: Bool) throws(FileSystemError) {
        func move() throws(FileSystemError) {
            if isLinked {
                try spool.files.link(entry, in: spool.collected, to: name, in: spool.queued)
            } else {
                try spool.files.rename(entry, in: spool.collected, to: name, in: spool.queued)
            }
        }
        do throws(FileSystemError) {
            try move()
        } catch {
            guard error.errno == .fileExists else { throw error }
            try spool.files.remove(name, in: spool.queued)
            try move()
        }
    }

    /// Files first: what a row speaks of must be there. What fails leaves the group, with all that counts on its bytes.
    private func place(_ steps: inout [Step], syncing: Publication.GroupSync, _ result: inout Result) {
        var failures: [ContentHash: FileSystemError] = [:]
        var publications: [(id: ContentHash, entry: Publication.Entry)] = []
        var moved: [ContentHash] = []
        for step in steps where step.fate.bringsBytes {
            let id = step.candidate.report.id
            let name = StoredReport.name(of: id)
            do throws(FileSystemError) {
                switch step.candidate.source {
                case .publication(let publication):
                    if try spool.files.remove(name, in: spool.queued) { moved.append(id) }
                    publications.append((id, Publication.Entry(publication, as: name)))
                case .entry(let entry):
                    // A crash before the commit leaves a row that calls for the file's removal: the entry must outlive
                    // that.
                    try place(entry, as: name, isLinked: step.fate == .revive)
                    moved.append(id)
                }
            } catch {
                failures[id] = error
            }
        }
        do throws(FileSystemError) {
            let errors = Publication.appear(
                publications.map(\.entry), in: spool.queued, syncing: syncing, files: spool.files)
            for (publication, error) in zip(publications, errors) { failures[publication.id] = error }
            if moved.count + publications.count > 0 { try spool.files.syncDirectory(spool.queued) }
        } catch {
            // None of the names is durable. What was moved here has no row; the next owner finds it.
            for id in moved + publications.map(\.id) { failures[id] = error }
            result.needsReconciling = true
            result.misplaced = moved.count
        }
        for step in steps { failures[step.candidate.report.id].map { result.failures.append((step.candidate, $0)) } }
        steps.removeAll { failures[$0.candidate.report.id] != nil }
    }

    private func record(_ steps: [Step]) async throws {
        let changes = steps.map { step in
            // The entry of a new report has been moved, and is no source any more.
            let isMoved = step.fate == .new && step.candidate.drop == nil
            let mark = isMoved ? nil : step.candidate.mark
            return (
                transfer: NewTransfer(step.candidate.report), mark: mark, fate: step.fate,
                begun: step.candidate.isBegun ? mark : nil
            )
        }
        let forgotten = marks.takeUnlinked()
        try await queue.change { store in
            for mark in forgotten { try store.forget(token: mark) }
            for change in changes {
                if let begun = change.begun { try store.forget(drop: begun) }
                switch change.fate {
                case .new: try store.insert(change.transfer)
                case .revive: try store.revive(change.transfer)
                case .count: try store.count(change.transfer)
                case .repeated: continue
                }
                if let mark = change.mark { _ = try store.consume(token: mark) }
            }
        }
    }

    /// Only now, with bytes and rows durable, go the sources. The mark of one that stays is kept, so that it is neither
    /// counted nor sent again.
    private func unlinkSources(_ steps: [Step], _ result: inout Result) {
        var unlinked: [(directory: Directory, candidate: Candidate)] = []
        for step in steps {
            let candidate = step.candidate
            if step.fate == .revive { removeParked(candidate.report.id, &result) }
            do throws(FileSystemError) {
                let directories = try unlinkSources(of: candidate, hasMoved: step.fate == .new)
                unlinked += directories.map { ($0, candidate) }
            } catch {
                result.unreleased.append((candidate, error))
            }
        }
        // A source that came back after a power cut would bring a report back that a person has removed meanwhile.
        for directory in [spool.collected, spool.taken, spool.incoming] {
            let sources = unlinked.filter { $0.directory === directory }.map(\.candidate)
            guard !sources.isEmpty else { continue }
            do throws(FileSystemError) {
                try spool.files.syncDirectory(directory)
                marks.noteUnlinked(sources.compactMap(\.mark))
            } catch {
                // Each may come back after a power cut; its mark tells it then.
                marks.keepAll()
            }
        }
    }

    /// A damaged file in `parked/` would contradict the row.
    private func removeParked(_ id: ContentHash, _ result: inout Result) {
        do throws(FileSystemError) {
            try spool.files.remove(StoredReport.name(of: id), in: spool.parked)
        } catch {
            result.needsReconciling = true
        }
    }

    /// - Returns: the directories that lost a name.
    private func unlinkSources(of candidate: Candidate, hasMoved: Bool) throws(FileSystemError) -> [Directory] {
        if !hasMoved, case .entry(let entry) = candidate.source {
            try spool.files.remove(entry, in: spool.collected)
            return [spool.collected]
        }
        guard let drop = candidate.drop else { return [] }
        // Written on after it was read: then it is a payload of its own, and collected again.
        let now = try spool.files.metadata(of: drop.name.entry, in: drop.directory)
        guard let now, now.isSameContent(as: drop.facts) else { return [] }
        try spool.files.remove(drop.name.entry, in: drop.directory)
        return [drop.directory]
    }
}

extension Enrolment {
    /// A damaged entry gets a place and a row where a person can see, look at and remove it; it is never sent.
    /// - Returns: whether it was parked; `false` where sound bytes of the same report are, or were.
    func park(damaged entry: EntryName, reason: String) async throws -> Bool {
        guard let id = StoredReport.id(in: entry) else { return false }
        return try await locks.alone(with: [id.hex]) { try await parkAlone(id, entry, reason) }
    }

    private func parkAlone(_ id: ContentHash, _ entry: EntryName, _ reason: String) async throws -> Bool {
        try await queue.begin()
        let size = try spool.files.metadata(of: entry, in: spool.collected)?.size ?? 0
        switch try await fate(of: id, isKnown: false) {
        case .count, .repeated:
            try spool.files.remove(entry, in: spool.collected)
            return false
        case .new, .revive:
            let name = StoredReport.name(of: id)
            try spool.files.renameReplacing(entry, in: spool.collected, to: name, in: spool.parked)
            try spool.files.syncDirectory(spool.parked)
            let transfer = NewTransfer(damaged: id, byteCount: size, seenWall: spool.clock.wallMilliseconds)
            try await queue.change { store in
                // A row that is there already gets this file's size, and its age from now on.
                if try store.queries.isRecorded(id.hex) {
                    try store.revive(transfer)
                } else {
                    try store.insert(transfer)
                }
                try store.end(id.hex, as: .rejected, reason: .damaged, note: reason)
            }
            return true
        }
    }
}
