import DurableIO
import Logging

/// The recording of sources that the intake leaves where they are, with the reasons.
extension Intake {
    /// A source as it was at a look. If the file changes, it becomes another source.
    struct Source: Hashable, Sendable {
        let place: Place
        let key: LeftSources.Key

        /// Makes the source of an entry in `collected/`.
        init(published entry: EntryName) { self.init(Place(entry, in: nil), nil) }

        init(_ drop: TakenDrop) { self.init(Place(drop.name.entry, in: drop.room), drop.facts) }

        init(_ drop: DropZone.Drop) { self.init(Place(drop.entry, in: drop.room), drop.facts) }

        init(_ drop: DropOrder.Entry) {
            place = Place(drop.name, in: drop.room)
            key = LeftSources.Key(place.path, inode: drop.inode, size: drop.size, modified: drop.modified)
        }

        private init(_ place: Place, _ facts: FileMetadata?) {
            self.place = place
            key = LeftSources.Key(place.path, facts)
        }
    }

    /// Where a source lies, or an order.
    struct Place: Hashable, Sendable {
        let entry: EntryName
        /// `nil` for `collected/`.
        let room: DropZone.Room?

        init(_ entry: EntryName, in room: DropZone.Room?) { (self.entry, self.room) = (entry, room) }

        /// The path in the spool, for messages.
        var path: String { "\(room?.path ?? "collected")/\(entry)" }
    }

    func leave(_ source: Source, _ cause: LeftSources.Cause, _ summary: inout Summary) {
        summary.skipped += 1
        summary.left.append(source)
        left.note(source.key, cause)
        tell(source.place, cause.text)
    }

    /// Tells people why a source stays where it is: once, however often the file changes and for as long as looks find
    /// it there for the same reason.
    private func tell(_ place: Place, _ reason: String) {
        guard left.isNews(reason, of: place.path, at: spool.clock.bootMilliseconds) else { return }
        logger.notice("Left where it is", metadata: ["path": "\(place.path)", "reason": "\(reason)"])
        sender.onEvent(.left(path: place.path, reason: reason))
    }

    /// Leaves a drop that a look has found, and that cannot be taken now.
    ///
    /// The ledger gets no reason that each reader of the spool finds by itself: a program may change a file that is not
    /// to be taken as often as it likes, and each reason in the ledger is a commit.
    func leave(_ drop: DropZone.Drop, in zone: DropZone, _ summary: inout Summary) {
        guard case .skipped(let reason) = drop.readiness, zone.isSkippedOnSight(drop) else {
            return leave(Source(drop), for: drop.readiness, &summary)
        }
        let source = Source(drop)
        summary.skipped += 1
        summary.left.append(source)
        if !zone.isUnderWay(drop) { tell(source.place, reason) }
    }

    func leave(_ candidate: Enrolment.Candidate, _ cause: LeftSources.Cause, _ summary: inout Summary) {
        if case .entry(let entry) = candidate.source {
            leave(Source(published: entry), cause, &summary)
        } else if let drop = candidate.drop {
            leave(Source(drop), cause, &summary)
        }
    }

    /// Leaves a drop, or counts it as young, because the drop is not ready to be taken now.
    func leave(_ source: Source, for readiness: DropZone.Readiness, _ summary: inout Summary) {
        switch readiness {
        case .ready: break
        case .young, .beingTaken: summary.young += 1
        case .beingWritten:
            summary.skipped += 1
            summary.beingWritten += 1
        case .skipped(let reason): leave(source, .notTaken(reason), &summary)
        }
    }

    /// Decides whether the intake leaves a source without collecting it again, because this owner has read the source
    /// to its end or has brought it in already.
    ///
    /// If this owner has brought the source in and could not unlink it, this function tries again to unlink it.
    func isLeft(_ source: Source, _ summary: inout Summary) -> Bool {
        switch left.cause(of: source.key) {
        case nil, .notTaken, .poisonous: return false
        case .notCollected(let reason):
            leave(source, .notCollected(reason), &summary)
        case .notUnlinked(let reason, let mark):
            do throws(FileSystemError) {
                let zone = DropZone(spool: spool)
                let directory = try source.place.room.map(zone.directory) ?? spool.collected
                try zone.unlink(source.place.entry, in: directory, withSidecar: source.place.room != nil)
                try spool.files.syncDirectory(directory)
                marks.noteUnlinked([mark])
            } catch {
                marks.keepAll()
                leave(source, .notUnlinked(reason, mark: mark), &summary)
            }
        }
        return true
    }

    /// Lists a directory. If it cannot be listed, the look goes on with the other directories.
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
        sender.tell(trouble: "cannot be looked into: \(error): \(SpoolErrors.advice(error))", at: room)
        logger.warning("Room not listed", metadata: ["room": "\(room)", "error": "\(error)"])
        summary.skipped += 1
    }
}
