import DurableIO

/// The runs of other users in a spool that is open to all.
///
/// Such a run has its directory in `incoming/`, and its user may put anything into it, at any time. So the owner first
/// moves the directory into `runs/`, where nobody else finds it, and makes the drops in a directory of its own. It
/// follows no link, reads only files of the directory's user, and believes no path that they name.
extension LeftRuns {
    /// Moves the runs of other users whose watchers and programs are gone into `runs/`.
    func adoptForeign(_ result: inout Result) {
        var names: [EntryName] = []
        do throws(FileSystemError) {
            try files.forEachListed(in: place.incoming) { name, mayBeDirectory in
                if mayBeDirectory, name.hasPrefix(RunNames.sharedPrefix) { names.append(name) }
                return names.count < 10_000 && !Task.isCancelled
            }
        } catch {
            result.fail(at: "incoming", error)
        }
        for name in names.sorted() {
            guard !Task.isCancelled else { return }
            guard let incident = RunNames.incident(in: name, behind: RunNames.sharedPrefix) else { continue }
            do throws(FileSystemError) {
                result.note(try adopt(name, incident), of: incident)
            } catch {
                if error.errno == .noSuchFileOrDirectory { continue }
                result.fail(at: "incoming/\(name)", error)
            }
        }
    }

    /// - Returns: ``Step/nothing`` for a run that is in `runs/` now.
    private func adopt(_ name: EntryName, _ incident: String) throws(FileSystemError) -> Step {
        let directory = try files.openDirectory(name, in: place.incoming)
        let owner = try files.metadata(of: directory).owner
        switch try RunLock.seize(in: directory, of: owner, files: files) {
        // Its user may be making it, or may have meant it for nothing; it does no harm.
        case .missing: return .living
        case .held: return .living
        case .seized: return .inHand
        case .free(let lock):
            // The record may name any process; then the directory stays, which is its user's affair.
            let reading = RunReading(place: place, directory: directory, incident: incident, isForeign: true)
            if let program = living(try reading.record()?.program) { return .outlived(program) }
            try files.rename(name, in: place.incoming, to: adoptedName(incident), in: place.room)
            _ = consume lock
            return .nothing
        }
    }

    private func adoptedName(_ incident: String) -> EntryName {
        EntryName(RunNames.adoptedPrefix + incident) ?? RunNames.making
    }

    /// Tells of a run that was moved into `runs/`.
    ///
    /// The drops are made in a directory of this user's. Once that is sealed, the other one is removed, before the drops
    /// are moved on: it is never told of again.
    func tellOfForeign(_ incident: String, in name: EntryName) throws(FileSystemError) -> Step {
        guard let ownName = EntryName(incident) else { return .nothing }
        _ = try files.makeDirectory(ownName, in: place.room, permissions: 0o700)
        let own = IncidentMint(
            place: place, directory: try files.openDirectory(ownName, in: place.room), name: ownName,
            incident: incident)
        if try files.metadata(of: RunNames.lock, in: own.directory) == nil {
            _ = try files.createFile(RunNames.lock, in: own.directory)
        }
        guard case .free(let lock) = try RunLock.seize(in: own.directory, of: UserIdentity.current, files: files)
        else { return .inHand }
        let foreign = try files.openDirectory(name, in: place.room)
        var isTold = try own.isSealed()
        if !isTold { isTold = try seal(incident, from: foreign, into: own) }
        try remove(name, incident)
        if !isTold { try own.removeDirectory() }
        let step = isTold ? try finish(own) : .nothing
        _ = consume lock
        return step
    }

    /// - Returns: whether there is anything to tell.
    private func seal(
        _ incident: String, from foreign: Directory, into own: IncidentMint
    ) throws(FileSystemError) -> Bool {
        let owner = try files.metadata(of: foreign).owner
        let reading = RunReading(place: place, directory: foreign, incident: incident, isForeign: true)
        let record = ((try? reading.record()) ?? nil) ?? RunRecord(incident: incident)
        // What cannot be read is left out: it is the other user's affair.
        let reports = (try? reading.reports(of: record, hasDied: true)) ?? []
        let stderr = (try? reading.stderr(readStderr)) ?? StderrExcerpt()
        var told = Incident(record, reports, stderr, now: clock.wallMilliseconds)
        told.foreignUser = owner
        guard told.isTold(whenLeftWith: (try? reading.marks()) ?? RunMarks()) else { return false }
        try own.seal(told)
        return true
    }

    /// Removes the other user's directory. What cannot be removed is renamed, so that nobody tells of it again.
    private func remove(_ name: EntryName, _ incident: String) throws(FileSystemError) {
        let mint = IncidentMint(place: place, directory: place.room, name: name, incident: incident)
        if (try? mint.remove(name, in: place.room)) != nil { return }
        guard let remains = EntryName(RunNames.remainsPrefix + incident) else { return }
        try files.rename(name, in: place.room, to: remains, in: place.room)
    }
}
