import Background
import DurableIO

/// The last step in: a stored report gets its place in `queued/` and its row, or is counted when it is known.
///
/// The order is what makes it safe: bytes and name durable, then the row, then whatever they came from is unlinked.
struct Enrolment {
    let spool: ReportSpool
    let queue: TransferQueue
    let marks: SourceMarks
    let turns: ReportTurns

    /// Where a report's bytes come from.
    enum Origin {
        /// Collected by the owner from a drop, still in `tmp/`.
        case publication(Publication)
        /// Published by a producer.
        case entry(EntryName)
    }

    struct Candidate {
        let report: StoredReport
        let origin: Origin
        /// The taken drop to unlink when all is durable.
        let drop: (name: EntryName, facts: FileMetadata)?

        /// By what its source is known again.
        var mark: String? {
            if let drop { return SourceMark.of(taken: drop.facts) }
            if case .entry(let entry) = origin { return SourceMark.of(entry: entry) }
            return nil
        }
    }

    struct Outcome {
        var enrolled = 0
        var duplicates = 0
    }

    /// What the ledger and the rooms say of a report that comes in.
    private enum Fate {
        case new
        case count
        case revive
        /// Counted by a life that died before it had unlinked the source.
        case repeated
    }

    /// Enrols a group: one sync for all new files, one commit for all rows.
    func enrol(_ group: [Candidate]) async throws -> Outcome {
        guard !group.isEmpty else { return Outcome() }
        return try await turns.alone(with: Set(group.map(\.report.id.hex))) { try await enrolAlone(group) }
    }

    private func enrolAlone(_ group: [Candidate]) async throws -> Outcome {
        let fates = try await fates(of: group)
        // A crash between the file's move and its row must not look like an orderly end.
        try await queue.begin()
        try place(group, fates)
        try await record(group, fates)
        try release(group, fates)
        let duplicates = fates.count { $0 == .count }
        let repeated = fates.count { $0 == .repeated }
        return Outcome(enrolled: group.count - duplicates - repeated, duplicates: duplicates)
    }

    private func fates(of group: [Candidate]) async throws -> [Fate] {
        let questions = group.map { (mark: $0.mark, id: $0.report.id.hex) }
        let answers = try await queue.look { queries in
            try queries.together {
                try questions.map { question in
                    let isKnown = try question.mark.map { try queries.isApplied(request: $0) } ?? false
                    return (isKnown: isKnown, isRecorded: try queries.isRecorded(question.id))
                }
            }
        }
        var fates: [Fate] = []
        var comingIn: Set<ContentHash> = []
        for (candidate, answer) in zip(group, answers) {
            let id = candidate.report.id
            let fate: Fate
            if comingIn.contains(id) {
                fate = answer.isKnown ? .repeated : .count
            } else {
                fate = answer.isRecorded ? try await self.fate(of: id, isKnown: answer.isKnown) : .new
            }
            // What is only unlinked brings no bytes in that a twin could do without.
            if fate != .repeated { comingIn.insert(id) }
            fates.append(fate)
        }
        return fates
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
            // Its file may be gone because it was settled meanwhile.
            guard let now = try await queue.look({ try $0.record(id.hex) }), now.state != record.state else {
                return .revive
            }
            record = now
        }
    }

    /// Whatever has the name already is not whole, or has no row: these bytes are the better ones. It is rarely there.
    private func place(_ entry: EntryName, as name: EntryName, isLinked: Bool) throws {
        func move() throws(FileSystemError) {
            if isLinked {
                try spool.files.link(entry, in: spool.collected, to: name, in: spool.queued)
            } else {
                try spool.files.rename(entry, in: spool.collected, to: name, in: spool.queued)
            }
        }
        do {
            try move()
        } catch {
            guard error.errno == .fileExists else { throw error }
            try spool.files.remove(name, in: spool.queued)
            try move()
        }
    }

    /// Files first: what a row speaks of must be there.
    private func place(_ group: [Candidate], _ fates: [Fate]) throws {
        var publications: [Publication.Entry] = []
        var hasMoved = false
        for (candidate, fate) in zip(group, fates) {
            if fate == .count || fate == .repeated { continue }
            let name = StoredReport.name(of: candidate.report.id)
            switch candidate.origin {
            case .publication(let publication):
                if try spool.files.remove(name, in: spool.queued) { hasMoved = true }
                publications.append(Publication.Entry(publication, as: name))
            case .entry(let entry):
                // A crash before the commit leaves a row that calls for the file's removal: the entry must outlive that.
                try place(entry, as: name, isLinked: fate == .revive)
                hasMoved = true
            }
        }
        if publications.isEmpty {
            if hasMoved { try spool.files.syncDirectory(spool.queued) }
        } else {
            _ = try Publication.publish(publications, in: spool.queued, files: spool.files)
        }
    }

    private func record(_ group: [Candidate], _ fates: [Fate]) async throws {
        let steps = zip(group, fates).map { candidate, fate in
            // The entry of a new report has been moved, and is no source any more.
            let isMoved = fate == .new && candidate.drop == nil
            return (transfer: NewTransfer(candidate.report), mark: isMoved ? nil : candidate.mark, fate: fate)
        }
        let forgotten = marks.takeUnlinked()
        try await queue.change { store in
            for mark in forgotten { try store.forget(request: mark) }
            for step in steps {
                switch step.fate {
                case .new: try store.insert(step.transfer)
                case .revive: try store.revive(step.transfer)
                case .count: try store.count(step.transfer)
                case .repeated: continue
                }
                if let mark = step.mark { _ = try store.remember(request: mark) }
            }
        }
    }

    /// Only now, with bytes and rows durable, go the sources.
    private func release(_ group: [Candidate], _ fates: [Fate]) throws {
        var rooms = (collected: false, taken: false)
        for (candidate, fate) in zip(group, fates) {
            if fate == .revive {
                // A damaged file in `parked/` would contradict the row.
                try spool.files.remove(StoredReport.name(of: candidate.report.id), in: spool.parked)
            }
            if fate != .new, case .entry(let entry) = candidate.origin {
                try spool.files.remove(entry, in: spool.collected)
                rooms.collected = true
            }
            guard let drop = candidate.drop else { continue }
            // Written on after it was read: then it is a payload of its own, and collected again.
            let now = try spool.files.metadata(of: drop.name, in: spool.taken)
            guard let now, now.isSameContent(as: drop.facts) else { continue }
            try spool.files.remove(drop.name, in: spool.taken)
            rooms.taken = true
        }
        // A source that came back after a power cut would bring a report back that a person has removed meanwhile.
        if rooms.collected { try spool.files.syncDirectory(spool.collected) }
        if rooms.taken { try spool.files.syncDirectory(spool.taken) }
        marks.noteUnlinked(group.compactMap(\.mark))
    }
}

extension Enrolment {
    /// A damaged entry gets a place and a row where a person can see, look at and remove it; it is never sent.
    func park(damaged entry: EntryName, reason: String) async throws {
        guard let id = StoredReport.id(in: entry) else { return }
        try await turns.alone(with: [id.hex]) { try await parkAlone(id, entry, reason) }
    }

    private func parkAlone(_ id: ContentHash, _ entry: EntryName, _ reason: String) async throws {
        try await queue.begin()
        let size = try spool.files.metadata(of: entry, in: spool.collected)?.size ?? 0
        switch try await fate(of: id, isKnown: false) {
        case .count, .repeated:
            // Sound bytes of the same report are there, or were delivered.
            try spool.files.remove(entry, in: spool.collected)
        case .new, .revive:
            let name = StoredReport.name(of: id)
            try spool.files.renameReplacing(entry, in: spool.collected, to: name, in: spool.parked)
            try spool.files.syncDirectory(spool.parked)
            let transfer = NewTransfer(damaged: id, byteCount: size, seenWall: spool.clock.wallMilliseconds)
            try await queue.change { store in
                if try store.queries.record(id.hex) == nil { try store.insert(transfer) }
                try store.settle(id.hex, as: .rejected, reason: .damaged, note: reason)
            }
        }
    }
}
