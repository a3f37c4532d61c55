import Background
import DurableIO

/// Enrolling: a stored report gets its file in `queued/` and its row. A report that the spool already has is only
/// counted in its row.
///
/// A *candidate* is a stored report that is to be enrolled, and the source of its bytes. The order of the steps makes
/// enrolling safe. First the report's file and the file's name become durable, then the row. Only then the source is
/// unlinked.
struct Enrolment {
    let spool: ReportSpool
    let queue: TransferQueue
    let marks: SourceMarks
    let locks: ReportLocks
    /// Decides where new reports go; `nil` leaves that to the next owner that has destinations.
    var router: Router?

    /// The source of a report's bytes.
    enum Source {
        /// A file in `tmp/` that the owner has collected from a drop.
        case publication(Publication)
        /// An entry in `collected/` that a producer has published.
        case entry(EntryName)
    }

    struct Candidate {
        let report: StoredReport
        let source: Source
        /// The drop to be unlinked when the file and the row are durable; `nil` for an entry.
        let drop: TakenDrop?
        /// Whether the ledger has a row that says that the collecting of this drop was begun.
        var isBegun = false

        /// The mark by which an owner recognises the candidate's source again (``SourceMark``).
        var mark: String? {
            if let drop { return drop.mark }
            if case .entry(let entry) = source { return SourceMark.of(entry: entry) }
            return nil
        }
    }

    struct Result {
        var enrolled = 0
        var duplicates = 0
        /// The reports that were enrolled or counted, and whether the spool knew them.
        var taken: [(report: StoredReport, isKnown: Bool)] = []
        /// How many reports of each signature were evicted at once, to keep the limit of a signature.
        var braked: [String: Int] = [:]
        /// The candidates that were not enrolled. Their sources stay where they are.
        var failures: [(candidate: Candidate, error: FileSystemError)] = []
        /// The candidates that were enrolled, but whose sources could not be unlinked.
        var unreleased: [(candidate: Candidate, error: FileSystemError)] = []
        /// Whether a file may be in a directory where no row expects the file.
        var needsReconciling = false
        /// The number of entries that were moved to `queued/` but have no row in the ledger.
        var misplaced = 0
    }

    /// What the enrolment does with a candidate. It inserts a row (`new`), counts a report that the spool has
    /// (`count`), enrols a report again whose bytes the spool does not have (`revive`), or only unlinks the source
    /// (`repeated`). To keep the limit of a signature, it inserts or revives a row that is evicted at once (`brake`,
    /// `brakeAgain`).
    enum Fate {
        case new
        case count
        case revive
        /// For a source that an owner has enrolled or counted before, and has not unlinked.
        case repeated
        case brake
        case brakeAgain

        var isBraked: Bool { self == .brake || self == .brakeAgain }
        /// Whether the candidate's bytes get a file in `queued/`.
        var bringsBytes: Bool { self == .new || self == .revive }
    }

    /// A candidate, and what the enrolment does with it.
    struct Step {
        let candidate: Candidate
        let fate: Fate
    }

    /// Enrols a group of candidates, with one sync for all new files and one commit for all rows. If the files of one
    /// candidate cause an error, the other candidates are still enrolled.
    /// - Parameters:
    ///   - group: the candidates.
    ///   - syncing: how the new files are synced. The default is together.
    /// - Returns: the number of enrolled and of counted reports, and the candidates that failed.
    /// - Throws: the errors of the ledger.
    func enrol(_ group: [Candidate], syncing: Publication.GroupSync = .together) async throws -> Result {
        guard !group.isEmpty else { return Result() }
        return try await locks.alone(with: Set(group.map(\.report.id.hex)).union(brakedSignatures(of: group))) {
            try await enrolInTurn(group, syncing: syncing)
        }
    }

    private func enrolInTurn(_ group: [Candidate], syncing: Publication.GroupSync) async throws -> Result {
        var result = Result()
        var steps = try await braked(steps(of: group, &result))
        // If this process dies after a file was moved and before the file's row is committed, the next owner must see
        // an end that was not orderly.
        try await queue.begin()
        place(&steps, syncing: syncing, &result)
        spareBraked(&steps, &result)
        try await record(steps)
        unlinkSources(steps, &result)
        result.duplicates = steps.count { $0.fate == .count }
        result.enrolled = steps.count { $0.fate.bringsBytes }
        result.taken = steps.compactMap { step in
            guard step.fate == .count || step.fate.bringsBytes else { return nil }
            return (step.candidate.report, isKnown: step.fate == .count)
        }
        for step in steps where step.fate.isBraked {
            result.braked[step.candidate.report.properties.signature ?? "", default: 0] += 1
        }
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
            // A repeated source is unlinked without storing its bytes. So a second candidate with the same id must
            // still store its bytes.
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
                // A source that was enrolled or counted before does not revive a report that a person or a limit has
                // ended since. It revives a report whose bytes were missing. A new source revives reports of both
                // kinds.
                return isKnown && record.reason != .ended(.bytesMissing) ? .repeated : .revive
            }
            if try spool.hasWhole(id, in: spool.queued) || spool.hasWhole(id, in: spool.parked) { return again }
            // While this owner holds the report's lock, no other party moves the report's file. But the queue may have
            // settled the row since the row was read.
            guard let now = try await queue.look({ try $0.record(id.hex) }), now.state != record.state else {
                return .revive
            }
            record = now
        }
    }

    /// Moves or links an entry into `queued/`. In rare cases `queued/` has a file of that name already. That file is
    /// damaged or has no row, so the entry replaces it.
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

    /// Puts the files into `queued/`, before the rows are committed, because a row must find its file. When a
    /// candidate's file fails, the candidate leaves the group, and so do the other candidates with the same id.
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
                    // The row says that the report was ended. If this process dies before the commit, the next owner
                    // unlinks the file in `queued/` because of that row. So the entry is linked and not moved.
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
            // None of the new names is durable. The entries that were moved to `queued/` have no rows. The next owner
            // finds them.
            for id in moved + publications.map(\.id) { failures[id] = error }
            result.needsReconciling = true
            result.misplaced = moved.count
        }
        for step in steps { failures[step.candidate.report.id].map { result.failures.append((step.candidate, $0)) } }
        steps.removeAll { failures[$0.candidate.report.id] != nil }
    }

    private func record(_ steps: [Step]) async throws {
        let changes = steps.map { step in
            // The entry of a new report was moved to `queued/`, so there is no source to be unlinked.
            let isMoved = step.fate == .new && step.candidate.drop == nil
            let mark = isMoved ? nil : step.candidate.mark
            return (
                transfer: NewTransfer(step.candidate.report, by: router), mark: mark, fate: step.fate,
                begun: step.candidate.isBegun ? mark : nil
            )
        }
        let forgotten = marks.takeUnlinked()
        let brakedCount = steps.count(where: \.fate.isBraked)
        let note = spool.options.limits.maximumPerSignature?.words ?? ""
        try await queue.change { store in
            for mark in forgotten { try store.forget(token: mark) }
            for change in changes {
                if let begun = change.begun { try store.forget(drop: begun) }
                switch change.fate {
                case .new: try store.insert(change.transfer)
                case .revive: try store.revive(change.transfer)
                case .count: try store.count(change.transfer)
                case .repeated: continue
                case .brake:
                    try store.insert(change.transfer)
                    try store.brake(change.transfer.identifier, note: note)
                case .brakeAgain:
                    try store.revive(change.transfer)
                    try store.brake(change.transfer.identifier, note: note)
                }
                if let mark = change.mark { _ = try store.consume(token: mark) }
            }
            // A crash loop makes rows faster than a close forgets them.
            if brakedCount > 0 { try store.forgetBraked(atMost: 2 * brakedCount) }
        }
    }

    /// Unlinks the sources of enrolled reports, because the files and the rows are durable now. When a source cannot be
    /// unlinked, its mark stays in the ledger, so that no owner counts or sends the source again.
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
        // The directories are synced. Without this, a power cut could bring a source back, and the source could bring a
        // report back that a person has removed meanwhile.
        for group in Dictionary(grouping: unlinked, by: \.directory.path).values {
            let (directory, sources) = (group[0].directory, group.map(\.candidate))
            do throws(FileSystemError) {
                try spool.files.syncDirectory(directory)
                marks.noteUnlinked(sources.compactMap(\.mark))
            } catch {
                // A power cut may bring each of these sources back. The marks then tell the owner that the sources were
                // enrolled.
                marks.keepAll()
            }
        }
    }

    /// Unlinks the report's file in `parked/`. The file is damaged, and it would contradict the row.
    private func removeParked(_ id: ContentHash, _ result: inout Result) {
        do throws(FileSystemError) {
            try spool.files.remove(StoredReport.name(of: id), in: spool.parked)
        } catch {
            result.needsReconciling = true
        }
    }

    /// Unlinks the source of one candidate.
    /// - Returns: the directories that lost a name.
    private func unlinkSources(of candidate: Candidate, hasMoved: Bool) throws(FileSystemError) -> [Directory] {
        if !hasMoved, case .entry(let entry) = candidate.source {
            try spool.files.remove(entry, in: spool.collected)
            return [spool.collected]
        }
        guard let drop = candidate.drop else { return [] }
        // If another program has written to the drop after it was collected, the drop is a new payload and is collected
        // again.
        let now = try spool.files.metadata(of: drop.name.entry, in: drop.directory)
        guard let now, now.isSameContent(as: drop.facts) else { return [] }
        try DropZone(spool: spool).unlink(drop.name.entry, in: drop.directory, withSidecar: drop.hasSidecar)
        return [drop.directory]
    }
}

extension Enrolment {
    /// Parks a damaged entry: the entry becomes a file in `parked/` with a row, so that a person can look at it and
    /// remove it. The owner never sends it.
    /// - Returns: whether the entry was parked; `false` when the spool has sound bytes of the report, or has delivered
    ///   them.
    func park(damaged entry: EntryName, reason: String) async throws -> Bool {
        guard let id = StoredReport.id(in: entry) else { return false }
        return try await locks.alone(with: [id.hex]) { try await parkAlone(id, entry, reason) }
    }

    private func parkAlone(_ id: ContentHash, _ entry: EntryName, _ reason: String) async throws -> Bool {
        try await queue.begin()
        let size = try spool.files.metadata(of: entry, in: spool.collected)?.size ?? 0
        switch try await fate(of: id, isKnown: false) {
        case .count, .repeated, .brake, .brakeAgain:
            try spool.files.remove(entry, in: spool.collected)
            return false
        case .new, .revive:
            let name = StoredReport.name(of: id)
            try spool.files.renameReplacing(entry, in: spool.collected, to: name, in: spool.parked)
            try spool.files.syncDirectory(spool.parked)
            let transfer = NewTransfer(damaged: id, byteCount: size, seenWall: spool.clock.wallMilliseconds)
            try await queue.change { store in
                // If the report has a row already, the row gets the size of this file, and the row's age begins now.
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
