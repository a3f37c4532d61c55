import DurableIO
import Logging

/// What stays where it is, with its reason.
extension Intake {
    func leave(_ path: String, _ facts: FileMetadata?, _ cause: LeftSources.Cause, _ summary: inout Summary) {
        summary.skipped += 1
        guard left.note(LeftSources.Key(path, facts), cause) else { return }
        logger.notice("Left where it is", metadata: ["path": "\(path)", "reason": "\(cause.text)"])
    }

    func leave(
        _ candidate: Enrolment.Candidate, _ cause: LeftSources.Cause, _ group: inout Group, _ summary: inout Summary
    ) {
        if case .entry(let entry) = candidate.source {
            group.staying.insert(entry)
            leave("collected/\(entry)", nil, cause, &summary)
        } else if let drop = candidate.drop {
            leave(drop.path, drop.facts, cause, &summary)
        }
    }

    /// Whether a source is left without another try: it was read to its end in this life, or is taken in already.
    ///
    /// One that is taken in is unlinked, if that has become possible.
    func isLeft(
        _ path: String, _ facts: FileMetadata?, unlink source: (name: EntryName, directory: Directory),
        _ summary: inout Summary
    ) -> Bool {
        switch left.cause(of: LeftSources.Key(path, facts)) {
        case nil, .notTaken: return false
        case .notCollected(let reason):
            leave(path, facts, .notCollected(reason), &summary)
        case .notUnlinked(let reason, let mark):
            do throws(FileSystemError) {
                try spool.files.remove(source.name, in: source.directory)
                try spool.files.syncDirectory(source.directory)
                marks.noteUnlinked([mark])
            } catch {
                marks.keepAll()
                leave(path, facts, .notUnlinked(reason, mark: mark), &summary)
            }
        }
        return true
    }
}
