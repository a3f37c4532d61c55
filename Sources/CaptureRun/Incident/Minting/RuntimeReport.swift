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
    /// Only the files of these users are reports.
    func reports(in directory: Directory, of owners: Set<UInt32>) throws(FileSystemError) -> [RuntimeReport] {
        var names: [EntryName] = []
        try files.forEachEntry(in: directory) { name in
            if !RunNames.own.contains(name) { names.append(name) }
            return names.count < 1_000
        }
        var reports: [RuntimeReport] = []
        for name in names.sorted() where reports.count < maximumCount {
            guard let facts = try files.metadata(of: name, in: directory), isOrdinary(facts, owners),
                let file = try files.openFileIfPresent(name, in: directory)
            else { continue }
            let opened = try files.metadata(of: file)
            // It may have been replaced in between.
            guard isOrdinary(opened, owners), opened.size > 0 else { continue }
            reports.append(try report(name, SharedDescriptor(file), opened))
        }
        return reports
    }

    /// The report of a JVM that has written it elsewhere.
    func reportElsewhere(of program: ProgramFacts) -> RuntimeReport? {
        guard !isForeign, let pid = program.pid else { return nil }
        let found = ForeignReport.ofJVM(
            pid, workingDirectory: program.workingDirectory, user: program.user, startedAt: program.startedAt,
            files: files)
        return found.flatMap { try? report($0.name, $0.file, $0.facts) }
    }

    private func isOrdinary(_ facts: FileMetadata, _ owners: Set<UInt32>) -> Bool {
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
