package import SystemPackage

/// The file operations everything durable is made of: the one seam between the flow of a report and the disk.
///
/// `POSIXFileSystem` is the real one. Tests put another in its place that fails or cuts power between calls. Nothing
/// is on disk before `sync` (contents) and `syncDirectory` (names) have returned. Symbolic links are never followed
/// below a `Directory`.
package protocol FileSystem: Sendable {
    /// Opens a directory by path; symbolic links on the way are the caller's own and are followed.
    func openDirectory(_ path: FilePath) throws(FileSystemError) -> Directory
    func openDirectory(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> Directory
    /// Opens a directory that this user may not read, by path. Names in it can be used. It can neither be listed nor
    /// synced.
    func openUnlisted(_ path: FilePath) throws(FileSystemError) -> Directory
    func openUnlisted(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> Directory
    /// - Returns: `false` when it existed already.
    func makeDirectory(_ path: FilePath, permissions: UInt32) throws(FileSystemError) -> Bool
    func makeDirectory(_ name: EntryName, in directory: Directory, permissions: UInt32) throws(FileSystemError) -> Bool

    /// Creates a file that must not exist, readable and writable by its owner whatever the umask.
    func createFile(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> OwnedDescriptor
    /// Opens for reading without following links or blocking on a FIFO.
    func openFile(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> OwnedDescriptor
    /// Opens a file that exists for reading and writing, without following links.
    func openFileForWriting(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> OwnedDescriptor
    /// Opens for reading by a path from the command line, following links, never blocking on a FIFO.
    func openFile(_ path: FilePath) throws(FileSystemError) -> OwnedDescriptor

    /// Reads of a pipe wait for its writer from now on.
    func makeBlocking(_ file: borrowing OwnedDescriptor) throws(FileSystemError)

    /// - Returns: `nil` when there is no such entry. A symbolic link is described itself.
    func metadata(of name: EntryName, in directory: Directory) throws(FileSystemError) -> FileMetadata?
    func metadata(of file: borrowing OwnedDescriptor) throws(FileSystemError) -> FileMetadata
    func metadata(of directory: Directory) throws(FileSystemError) -> FileMetadata

    /// - Returns: the number of bytes read; 0 at the end of the file.
    func read(
        _ file: borrowing OwnedDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64?
    ) throws(FileSystemError) -> Int
    /// Writes all bytes, at the file's position or at `offset`.
    func write(
        _ bytes: UnsafeRawBufferPointer, to file: borrowing OwnedDescriptor, at offset: UInt64?
    ) throws(FileSystemError)

    /// Begins to write a part of a file to the disk (`sync_file_range`), so that the sync after it finds little to do.
    /// This promises nothing: before `sync` has returned, neither contents nor size are durable.
    /// - Throws: when the disk fails. The kernel tells an open file of a failure once: a later sync would not know.
    func startWriteBack(of file: borrowing OwnedDescriptor, in range: Range<UInt64>) throws(FileSystemError)
    /// Waits until the part has been written, which promises as little.
    /// - Throws: when the disk fails, as above.
    func finishWriteBack(of file: borrowing OwnedDescriptor, in range: Range<UInt64>) throws(FileSystemError)

    /// Contents and size reach the disk (`fdatasync` is not enough for a new file's metadata: `fsync`).
    func sync(_ file: borrowing OwnedDescriptor) throws(FileSystemError)
    /// The names in the directory reach the disk.
    func syncDirectory(_ directory: Directory) throws(FileSystemError)
    /// Everything written to the file system below the directory reaches the disk (`syncfs`).
    func syncFileSystem(of directory: Directory) throws(FileSystemError)
    /// The same for the file system that the file lies on. Names in a directory that this user may not read reach the
    /// disk no other way.
    func syncFileSystem(of file: borrowing OwnedDescriptor) throws(FileSystemError)

    /// Moves an entry; fails with `.fileExists` rather than replacing another.
    func rename(
        _ name: EntryName, in source: Directory, to newName: EntryName, in target: Directory
    ) throws(FileSystemError)
    /// Moves an entry over whatever has the new name.
    func renameReplacing(
        _ name: EntryName, in source: Directory, to newName: EntryName, in target: Directory
    ) throws(FileSystemError)
    /// Gives an entry's file a second name; fails with `.fileExists` rather than replacing another.
    func link(
        _ name: EntryName, in source: Directory, to newName: EntryName, in target: Directory
    ) throws(FileSystemError)
    /// - Returns: `false` when there was no such entry.
    @discardableResult
    func remove(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> Bool
    /// Removes an empty directory.
    /// - Returns: `false` when there was no such entry.
    @discardableResult
    func removeDirectory(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> Bool

    /// Gives a file to another user and group, which only root may do.
    func setOwner(_ user: UInt32, group: UInt32, of file: borrowing OwnedDescriptor) throws(FileSystemError)

    func setPermissions(
        _ permissions: UInt32, of name: EntryName, in directory: Directory
    ) throws(FileSystemError)

    func setPermissions(_ permissions: UInt32, of directory: Directory) throws(FileSystemError)
    func setPermissions(_ permissions: UInt32, of file: borrowing OwnedDescriptor) throws(FileSystemError)

    /// Visits every entry but `.` and `..`, in no order, until the body returns `false`. The body also gets whether the
    /// entry may be a directory, as far as the listing tells.
    func forEachListed(
        in directory: Directory, _ body: (EntryName, _ mayBeDirectory: Bool) -> Bool
    ) throws(FileSystemError)
    /// What an unprivileged process may still write, and the size of the whole, in bytes.
    func space(on directory: Directory) throws(FileSystemError) -> (available: UInt64, total: UInt64)
    /// The name of a file system on which neither locks nor renames can be trusted, or `nil` for a local one.
    func remoteFileSystemName(of directory: Directory) -> String?
}

extension FileSystem {
    package func remoteFileSystemName(of directory: Directory) -> String? { directory.remoteFileSystemName }

    /// Visits every entry but `.` and `..`, in no order, until the body returns `false`.
    package func forEachEntry(in directory: Directory, _ body: (EntryName) -> Bool) throws(FileSystemError) {
        try forEachListed(in: directory) { name, _ in body(name) }
    }

    /// All entries in byte order.
    package func entries(of directory: Directory) throws(FileSystemError) -> [EntryName] {
        var names: [EntryName] = []
        try forEachEntry(in: directory) { name in
            names.append(name)
            return true
        }
        return names.sorted()
    }

    package func isEmpty(_ directory: Directory) throws(FileSystemError) -> Bool {
        var isEmpty = true
        try forEachEntry(in: directory) { _ in
            isEmpty = false
            return false
        }
        return isEmpty
    }

    /// Makes the directory and all above it that are missing, each durable before the next is made in it.
    /// - Returns: whether the last one is new.
    @discardableResult
    package func makeDirectories(_ path: FilePath, permissions: UInt32) throws(FileSystemError) -> Bool {
        do throws(FileSystemError) {
            guard try makeDirectory(path, permissions: permissions) else { return false }
        } catch {
            let parent = path.removingLastComponent()
            guard error.errno == .noSuchFileOrDirectory, !parent.isEmpty, parent != path else { throw error }
            // What lies above the spool is nobody's secret; the umask decides there as for mkdir -p.
            try makeDirectories(parent, permissions: 0o755)
            guard try makeDirectory(path, permissions: permissions) else { return false }
        }
        try syncParent(of: path)
        return true
    }

    /// Opens the directory, and makes it and all above it that is missing, each durable before the next is made in it.
    ///
    /// Who may write to the directory above can put a link, or another directory, in the place of what was made. So what
    /// comes back as new is this user's, and was reached without a link. One that was there before may be a link.
    /// - Returns: the directory, and whether it is new.
    package func openOrMakeDirectory(
        _ path: FilePath, permissions: UInt32
    ) throws(FileSystemError) -> (directory: Directory, isNew: Bool) {
        do throws(FileSystemError) {
            return (try openDirectory(path), false)
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
        }
        let parentPath = path.removingLastComponent()
        if !parentPath.isEmpty { try makeDirectories(parentPath, permissions: 0o755) }
        let parent = try openDirectory(parentPath.isEmpty ? "." : parentPath)
        guard let name = path.lastComponent.flatMap({ EntryName($0.string) }),
            try makeDirectory(name, in: parent, permissions: permissions)
        else { return (try openDirectory(path), false) }
        let facts = try metadata(of: openDirectory(name, in: parent))
        let directory = try openDirectory(path)
        guard facts.owner == UserIdentity.current, try metadata(of: directory).isSameFile(as: facts)
        else { throw FileSystemError(.makeDirectory, path.string, .notPermitted) }
        try syncDirectory(parent)
        return (directory, true)
    }

    private func syncParent(of path: FilePath) throws(FileSystemError) {
        let parent = path.removingLastComponent()
        try syncDirectory(openDirectory(parent.isEmpty ? "." : parent))
    }

    /// - Returns: `nil` when there is no such entry.
    package func openFileIfPresent(
        _ name: EntryName, in directory: Directory
    ) throws(FileSystemError) -> OwnedDescriptor? {
        do throws(FileSystemError) {
            return try openFile(name, in: directory)
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return nil
        }
    }

    /// A small file whole, or `nil` when there is none.
    package func contents(
        of name: EntryName, in directory: Directory, limit: Int = 1 << 20
    ) throws(FileSystemError) -> [UInt8]? {
        guard let file = try openFileIfPresent(name, in: directory) else { return nil }
        return try read(file, limit: limit)
    }

    /// At most `limit` bytes of the file.
    package func read(
        _ file: borrowing OwnedDescriptor, limit: Int, at offset: UInt64 = 0
    ) throws(FileSystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        var count = 0
        while count < limit {
            let got = try readSlice(file, into: &bytes, from: count, at: offset + UInt64(count))
            if got == 0 { break }
            count += got
        }
        bytes.removeLast(limit - count)
        return bytes
    }

    private func readSlice(
        _ file: borrowing OwnedDescriptor, into bytes: inout [UInt8], from count: Int, at offset: UInt64
    ) throws(FileSystemError) -> Int {
        // `withUnsafeMutableBytes` has no typed rethrow for a closure that borrows the descriptor.
        var result: Result<Int, FileSystemError> = .success(0)
        bytes.withUnsafeMutableBytes { buffer in
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            do throws(FileSystemError) {
                result = .success(try read(file, into: rest, at: offset))
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }

    package func write(
        _ bytes: [UInt8], to file: borrowing OwnedDescriptor, at offset: UInt64? = nil
    ) throws(FileSystemError) {
        var failure: FileSystemError?
        bytes.withUnsafeBytes { buffer in
            do throws(FileSystemError) { try write(buffer, to: file, at: offset) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
