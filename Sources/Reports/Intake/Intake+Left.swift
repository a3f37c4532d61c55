import DurableIO
import Logging

/// What stays where it is, with its reason.
extension Intake {
    /// A source as it was looked at.
    struct Source: Hashable, Sendable {
        let entry: EntryName
        let room: String
        let key: LeftSources.Key

        init(_ entry: EntryName, in room: String, _ facts: FileMetadata?) {
            (self.entry, self.room) = (entry, room)
            key = LeftSources.Key("\(room)/\(entry)", facts)
        }

        /// In `collected/`.
        init(published entry: EntryName) { self.init(entry, in: "collected", nil) }

        init(_ drop: TakenDrop) { self.init(drop.name.entry, in: drop.room.rawValue, drop.facts) }

        init(_ drop: DropZone.Drop) { self.init(drop.entry, in: drop.room.rawValue, drop.facts) }

        init(_ drop: DropOrder.Entry) {
            (entry, room) = (drop.name, drop.room.rawValue)
            key = LeftSources.Key("\(room)/\(entry)", inode: drop.inode, size: drop.size, modified: drop.modified)
        }

        /// In the spool, for messages.
        var path: String { "\(room)/\(entry)" }
    }

    func leave(_ source: Source, _ cause: LeftSources.Cause, _ summary: inout Summary) {
        summary.skipped += 1
        summary.left.append(source)
        guard left.note(source.key, cause) else { return }
        logger.notice("Left where it is", metadata: ["path": "\(source.path)", "reason": "\(cause.text)"])
    }

    func leave(_ candidate: Enrolment.Candidate, _ cause: LeftSources.Cause, _ summary: inout Summary) {
        if case .entry(let entry) = candidate.source {
            leave(Source(published: entry), cause, &summary)
        } else if let drop = candidate.drop {
            leave(Source(drop), cause, &summary)
        }
    }

    /// Tells of a drop that is not taken now.
    func leave(_ source: Source, for readiness: DropZone.Readiness, _ summary: inout Summary) {
        switch readiness {
        case .ready: break
        case .young, .beingTaken: summary.young += 1
        case .beingWritten: summary.skipped += 1
        case .skipped(let reason): leave(source, .notTaken(reason), &summary)
        }
    }

    /// Whether a source is left without another try: it was read to its end in this life, or is taken in already.
    ///
    /// One that is taken in is unlinked, if that has become possible.
    func isLeft(_ source: Source, in directory: Directory, _ summary: inout Summary) -> Bool {
        switch left.cause(of: source.key) {
        case nil, .notTaken, .poisonous: return false
        case .notCollected(let reason):
            leave(source, .notCollected(reason), &summary)
        case .notUnlinked(let reason, let mark):
            do throws(FileSystemError) {
                try spool.files.remove(source.entry, in: directory)
                try spool.files.syncDirectory(directory)
                marks.noteUnlinked([mark])
            } catch {
                marks.keepAll()
                leave(source, .notUnlinked(reason, mark: mark), &summary)
            }
        }
        return true
    }

    /// A room that cannot be listed keeps no other from being looked at.
    func listed<Element>(
        _ room: String, _ summary: inout Summary, _ list: () throws(FileSystemError) -> [Element]
    ) -> [Element] {
        do throws(FileSystemError) {
            return try list()
        } catch {
            tell(notListed: room, error, &summary)
            return []
        }
    }

    func tell(notListed room: String, _ error: FileSystemError, _ summary: inout Summary) {
        logger.warning("Room not listed", metadata: ["room": "\(room)", "error": "\(error)"])
        summary.skipped += 1
    }
}
