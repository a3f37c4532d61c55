import DurableIO
import SystemPackage

/// A report that a runtime has written elsewhere than it was told.
///
/// A JVM that gets no option writes where it was started, else into the directory for temporary files. The options that
/// would change that make every JVM say so on standard error, so that they are not set by default. The report is
/// copied: it is the user's file, and stays where it is.
enum ForeignReport {
    /// Opens the report of a process, whose number is in the report's name.
    ///
    /// A file of another user than the process's is none. An older one than the start of the process, in milliseconds
    /// since 1970, is another process's.
    static func ofJVM(
        _ pid: Int32, workingDirectory: String?, user: UInt32?, startedAt: Int64, files: any FileSystem,
        temporary: String = "/tmp"
    ) -> (name: EntryName, file: SharedDescriptor, facts: FileMetadata)? {
        guard let name = EntryName("hs_err_pid\(pid).log") else { return nil }
        for path in [workingDirectory, temporary] {
            guard let path, let directory = try? files.openDirectory(FilePath(path)),
                let file = try? files.openFileIfPresent(name, in: directory),
                let facts = try? files.metadata(of: file), facts.kind == .regular,
                user == nil || facts.owner == user, facts.modified / 1_000_000 >= startedAt
            else { continue }
            return (name, SharedDescriptor(file), facts)
        }
        return nil
    }
}
