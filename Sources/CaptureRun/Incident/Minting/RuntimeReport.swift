import Diagnosis
import DurableIO

/// A report that a program's runtime has left.
struct RuntimeReport: Sendable {
    enum Content: Sendable {
        case bytes([UInt8])
        case file(SharedDescriptor)
        /// It is named, and left out.
        case none(reason: String)
    }

    let name: EntryName
    let byteCount: UInt64
    let content: Content
    let diagnosis: Diagnosis
    /// The last change, in milliseconds since 1970.
    let modifiedAt: Int64

    /// Whether it tells of a crash.
    var isCrash: Bool {
        if case .none = content { return false }
        return diagnosis.kind == .crash
    }
}

/// Reads what runtimes have left of a run.
struct RuntimeReports {
    let files: any FileSystem
    let cleaner: ReportCleaner
    /// Whether the directory is another user's, who may have put anything into it.
    var isForeign = false

    /// How many reports are read, how large they may be in bytes, and how large those from which something is taken
    /// out. A directory of another user gets less.
    private var maximumCount: Int { 32 }
    private var maximumByteCount: UInt64 { isForeign ? 16 << 20 : 1 << 30 }
    private static let maximumCleanedByteCount: UInt64 = 32 << 20

    /// The reports in a run's directory, in the order of their names.
    ///
    /// Only the files of these users are reports. The newest are read: a program that has run for months may have left
    /// one of each of its children. Of the others, and of those that cannot be read, the names are told.
    func reports(in directory: Directory, of owners: [UInt32]) throws(FileSystemError) -> [RuntimeReport] {
        let candidates = try candidates(in: directory, of: owners)
        // So it is for most programs, whose end waits for this.
        guard !candidates.isEmpty else { return [] }
        var reports: [RuntimeReport] = []
        for (index, found) in candidates.enumerated() {
            if index >= maximumCount {
                reports.append(leftOut(found, "the \(maximumCount) newest are kept"))
            } else if let report = try report(found, in: directory, of: owners) {
                reports.append(report)
            }
        }
        return reports.sorted { $0.name < $1.name }
    }

    private typealias Candidate = (name: EntryName, facts: FileMetadata)

    /// What may be reports, the newest first.
    private func candidates(
        in directory: Directory, of owners: [UInt32]
    ) throws(FileSystemError) -> [Candidate] {
        var names: [EntryName] = []
        try files.forEachEntry(in: directory) { name in
            if !RunNames.isOwn(name) { names.append(name) }
            return names.count < 10_000
        }
        guard !names.isEmpty else { return [] }
        var candidates: [Candidate] = []
        for name in names {
            guard let facts = try files.metadata(of: name, in: directory), isOrdinary(facts, owners), facts.size > 0
            else { continue }
            candidates.append((name, facts))
        }
        return candidates.sorted { ($1.facts.modified, $0.name) < ($0.facts.modified, $1.name) }
    }

    private func report(
        _ found: Candidate, in directory: Directory, of owners: [UInt32]
    ) throws(FileSystemError) -> RuntimeReport? {
        do throws(FileSystemError) {
            guard let file = try files.openFileIfPresent(found.name, in: directory) else { return nil }
            let opened = try files.metadata(of: file)
            // It may have been replaced in between.
            guard isOrdinary(opened, owners), opened.size > 0 else { return nil }
            return try report(found.name, SharedDescriptor(file), opened)
        } catch {
            // Another time would not mend it, and it must not hide the others. All else of another user is told of now.
            guard isForeign || error.errno == .permissionDenied else { throw error }
            return leftOut(found, "cannot be read: \(error.errno)")
        }
    }

    private func leftOut(_ found: Candidate, _ reason: String) -> RuntimeReport {
        let nothing = PayloadWindow(head: [], tail: [], byteCount: 0, name: found.name.bytes)
        return RuntimeReport(
            name: found.name, byteCount: found.facts.size, content: .none(reason: reason),
            diagnosis: Diagnosis.recognize(nothing) { _, _ in nil }, modifiedAt: found.facts.modified / 1_000_000)
    }

    /// The reports of JVMs that have written them elsewhere.
    func reportsElsewhere(of program: ProgramFacts, diedAt: Int64?) -> [RuntimeReport] {
        guard !isForeign, let pid = program.pid else { return [] }
        let source = ForeignReport.Source(
            pid: pid, user: program.user, workingDirectory: program.workingDirectory, startedAt: program.startedAt,
            diedAt: diedAt)
        return ForeignReport.ofJVM(source, files: files).compactMap { try? report($0.name, $0.file, $0.facts) }
    }

    private func isOrdinary(_ facts: FileMetadata, _ owners: [UInt32]) -> Bool {
        facts.kind == .regular && facts.linkCount == 1 && owners.contains(facts.owner)
    }

    private func report(
        _ name: EntryName, _ file: SharedDescriptor, _ facts: FileMetadata
    ) throws(FileSystemError) -> RuntimeReport {
        let head = try files.read(file.file, limit: min(Int(clamping: facts.size), PayloadWindow.headByteCount))
        let tailCount = UInt64(min(PayloadWindow.tailByteCount, Int(clamping: facts.size)))
        let tail = try files.read(file.file, limit: Int(tailCount), at: facts.size - tailCount)
        let window = PayloadWindow(
            head: head[...], tail: tail[...], byteCount: Int(clamping: facts.size), name: name.bytes)
        let diagnosis = Diagnosis.recognize(window) { _, _ in nil }
        var content = RuntimeReport.Content.file(file)
        if facts.size > maximumByteCount {
            content = .none(reason: "larger than \(maximumByteCount >> 20) MiB")
        } else if ReportCleaner.isNeeded(for: diagnosis, head: head[...]) {
            content =
                facts.size > Self.maximumCleanedByteCount
                ? .none(reason: "too large to take the environment out of it")
                : .bytes(cleaner.cleaned(try files.read(file.file, limit: Int(facts.size))))
        }
        return RuntimeReport(
            name: name, byteCount: facts.size, content: content, diagnosis: diagnosis,
            modifiedAt: facts.modified / 1_000_000)
    }
}
