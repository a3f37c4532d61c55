package import DurableIO
import SystemPackage

/// The private directory of one run: the program's runtime writes into it, and it stays behind when this process dies
/// before it has told of the program's end.
///
/// What is left of a run whose process died is told of by the next owner of the spool, or by the next run in it
/// (``LeftRuns``).
package struct RunDirectory: ~Copyable, Sendable {
    /// Its absolute path. It holds no more of blanks, commas and quotes than the path of the spool does.
    package let path: String
    /// Names the incident in annotations and in the names of its files: a UUID.
    package let incident: String
    private let mint: IncidentMint
    /// Held as long as the value lives.
    private let lock: RunLock
    private let recordFile: OwnedDescriptor
    private let clock: any SystemClock
    private let record: RunRecord
    private let tellsArguments: Bool

    /// Makes the directory for a run, in `runs/` of the caller's own spool, or hidden in `incoming/` of a spool that is
    /// open to the drops of all users. Before that, tells of a few runs whose processes died.
    /// - Returns: the directory, locked by this process.
    /// - Throws: what keeps the run from being told of, in words for a person.
    package static func make(for options: RunOptions) throws(RunTrouble) -> RunDirectory {
        try make(for: options, files: POSIXFileSystem(), clock: LinuxClock())
    }

    /// How many runs that were left are told of before a program starts. The next owner tells of the others.
    private static let leftRunCount = 4

    package static func make(
        for options: RunOptions, files: any FileSystem, clock: any SystemClock,
        variable: (String) -> String? = Environment.value
    ) throws(RunTrouble) -> RunDirectory {
        let place = try RunPlace.open(options.spool, files: files)
        if !place.isShared { _ = LeftRuns(place, clock: clock).sweep(atMost: leftRunCount) }
        do throws(FileSystemError) {
            // Somebody may take a new directory for one that was left.
            for _ in 0..<3 {
                if let directory = try make(in: place, options, clock, variable) { return directory }
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
        _ = try place.files.makeDirectory(name, in: place.room, permissions: place.directoryPermissions)
        let directory = try place.files.openDirectory(name, in: place.room)
        let lock = try RunLock.make(
            in: directory, permissions: place.isShared ? 0o666 : 0o600, files: place.files)
        guard let lock else { return nil }
        var record = RunRecord(incident: incident)
        record.program = ProgramFacts(
            options.command, tellsArguments: options.tellsArguments, startedAt: clock.wallMilliseconds)
        record.wishes = RunWishes(options, variable)
        record.surroundings = Surroundings(variable, cgroup: SmallFile.text("/proc/self/cgroup"))
        let file = try place.files.createFile(RunNames.record, in: directory)
        if place.isShared { try place.files.setPermissions(place.filePermissions, of: file) }
        try place.files.write(record.bytes, to: file, at: 0)
        return RunDirectory(
            path: place.path.appending(name.description).string, incident: incident,
            mint: IncidentMint(place: place, directory: directory, name: name, incident: incident), lock: lock,
            recordFile: file, clock: clock, record: record, tellsArguments: options.tellsArguments)
    }

    private init(
        path: String, incident: String, mint: IncidentMint, lock: consuming RunLock,
        recordFile: consuming OwnedDescriptor, clock: any SystemClock, record: RunRecord, tellsArguments: Bool
    ) {
        self.path = path
        self.incident = incident
        self.mint = mint
        self.lock = lock
        self.recordFile = recordFile
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

    /// A file that is empty until the program starts. What is left of a run in which it stayed so is nothing to tell of.
    package var startMark: Int32 { lock.descriptor }

    /// A file of the directory in which the end of standard error outlives this process; opened for reading and
    /// writing, and empty.
    /// - Returns: `nil` where there can be none.
    package func makeStderrFile() -> OwnedDescriptor? {
        guard let file = try? mint.place.files.createFile(RunNames.stderr, in: mint.directory) else { return nil }
        if mint.place.isShared { try? mint.place.files.setPermissions(mint.place.filePermissions, of: file) }
        return file
    }

    /// Removes the directory of a program that could not be started. Nothing is told, and nothing is synced.
    package consuming func discard() {
        try? mint.removeDirectory()
    }

    /// Ends the run: makes the reports of a death that is to be told of, drops them into the spool, and removes the
    /// directory. Nothing is synced where nothing is told.
    /// - Returns: what was dropped, by the names of the drops; empty where the end was nothing to tell of.
    /// - Throws: what keeps a report from being dropped. The directory then stays, for the next owner.
    package consuming func conclude(
        _ end: ProgramEnd, of start: ProgramStart, _ stderr: StderrExcerpt, memory: MemoryWatch, _ options: RunOptions
    ) throws(RunTrouble) -> [String] {
        do throws(FileSystemError) {
            return try tell(end, of: start, options.stderr == .none ? StderrExcerpt() : stderr, memory, options)
        } catch {
            throw RunTrouble(error)
        }
    }

    private borrowing func tell(
        _ end: ProgramEnd, of start: ProgramStart, _ stderr: StderrExcerpt, _ memory: MemoryWatch, _ options: RunOptions
    ) throws(FileSystemError) -> [String] {
        var record = record(of: start)
        let endedWell = end.status == .exited(code: 0)
        let reports = try RunReading(mint).reports(of: record, hasDied: !endedWell)
        // Most programs end so, and are not to wait for more.
        if endedWell, reports.isEmpty, !options.occasions.contains(.any) {
            try mint.removeDirectory()
            return []
        }
        let facts = memory.look()
        var traces = Death.Traces()
        traces.hasReport = !reports.isEmpty
        traces.hasCrash = reports.contains(where: \.isCrash)
        traces.hasCrashText = StderrText(stderr, of: end.status)?.isCrash ?? false
        traces.memoryKills = facts.isOfMachine && !isKernelSure(of: start, record) ? 0 : facts.kills ?? 0
        let death = Death(end, traces, on: options.occasions)
        guard death.isTold else {
            try mint.removeDirectory()
            return []
        }
        var told = ToldEnd(end, death)
        told.memory = facts
        told.kernelLine = kernelLine(of: start, record, end)
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

    private func record(of start: ProgramStart) -> RunRecord {
        var record = record
        record.program = ProgramFacts(start, tellsArguments: tellsArguments)
        return record
    }

    private func write(_ record: RunRecord) throws(FileSystemError) {
        try mint.place.files.write(record.bytes, to: recordFile, at: 0)
    }

    /// Whether the kernel's log says that it has killed this process: the counter of the machine counts all.
    private func isKernelSure(of start: ProgramStart, _ record: RunRecord) -> Bool {
        KernelLog.line(about: start.pid, name: Self.kernelName(record))?.contains("ill") ?? false
    }

    private func kernelLine(of start: ProgramStart, _ record: RunRecord, _ end: ProgramEnd) -> String? {
        guard case .signalled(let signal, _) = end.status, Signal.faults.contains(signal) || signal == Signal.kill
        else { return nil }
        return KernelLog.line(about: start.pid, name: Self.kernelName(record))
    }

    private static func kernelName(_ record: RunRecord) -> String {
        let path = record.program?.path ?? record.program?.name ?? ""
        return path.split(separator: "/").last.map(String.init) ?? ""
    }
}
