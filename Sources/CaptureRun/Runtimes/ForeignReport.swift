import DurableIO
import SystemPackage

/// A report that a runtime has written elsewhere than it was told.
///
/// A JVM that gets no option writes where it was started, else into the directory for temporary files. The options that
/// would change that make every JVM say so on standard error, so that they are not set by default. The report is
/// copied: it is the user's file, and stays where it is.
struct ForeignReport {
    let name: EntryName
    let file: SharedDescriptor
    let facts: FileMetadata

    /// Whose reports they are, and when they can have been written.
    struct Source {
        let pid: Int32
        /// The user as whom the process ran; `nil` where that is not known.
        var user: UInt32?
        var workingDirectory: String?
        /// When the process was started, in milliseconds since 1970. What is older is another process's.
        var startedAt: Int64
        /// When it died; `nil` where nobody knows.
        var diedAt: Int64?
        var temporary = "/tmp"
    }

    /// How long before the death of a program a JVM that it had started may have died of the same, in milliseconds.
    private static let closeness: Int64 = 10_000
    /// How many reports of such JVMs are taken, and among how many names they are looked for.
    private static let childCount = 4
    private static let nameCount = 10_000

    /// Opens the reports of JVMs: that of the process itself, whose number is in the name, and those of JVMs in the same
    /// directory that died just before it. A script that starts a JVM dies with its status.
    ///
    /// A file of another user than the process's is none, and one with several names may be anybody's.
    static func ofJVM(_ source: Source, files: any FileSystem) -> [ForeignReport] {
        guard let name = EntryName("hs_err_pid\(source.pid).log") else { return [] }
        for path in [source.workingDirectory, source.temporary] {
            guard let directory = path.flatMap({ try? files.openDirectory(FilePath($0)) }) else { continue }
            if let own = open(name, in: directory, source, since: source.startedAt, files) { return [own] }
        }
        return ofChildren(source, files)
    }

    private static func ofChildren(_ source: Source, _ files: any FileSystem) -> [ForeignReport] {
        guard let diedAt = source.diedAt, let path = source.workingDirectory,
            let directory = try? files.openDirectory(FilePath(path))
        else { return [] }
        var names: [EntryName] = []
        var count = 0
        try? files.forEachEntry(in: directory) { name in
            if isName(name) { names.append(name) }
            count += 1
            return count < nameCount && names.count < 100
        }
        let since = max(source.startedAt, diedAt - closeness)
        let found = names.compactMap { open($0, in: directory, source, since: since, files) }
        return Array(found.sorted { $0.facts.modified > $1.facts.modified }.prefix(childCount))
    }

    private static func isName(_ name: EntryName) -> Bool {
        guard name.hasPrefix("hs_err_pid"), name.bytes.suffix(4) == Array(".log".utf8)[...] else { return false }
        let number = name.bytes.dropFirst("hs_err_pid".utf8.count).dropLast(4)
        return !number.isEmpty && number.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static func open(
        _ name: EntryName, in directory: Directory, _ source: Source, since: Int64, _ files: any FileSystem
    ) -> ForeignReport? {
        guard let file = try? files.openFileIfPresent(name, in: directory), let facts = try? files.metadata(of: file),
            facts.kind == .regular, facts.linkCount == 1, source.user == nil || facts.owner == source.user,
            facts.modified / 1_000_000 >= since
        else { return nil }
        return ForeignReport(name: name, file: SharedDescriptor(file), facts: facts)
    }
}
