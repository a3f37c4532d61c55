package import DurableIO
import Glibc
package import SystemPackage

/// The private directory of one run: the program's runtime writes into it, and it stays behind when this process dies
/// before it has told of the program's end. Where another user can change the path to root's run, the runtime writes
/// elsewhere (``ReportRoom``).
///
/// What is left of a run whose process died is told of by the next owner of the spool, or by the next run in it
/// (``LeftRuns``).
package struct RunDirectory: ~Copyable, Sendable {
    /// Its absolute path. It holds no more of blanks, commas and quotes than the path of the spool does.
    package let path: String
    /// The absolute path of the directory into which the program's runtime writes; `nil` where there is no place that
    /// is safe for it.
    package let reportPath: String?
    /// Names the incident in annotations and in the names of its files: a UUID.
    package let incident: String
    private let mint: IncidentMint
    /// Held as long as the value lives.
    private let lock: RunLock
    private let recordFile: OwnedDescriptor
    private let recordByteCount: Int
    private let clock: any SystemClock
    private let record: RunRecord
    private let tellsArguments: Bool

    /// Makes the directory for a run, in `runs/` of the caller's own spool, or hidden in `incoming/` of a spool that is
    /// open to the drops of all users. Before that, tells of a few runs whose processes died.
    /// - Returns: the directory, locked by this process.
    /// - Throws: what keeps the run from being told of, in words for a person.
    package static func make(
        for options: RunOptions, clock: LinuxClock = LinuxClock()
    ) throws(RunTrouble) -> RunDirectory {
        try make(for: options, files: POSIXFileSystem(), clock: clock)
    }

    /// How many bytes a run that was left may have left to be told of before a program starts, which waits for it. The
    /// next owner tells of the others.
    private static let leftByteCount: UInt64 = 1 << 20

    package static func make(
        for options: RunOptions, files: any FileSystem, clock: any SystemClock,
        reportRoom: FilePath? = nil, variable: (String) -> String? = Environment.value
    ) throws(RunTrouble) -> RunDirectory {
        let place = try RunPlace.open(options.spool, reportRoom: reportRoom, files: files)
        if !place.isShared {
            _ = LeftRuns(place, clock: clock, byteLimit: leftByteCount).sweep(within: .beforeProgram)
        }
        do throws(FileSystemError) {
            // Somebody may take a new directory for one that was left.
            for _ in 0..<3 {
                if let directory = try make(in: place.ofNewRun, options, clock, variable) { return directory }
            }
        } catch {
            throw RunTrouble(error)
        }
        throw RunTrouble("cannot make a directory in \(place.path): another process takes it away")
    }

    private static func make(
        in place: RunPlace, _ options: RunOptions, _ clock: any SystemClock, _ variable: (String) -> String?
    ) throws(FileSystemError) -> RunDirectory? {
        var generator = SystemRandomNumberGenerator()
        let incident = RunNames.newIncident(using: &generator)
        let name = place.name(of: incident)
        try makeDirectory(name, in: place)
        let directory = try place.files.openDirectory(name, in: place.room)
        // Where root works for another user, that user may have put another directory in its place.
        guard try place.files.metadata(of: directory).owner == UserIdentity.current else { return nil }
        let mint = IncidentMint(place: place, directory: directory, name: name, incident: incident)
        do throws(FileSystemError) {
            return try make(mint, options, clock, variable)
        } catch {
            // What is half made is nothing to tell of.
            try? mint.removeDirectory()
            throw error
        }
    }

    private static func makeDirectory(_ name: EntryName, in place: RunPlace) throws(FileSystemError) {
        // The kernel gives it the set-group-ID bit of `incoming/`, and takes that away where a mode is set by somebody
        // who is not in the group. So nothing must be left to set. No other thread runs yet in a wrapper.
        let mask = place.isShared ? umask(0o007) : nil
        defer { if let mask { _ = umask(mask) } }
        _ = try place.files.makeDirectory(name, in: place.room, permissions: place.directoryPermissions)
    }

    private static func make(
        _ mint: IncidentMint, _ options: RunOptions, _ clock: any SystemClock, _ variable: (String) -> String?
    ) throws(FileSystemError) -> RunDirectory? {
        let place = mint.place
        let lock = try RunLock.make(
            in: mint.directory, permissions: place.isShared ? 0o666 : 0o600, files: place.files)
        guard let lock else { return nil }
        if place.keepsReportsApart, let reportRoom = place.reportRoom, let name = EntryName(mint.incident) {
            _ = try place.files.makeDirectory(name, in: reportRoom.directory, permissions: 0o700)
        }
        var record = RunRecord(incident: mint.incident)
        record.program = ProgramFacts(
            options.command, tellsArguments: options.tellsArguments, startedAt: clock.wallMilliseconds)
        record.wishes = RunWishes(options, variable)
        record.surroundings = Surroundings(variable, cgroup: SmallFile.text("/proc/self/cgroup"))
        let file = try place.files.createFile(RunNames.record, in: mint.directory)
        if place.isShared { try place.files.setPermissions(place.filePermissions, of: file) }
        let bytes = record.bytes(spare: RunRecord.spareByteCount)
        try place.files.write(bytes, to: file, at: 0)
        return RunDirectory(
            mint, lock: lock, recordFile: file, recordByteCount: bytes.count, clock: clock, record: record,
            tellsArguments: options.tellsArguments)
    }

    private init(
        _ mint: IncidentMint, lock: consuming RunLock, recordFile: consuming OwnedDescriptor, recordByteCount: Int,
        clock: any SystemClock, record: RunRecord, tellsArguments: Bool
    ) {
        let path = mint.place.path.appending(mint.name.description).string
        self.path = path
        reportPath = !mint.place.keepsReportsApart ? path : mint.place.reportRoom?.path.appending(mint.incident).string
        incident = mint.incident
        self.mint = mint
        self.lock = lock
        self.recordFile = recordFile
        self.recordByteCount = recordByteCount
        self.clock = clock
        self.record = record
        self.tellsArguments = tellsArguments
    }

    /// Writes down what has been started, for the next owner if this process dies. Nothing is synced: the kernel keeps
    /// it for as long as the machine runs.
    package func note(_ start: ProgramStart) {
        // Best effort: without it, less is told of a run that is lost.
        try? write(record(of: start))
    }

    /// A file of which the first byte becomes `1` when the program starts. What is left of a run in which it stayed as
    /// it was is nothing to tell of. Who writes to it begins with that byte.
    package var startMark: Int32 { lock.descriptor }

    /// Writes down that somebody has asked the program to end.
    package func noteRequest() {
        // Best effort, as above.
        try? lock.note(request: clock.wallMilliseconds, files: mint.place.files)
    }

    /// Whether something waits in the spool that this run has not brought: drops, reports that were not sent, other
    /// runs. In another user's spool nobody can know.
    package var hasOthersWaiting: Bool { mint.place.hasWaiting(besides: mint.name) }

    /// Makes a file of the directory in which the end of standard error outlives this process; opened for reading and
    /// writing, and empty. Gives `nil` where there can be none.
    package var stderrFileMaker: @Sendable () -> OwnedDescriptor? {
        { [mint] in
            guard let file = try? mint.place.files.createFile(RunNames.stderr, in: mint.directory) else { return nil }
            if mint.place.isShared { try? mint.place.files.setPermissions(mint.place.filePermissions, of: file) }
            return file
        }
    }

    /// Removes the directory of a program that could not be started. Nothing is told, and nothing is synced.
    package consuming func discard() {
        try? mint.removeDirectory()
    }

    /// Ends the run: makes the reports of a death that is to be told of, drops them into the spool, and removes the
    /// directory. Nothing is synced where nothing is told.
    /// - Parameters:
    ///   - end: of the program.
    ///   - start: of the program.
    ///   - stderr: what is known of standard error; asked for unless the end is clearly nothing to tell of.
    ///   - memory: counts the processes that were killed for want of memory.
    ///   - kernel: what the kernel says of the death. The default is nothing.
    ///   - options: of the run.
    /// - Returns: what was dropped, by the names of the drops; empty where the end was nothing to tell of.
    /// - Throws: what keeps a report from being dropped. The directory then stays, for the next owner.
    package consuming func conclude(
        _ end: ProgramEnd, of start: ProgramStart, _ stderr: @autoclosure () -> StderrExcerpt, memory: MemoryWatch,
        kernel: KernelLine? = nil, _ options: RunOptions
    ) throws(RunTrouble) -> [String] {
        do throws(FileSystemError) {
            return try tell(end, of: start, stderr, memory, kernel, options)
        } catch {
            throw RunTrouble(error)
        }
    }

    private borrowing func tell(
        _ end: ProgramEnd, of start: ProgramStart, _ written: () -> StderrExcerpt, _ memory: MemoryWatch,
        _ kernel: KernelLine?, _ options: RunOptions
    ) throws(FileSystemError) -> [String] {
        var record = record(of: start)
        let endedWell = end.status == .exited(code: 0)
        let reports = try RunReading(mint).reports(of: record, hasDied: !endedWell, diedAt: end.endedAt)
        // Most programs end so, and are not to wait for more.
        if endedWell, reports.isEmpty, !options.occasions.contains(.any) {
            try removeUntold()
            return []
        }
        let stderr = options.stderr == .none ? StderrExcerpt() : written()
        let facts = memory.look()
        var traces = Death.Traces()
        traces.hasReport = !reports.isEmpty
        traces.hasCrash = reports.contains(where: \.isCrash)
        traces.hasCrashText = StderrText(stderr, of: end.status)?.isCrash ?? false
        // The counter of the machine counts all; only the kernel's log says whether it was this process.
        let isOther = facts.isOfMachine && kernel?.isMemoryKill != true
        traces.memoryKills = isOther ? 0 : facts.kills ?? 0
        let death = Death(end, traces, on: options.occasions)
        guard death.isTold else {
            try removeUntold()
            return []
        }
        var told = ToldEnd(end, death)
        told.memory = facts
        told.kernelLine = kernel?.text
        record.end = told
        // From here on a death of this process hides no longer how the program ended.
        try write(record)
        let incident = Incident(record, reports, stderr, now: clock.wallMilliseconds)
        try mint.seal(incident)
        let names = try mint.moveOn()
        // The next owner removes what cannot be removed now, and tells nothing of it.
        try? mint.removeDirectory()
        return names.map(\.description)
    }

    /// Removes the directory of an end that is nothing to tell of. What cannot be removed is no reason to speak of the
    /// end, and the next owner tries again.
    private borrowing func removeUntold() throws(FileSystemError) {
        try mint.forget()
        try? mint.removeDirectory()
    }

    private func record(of start: ProgramStart) -> RunRecord {
        var record = record
        record.program = ProgramFacts(start, tellsArguments: tellsArguments)
        return record
    }

    private func write(_ record: RunRecord) throws(FileSystemError) {
        // The blanks that were laid down give way to what is known since, and what is shorter leaves nothing behind.
        try mint.place.files.write(record.bytes(atLeast: recordByteCount), to: recordFile, at: 0)
    }
}
