package import DurableIO
import SystemPackage

/// The runs of a spool whose processes died before they had told of their programs' ends.
///
/// A run is left when nobody holds its lock and its program is gone. What lies in its directory becomes reports with the
/// cause `lost`, or with the cause that was written down. The drops of a sealed run are only moved on. Nobody else tells
/// of the run meanwhile, because this process holds the lock; and after it, the directory is gone.
///
/// A directory that cannot be worked on stays, and keeps no other from being told of.
package struct LeftRuns {
    let place: RunPlace
    let clock: any SystemClock
    /// Whether other users have hidden their runs in `incoming/`.
    let isOpenToAll: Bool
    /// How many bytes a run may have left to be told of. A program waits for those who have no time.
    let byteLimit: UInt64
    let readStderr: @Sendable (borrowing OwnedDescriptor) -> StderrExcerpt

    var files: any FileSystem { place.files }

    /// A new directory has no lock for a moment. Without one it is rubbish after so many milliseconds.
    private static let lockTime: Int64 = 60_000

    /// The runs of a spool whose owner this process is, or may be.
    ///
    /// `nil` for a spool in which there was never a run.
    /// - Parameters:
    ///   - root: the spool's directory.
    ///   - isOpenToAll: whether every user of the machine may drop files into it.
    ///   - files: the disk.
    ///   - clock: tells the time of the reports, and the boot.
    /// - Throws: ``FileSystemError`` when `runs/` cannot be opened.
    package init?(
        in root: Directory, isOpenToAll: Bool, files: any FileSystem, clock: any SystemClock
    ) throws(FileSystemError) {
        let hasRoom = try files.metadata(of: RunNames.room, in: root) != nil
        guard isOpenToAll || hasRoom else { return nil }
        let isSafe = ReportRoom.isSafe(root.path, to: root, files: files)
        let place = try RunPlace(root, path: root.path, files.metadata(of: root), isSafe: isSafe, files: files)
        self.init(place, isOpenToAll: isOpenToAll, clock: clock)
    }

    init(
        _ place: RunPlace, isOpenToAll: Bool = false, clock: any SystemClock, byteLimit: UInt64 = .max,
        readStderr: @escaping @Sendable (borrowing OwnedDescriptor) -> StderrExcerpt = {
            StderrWindow.excerpt(of: $0) ?? StderrExcerpt()
        }
    ) {
        self.place = place
        self.isOpenToAll = isOpenToAll
        self.clock = clock
        self.byteLimit = byteLimit
        self.readStderr = readStderr
    }

    /// How much a sweep does at most.
    package struct Bounds: Sendable {
        /// How many runs are told of.
        var toldCount = Int.max
        /// How long it looks at runs of which nothing is told, in milliseconds; `nil` for no limit.
        var lookTime: Int64?
        /// With which of the directories it begins where there is a limit, as an index of so many.
        var first: @Sendable (_ count: Int) -> Int = { _ in 0 }

        /// All runs, in order.
        package static let none = Bounds()
        /// What a program may wait for: others tell of the rest. It begins anywhere, so that runs which stay keep no
        /// other from being told of.
        static let beforeProgram = Bounds(toldCount: 4, lookTime: 20) { Int.random(in: 0..<$0) }
        /// So many directories are looked at however long it takes.
        static let leastLookCount = 16
    }

    /// Tells of the runs that were left. Without any, this lists one directory.
    ///
    /// Ends after a run when the task is cancelled.
    /// - Parameter bounds: how much is done at most. The default is all.
    /// - Returns: what was told of, and what stays.
    package func sweep(within bounds: Bounds = .none) -> Result {
        var result = Result()
        if isOpenToAll { adoptForeign(&result) }
        do throws(FileSystemError) {
            let begin = clock.awakeMilliseconds
            let names = try listed(within: bounds)
            var lookTime = clock.awakeMilliseconds - begin
            for (index, name) in names.enumerated() {
                guard result.told.count < bounds.toldCount, !Task.isCancelled else { break }
                if let limit = bounds.lookTime, lookTime >= limit, index >= Bounds.leastLookCount { break }
                let (told, start) = (result.told.count, clock.awakeMilliseconds)
                sweep(name, &result)
                if result.told.count == told { lookTime += clock.awakeMilliseconds - start }
            }
        } catch {
            result.fail(at: "runs", error)
        }
        return result
    }

    /// The names in `runs/`, from where the sweep begins. Half of the time goes to listing them.
    private func listed(within bounds: Bounds) throws(FileSystemError) -> [EntryName] {
        guard let limit = bounds.lookTime else { return try files.entries(of: place.room) }
        let begin = clock.awakeMilliseconds
        var names: [EntryName] = []
        try files.forEachEntry(in: place.room) { name in
            names.append(name)
            return names.count < Bounds.leastLookCount || clock.awakeMilliseconds - begin < limit / 2
        }
        guard !names.isEmpty else { return [] }
        let first = bounds.first(names.count)
        return Array(names[first...] + names[..<first])
    }

    /// Whether a directory of this name in `incoming/` is that of another user's run, and no drop.
    package static func isHiddenRun(_ name: EntryName) -> Bool {
        RunNames.incident(in: name, behind: RunNames.sharedPrefix) != nil
    }

    /// Whether a directory of this name in `runs/` is that of a run of this user's.
    package static func isRun(_ name: EntryName) -> Bool { RunNames.incident(in: name) != nil }

    /// Whether the file of this name in the directory of a run is closed after writing when the process of the run ends.
    package static func tellsOfEnd(_ name: EntryName) -> Bool { name == RunNames.lock }

    /// The directories that stay although they are told of, because they cannot be removed, by their paths in the spool.
    /// Changes nothing.
    package static func remains(
        in root: Directory, files: any FileSystem
    ) -> [(path: String, reason: String)] {
        guard let room = try? files.openDirectory(RunNames.room, in: root) else { return [] }
        return ((try? files.entries(of: room)) ?? []).compactMap { name in
            RunNames.incident(in: name, behind: RunNames.remainsPrefix).map { _ in ("runs/\(name)", remainsReason) }
        }
    }

    private static let remainsReason = "is told of and cannot be removed: remove it as root"

    private func sweep(_ name: EntryName, _ result: inout Result) {
        do throws(FileSystemError) {
            let incident: String
            let step: Step
            if let own = RunNames.incident(in: name) {
                (incident, step) = (own, try sweep(own, in: name))
            } else if place.heir == nil, let foreign = RunNames.incident(in: name, behind: RunNames.adoptedPrefix) {
                (incident, step) = (foreign, try tellOfForeign(foreign, in: name))
            } else {
                if RunNames.incident(in: name, behind: RunNames.remainsPrefix) != nil {
                    result.problems.append(("runs/\(name)", Self.remainsReason))
                }
                return
            }
            result.note(step, of: incident)
        } catch {
            // Another process may have told of it meanwhile.
            if error.errno == .noSuchFileOrDirectory { return }
            // A run of root's in the spool of a service's user, which may well be under way. The next run of root's
            // looks at it.
            if error.errno == .permissionDenied {
                result.livingCount += 1
                return
            }
            result.fail(at: "runs/\(name)", error)
        }
    }

    private func sweep(_ incident: String, in name: EntryName) throws(FileSystemError) -> Step {
        let directory = try files.openDirectory(name, in: place.room)
        let mint = IncidentMint(place: place, directory: directory, name: name, incident: incident)
        let facts = try files.metadata(of: directory)
        // Where root works for another user, what that user has made there may lead root anywhere: it is that user's.
        if place.heir != nil, facts.owner != UserIdentity.current { return .living }
        switch try RunLock.seize(in: directory, of: facts.owner, files: files) {
        case .held: return .living
        case .seized: return .inHand
        case .missing: return try sweepUnlocked(mint)
        case .free(let lock):
            let step = try mint.byteCount() > byteLimit ? .postponed : tell(mint)
            // Not before: the lock keeps others away.
            _ = consume lock
            return step
        }
    }

    /// A directory that has no lock is one that is being made, or removed.
    private func sweepUnlocked(_ mint: IncidentMint) throws(FileSystemError) -> Step {
        let changed = try files.metadata(of: mint.directory).changed / 1_000_000
        guard abs(clock.wallMilliseconds - changed) > Self.lockTime else { return .living }
        try mint.removeDirectory()
        return .nothing
    }

    private func tell(_ mint: IncidentMint) throws(FileSystemError) -> Step {
        if try mint.isSealed() { return try finish(mint) }
        let reading = RunReading(mint)
        guard let record = try reading.record() else {
            try mint.removeDirectory()
            return .nothing
        }
        if let program = living(record.program) { return .outlived(program) }
        let reports = try reading.reports(of: record, hasDied: true)
        let marks = try reading.marks()
        let incident = Incident(record, reports, try reading.stderr(readStderr), now: clock.wallMilliseconds)
        guard incident.isTold(whenLeftWith: marks) else {
            try mint.removeDirectory()
            return .nothing
        }
        try mint.seal(incident)
        return try finish(mint)
    }

    /// Moves on what is sealed.
    func finish(_ mint: IncidentMint) throws(FileSystemError) -> Step {
        let moved = try mint.moveOn()
        try mint.removeDirectory()
        return moved.isEmpty ? .nothing : .told
    }

    /// The program of a run whose watcher is gone, if it lives.
    func living(_ facts: ProgramFacts?) -> OutlivingProgram? {
        OutlivingProgram(facts).flatMap { $0.isAlive(clock) ? $0 : nil }
    }
}
