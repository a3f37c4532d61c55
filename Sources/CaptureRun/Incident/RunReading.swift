import DurableIO
import SystemPackage

/// Reads what is in the directory of a run.
struct RunReading {
    private let place: RunPlace
    private let directory: Directory
    private let incident: String
    /// Whether the directory is another user's.
    private let isForeign: Bool

    private var files: any FileSystem { place.files }

    init(_ mint: IncidentMint) {
        self.init(place: mint.place, directory: mint.directory, incident: mint.incident)
    }

    init(place: RunPlace, directory: Directory, incident: String, isForeign: Bool = false) {
        (self.place, self.directory, self.incident, self.isForeign) = (place, directory, incident, isForeign)
    }

    /// The run's record.
    /// - Returns: `nil` when there is none: nothing was started, or all of it is told already. A damaged record is one
    ///   without the program.
    func record() throws(FileSystemError) -> RunRecord? {
        guard let file = try openOwn(RunNames.record) else { return nil }
        return RunRecord(incident: incident, try files.read(file, limit: RunRecord.maximumByteCount))
    }

    /// What was noted besides, in the file of the lock.
    func marks() throws(FileSystemError) -> RunMarks {
        guard let file = try openOwn(RunNames.lock) else { return RunMarks() }
        return RunMarks(try files.read(file, limit: RunMarks.none.count))
    }

    /// The end of standard error, as far as it outlived the process that read it.
    func stderr(
        _ read: (borrowing OwnedDescriptor) -> StderrExcerpt
    ) throws(FileSystemError) -> StderrExcerpt {
        guard let file = try openOwn(RunNames.stderr) else { return StderrExcerpt() }
        return read(file)
    }

    /// The reports of the program's runtime.
    ///
    /// It may have left some elsewhere (``ForeignReport``), which are only looked for if it has died.
    /// `hasDied` is whether it has ended otherwise than well, and `diedAt` when, in milliseconds since 1970, if anybody
    /// knows.
    func reports(
        of record: RunRecord, hasDied: Bool, diedAt: Int64? = nil
    ) throws(FileSystemError) -> [RuntimeReport] {
        let owner = try files.metadata(of: directory).owner
        var owners = [owner]
        // A program may gain rights after its start, and its files are another user's then. In a directory of this user
        // that is no danger, because nobody else can make files there. That is also why a program of root's that gives
        // its rights up can leave no file: a directory that it could write to would let it lead root's runtime elsewhere.
        if !isForeign, let user = record.program?.user { owners.append(user) }
        let cleaner = ReportCleaner(variables: record.wishes.variables, keepsArguments: record.wishes.tellsArguments)
        let reader = RuntimeReports(files: files, cleaner: cleaner, isForeign: isForeign)
        var reports = try reader.reports(in: directory, of: owners)
        if let other = try place.reportDirectory(of: incident) {
            reports += try reader.reports(in: other, of: owners)
        }
        if hasDied, let program = record.program {
            let names = reports.map(\.name)
            reports += reader.reportsElsewhere(of: program, diedAt: diedAt).filter { !names.contains($0.name) }
        }
        return reports
    }

    /// A file that the run has made, and not something else of its name.
    private func openOwn(_ name: EntryName) throws(FileSystemError) -> OwnedDescriptor? {
        let owner = try files.metadata(of: directory).owner
        guard let facts = try files.metadata(of: name, in: directory) else { return nil }
        guard facts.isOrdinary(of: owner), let file = try files.openFileIfPresent(name, in: directory),
            try files.metadata(of: file).isOrdinary(of: owner)
        else {
            throw FileSystemError(.open, directory.path(of: name), .invalidArgument)
        }
        return file
    }
}
