import CLinux
import DurableIO

/// The lock of a run: the process that watches a program holds it until it has told of the end.
///
/// It is an open-file-description lock, which the kernel frees when the process dies; no child has its descriptor. The
/// descriptor is open for writing, so that a watcher of the directory hears of its end (`IN_CLOSE_WRITE`). Who takes a
/// lock that was left has a descriptor for reading, whose end no watcher hears of.
struct RunLock: ~Copyable, Sendable {
    private let file: OwnedDescriptor

    /// Valid as long as the value lives.
    var descriptor: Int32 { file.raw }

    /// Makes the file in a new directory, with room for its marks, and locks it.
    /// - Returns: `nil` when somebody took the directory for one that was left.
    static func make(
        in directory: Directory, permissions: UInt32, files: any FileSystem
    ) throws(FileSystemError) -> RunLock? {
        let file = try files.createFile(RunNames.lock, in: directory)
        if permissions & 0o077 != 0 { try files.setPermissions(permissions, of: file) }
        // At a place, so that who writes at the file's position begins at the first mark.
        try files.write(RunMarks.none, to: file, at: 0)
        guard clinux_ofd_try_lock(file.raw) == 0, isNamed(file, in: directory, files) else { return nil }
        return RunLock(file: file)
    }

    /// Notes when somebody has asked the program to end, in milliseconds since 1970.
    func note(request milliseconds: Int64, files: any FileSystem) throws(FileSystemError) {
        try files.write(RunMarks.bytes(ofRequest: milliseconds), to: file, at: RunMarks.requestPlace)
    }

    enum Finding: ~Copyable, Sendable {
        /// The process that holds it lives.
        case held
        /// Another process has taken it as one that was left, and is telling of the run.
        case seized
        /// There is no such file.
        case missing
        case free(RunLock)
    }

    /// Takes a lock that its holder has left.
    ///
    /// The file is opened for reading only: the end of a descriptor for writing would look like the death of a holder
    /// to a watcher of the directory, and the owner of the spool would wake itself by its own sweep.
    /// - Throws: also when the file is not one that a run has made.
    static func seize(
        in directory: Directory, of owner: UInt32, files: any FileSystem
    ) throws(FileSystemError) -> Finding {
        guard let facts = try files.metadata(of: RunNames.lock, in: directory) else { return .missing }
        guard facts.isOrdinary(of: owner) else {
            throw FileSystemError(.lock, directory.path(of: RunNames.lock), .invalidArgument)
        }
        let file = try files.openFile(RunNames.lock, in: directory)
        guard try files.metadata(of: file).isOrdinary(of: owner) else {
            throw FileSystemError(.lock, directory.path(of: RunNames.lock), .invalidArgument)
        }
        let status = clinux_ofd_try_seize(file.raw)
        if status < 0 { return try seizeForWriting(in: directory, as: file, files: files) }
        if status == 2 { return .seized }
        // Another process may have had it, and have removed the directory.
        guard status == 0, isNamed(file, in: directory, files) else { return .held }
        return .free(RunLock(file: file))
    }

    /// Takes the lock on a network file system, where only a descriptor for writing can take one.
    private static func seizeForWriting(
        in directory: Directory, as found: borrowing OwnedDescriptor, files: any FileSystem
    ) throws(FileSystemError) -> Finding {
        let file = try files.openFileForWriting(RunNames.lock, in: directory)
        guard try files.metadata(of: file).isSameFile(as: files.metadata(of: found)),
            clinux_ofd_try_lock(file.raw) == 0, isNamed(file, in: directory, files)
        else { return .held }
        return .free(RunLock(file: file))
    }

    private init(file: consuming OwnedDescriptor) {
        self.file = file
    }

    private static func isNamed(
        _ file: borrowing OwnedDescriptor, in directory: Directory, _ files: any FileSystem
    ) -> Bool {
        guard let mine = try? files.metadata(of: file),
            let named = (try? files.metadata(of: RunNames.lock, in: directory)) ?? nil
        else { return false }
        return mine.isSameFile(as: named)
    }
}

extension FileMetadata {
    /// Whether it is a file that a run's user has made there, and not something that leads elsewhere.
    func isOrdinary(of owner: UInt32) -> Bool {
        kind == .regular && linkCount == 1 && self.owner == owner
    }
}
