import DurableIO
import Logging

/// What stays where it is, with its reason.
extension Intake {
    func leave(_ path: String, _ facts: FileMetadata?, _ cause: LeftSources.Cause, _ outcome: inout Outcome) {
        outcome.skipped += 1
        guard left.note(LeftSources.Key(path, facts), cause) else { return }
        logger.notice("Left where it is", metadata: ["path": "\(path)", "reason": "\(cause.text)"])
    }

    func leave(
        _ candidate: Enrolment.Candidate, _ cause: LeftSources.Cause, _ group: inout Group, _ outcome: inout Outcome
    ) {
        if case .entry(let entry) = candidate.origin {
            group.staying.insert(entry)
            leave("collected/\(entry)", nil, cause, &outcome)
        } else if let drop = candidate.drop {
            leave(drop.path, drop.facts, cause, &outcome)
        }
    }

    /// What a person can do about a file that cannot be moved or removed.
    static func advice(_ error: FileSystemError) -> String {
        switch error.errno {
        case .improperLink: "one of its rooms is a mount of its own: mount the whole spool instead"
        case .isDirectory, .directoryNotEmpty, .fileExists: "move away what has that name"
        case .notPermitted: "run chattr -a -i on it and on its directory"
        case .permissionDenied: "run as its owner, or change the mode of its directory"
        case .readOnlyFileSystem: "mount it writable"
        case .noSpace, .diskQuotaExceeded, .fileTooLarge: "free some space"
        case _ where error.isPassing: "it is tried again at each submit"
        default: "see to its disk; it is tried again at each submit"
        }
    }

    /// Whether a source is left without another try: it was read to its end in this life, or is taken in already.
    ///
    /// One that is taken in is unlinked, if that has become possible.
    func isLeft(
        _ path: String, _ facts: FileMetadata?, unlink source: (name: EntryName, directory: Directory),
        _ outcome: inout Outcome
    ) -> Bool {
        switch left.cause(of: LeftSources.Key(path, facts)) {
        case nil, .notTaken: return false
        case .notCollected(let reason):
            leave(path, facts, .notCollected(reason), &outcome)
        case .notUnlinked(let reason, let mark):
            do throws(FileSystemError) {
                try spool.files.remove(source.name, in: source.directory)
                try spool.files.syncDirectory(source.directory)
                marks.noteUnlinked([mark])
            } catch {
                marks.keepAll()
                leave(path, facts, .notUnlinked(reason, mark: mark), &outcome)
            }
        }
        return true
    }
}
