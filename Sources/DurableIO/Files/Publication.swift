import SystemPackage

/// A file on its way into the world: written under a temporary name, then appearing whole under its own.
///
/// This is the one way a file appears. Abandoned, it takes its temporary file with it; after a crash the temporary
/// file is rubbish that the next owner's cleaner removes, told from live ones by the writer's `flock`.
/// After `publish` has returned, contents and name survive a power cut.
package final class Publication {
    private let files: any FileSystem
    private let temporary: Directory
    package let temporaryName: EntryName
    private var file: OwnedDescriptor
    private var isPublished = false

    /// Creates the temporary file.
    /// Its name must be unique among the writers of the directory.
    package init(
        files: any FileSystem, in temporary: Directory, as temporaryName: EntryName
    ) throws(FileSystemError) {
        self.files = files
        self.temporary = temporary
        self.temporaryName = temporaryName
        file = try files.createFile(temporaryName, in: temporary)
        // A cleaner may have taken the file between its creation and the lock; then the caller makes another.
        guard WriterMark.set(on: file), try files.metadata(of: temporaryName, in: temporary) != nil else {
            throw FileSystemError(.lock, temporary.path(of: temporaryName), .resourceTemporarilyUnavailable)
        }
    }

    /// One under a name that no other writer has, which begins with `prefix`. The default is an empty one.
    package static func new(
        in temporary: Directory, prefix: String = "", files: any FileSystem
    ) throws(FileSystemError) -> Publication {
        for _ in 0..<3 {
            do throws(FileSystemError) {
                return try Publication(files: files, in: temporary, as: .unique(prefix: prefix))
            } catch {
                // A cleaner came between the file's creation and its mark.
                guard error.operation == .lock else { throw error }
            }
        }
        return try Publication(files: files, in: temporary, as: .unique(prefix: prefix))
    }

    deinit {
        if !isPublished {
            // Best effort: what stays behind is removed by the next cleaner.
            _ = try? files.remove(temporaryName, in: temporary)
        }
    }

    /// Lets others than this user read the file.
    package func setPermissions(_ permissions: UInt32) throws(FileSystemError) {
        try files.setPermissions(permissions, of: file)
    }

    package func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64? = nil) throws(FileSystemError) {
        try files.write(bytes, to: file, at: offset)
    }

    package func write(_ bytes: [UInt8], at offset: UInt64? = nil) throws(FileSystemError) {
        var failure: FileSystemError?
        bytes.withUnsafeBytes { buffer in
            do throws(FileSystemError) { try write(buffer, at: offset) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Begins to write a part of the contents to the disk, so that publishing does not wait long. Promises nothing.
    package func startWriteBack(in range: Range<UInt64>) throws(FileSystemError) {
        try files.startWriteBack(of: file, in: range)
    }

    /// Waits until the part has been written. Promises nothing.
    package func finishWriteBack(in range: Range<UInt64>) throws(FileSystemError) {
        try files.finishWriteBack(of: file, in: range)
    }

    /// Makes the contents durable and gives the file its name.
    /// - Returns: `false` when another file had the name already; this one is then removed.
    package func publish(as name: EntryName, in directory: Directory) throws(FileSystemError) -> Bool {
        try syncContents()
        let isNew = try appear(as: name, in: directory)
        try files.syncDirectory(directory)
        return isNew
    }

    /// Makes the contents durable and gives the file a name that another may have: that one has it until then.
    package func publish(replacing name: EntryName, in directory: Directory) throws(FileSystemError) {
        try syncContents()
        try files.renameReplacing(temporaryName, in: temporary, to: name, in: directory)
        isPublished = true
        try files.syncDirectory(directory)
    }

    private func appear(as name: EntryName, in directory: Directory) throws(FileSystemError) -> Bool {
        do throws(FileSystemError) {
            try files.rename(temporaryName, in: temporary, to: name, in: directory)
            isPublished = true
            return true
        } catch {
            guard error.errno == .fileExists else { throw error }
            return false
        }
    }

    /// A file and the name it shall have.
    package struct Entry {
        package let publication: Publication
        package let name: EntryName

        package init(_ publication: Publication, as name: EntryName) {
            self.publication = publication
            self.name = name
        }
    }

    /// From how many files on one `syncfs` is cheaper than an `fsync` each.
    package static let groupSyncThreshold = 32

    /// How the contents of a group reach the disk.
    package enum GroupSync: Sendable {
        /// By one `syncfs`, from ``groupSyncThreshold`` files on.
        case together
        /// Each file by itself, because a `syncfs` would wait for a large file that is being written beside the group.
        case oneByOne
    }

    /// Publishes files together: all contents durable, then all names, then the directory once.
    /// - Throws: for the first that fails; others may have appeared.
    package static func publish(
        _ group: [Entry], in directory: Directory, files: any FileSystem
    ) throws(FileSystemError) -> [Bool] {
        guard !group.isEmpty else { return [] }
        try syncContents(of: group, in: directory, files: files)
        var areNew: [Bool] = []
        for entry in group {
            areNew.append(try entry.publication.appear(as: entry.name, in: directory))
        }
        try files.syncDirectory(directory)
        return areNew
    }

    /// Publishes files together in a directory that this user may not read: all contents durable, then all names, then
    /// one sync of the whole file system, because such a directory cannot be synced by itself.
    /// - Throws: for the first that fails; others may have appeared.
    package static func publish(
        _ group: [Entry], inUnlisted directory: Directory, files: any FileSystem
    ) throws(FileSystemError) {
        for entry in group { try entry.publication.syncContents() }
        for entry in group {
            guard try entry.publication.appear(as: entry.name, in: directory) else {
                throw FileSystemError(.rename, directory.path(of: entry.name), .fileExists)
            }
        }
        if let last = group.last { try files.syncFileSystem(of: last.publication.file) }
    }

    /// Makes all contents durable and gives each file its name, which is durable only when the caller has synced the
    /// directory. One that fails keeps no other from appearing. The default is to sync large groups together.
    /// - Returns: for each why it has not appeared; `nil` where it has.
    package static func appear(
        _ group: [Entry], in directory: Directory, syncing: GroupSync = .together, files: any FileSystem
    ) -> [FileSystemError?] {
        let isTogether = syncing == .together && group.count >= groupSyncThreshold
        let isSynced = isTogether && (try? files.syncFileSystem(of: directory)) != nil
        return group.map { entry in
            do throws(FileSystemError) {
                if !isSynced { try entry.publication.syncContents() }
                if try entry.publication.appear(as: entry.name, in: directory) { return nil }
                return FileSystemError(.rename, directory.path(of: entry.name), .fileExists)
            } catch {
                return error
            }
        }
    }

    private static func syncContents(
        of group: [Entry], in directory: Directory, files: any FileSystem
    ) throws(FileSystemError) {
        guard group.count < groupSyncThreshold else { return try files.syncFileSystem(of: directory) }
        for entry in group { try entry.publication.syncContents() }
    }

    private func syncContents() throws(FileSystemError) {
        try files.sync(file)
    }
}
