import CLinux
import Glibc
package import SystemPackage

/// The machine's own file system.
package struct POSIXFileSystem: FileSystem {
    package init() {}

    package func openDirectory(_ path: FilePath) throws(FileSystemError) -> Directory {
        let raw = path.withPlatformString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard raw >= 0 else { throw FileSystemError(.open, path.string) }
        return Directory(adopting: raw, path: path)
    }

    package func openDirectory(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> Directory {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let raw = name.withCString { openat(directory.descriptor, $0, flags) }
        guard raw >= 0 else { throw FileSystemError(.open, directory.path(of: name)) }
        return Directory(adopting: raw, path: FilePath(directory.path(of: name)))
    }

    package func openUnlisted(_ path: FilePath) throws(FileSystemError) -> Directory {
        let raw = path.withPlatformString { clinux_open_unlisted(AT_FDCWD, $0, 1) }
        guard raw >= 0 else { throw FileSystemError(.open, path.string) }
        return Directory(adopting: raw, path: path)
    }

    package func openUnlisted(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> Directory {
        let raw = name.withCString { clinux_open_unlisted(directory.descriptor, $0, 0) }
        guard raw >= 0 else { throw FileSystemError(.open, directory.path(of: name)) }
        return Directory(adopting: raw, path: FilePath(directory.path(of: name)))
    }

    package func makeDirectory(_ path: FilePath, permissions: UInt32) throws(FileSystemError) -> Bool {
        guard path.withPlatformString({ mkdir($0, permissions) }) == 0 else {
            let error = FileSystemError(.makeDirectory, path.string)
            guard error.errno == .fileExists else { throw error }
            return false
        }
        return true
    }

    package func makeDirectory(
        _ name: EntryName, in directory: Directory, permissions: UInt32
    ) throws(FileSystemError) -> Bool {
        guard name.withCString({ mkdirat(directory.descriptor, $0, permissions) }) == 0 else {
            let error = FileSystemError(.makeDirectory, directory.path(of: name))
            guard error.errno == .fileExists else { throw error }
            return false
        }
        // The umask may have taken bits away that the spool's other users need (shared mode). Where it has not, nothing is
        // set: for a user outside of the directory's group, that would take the set-group-ID bit away.
        if try metadata(of: name, in: directory)?.permissions != permissions {
            try setPermissions(permissions, ofNew: name, in: directory)
        }
        return true
    }

    /// In a directory of another user, that user may have put something else in the place of what was made. So this
    /// follows no link, and changes only a directory of this user that has less than these permissions, or is empty.
    private func setPermissions(
        _ permissions: UInt32, ofNew name: EntryName, in directory: Directory
    ) throws(FileSystemError) {
        let made = try openUnlisted(name, in: directory)
        let facts = try metadata(of: made)
        // The kernel gives the set-group-ID bit on from the directory above.
        guard facts.owner == UserIdentity.current else {
            throw FileSystemError(.changeMode, directory.path(of: name), .notPermitted)
        }
        let hasLess = facts.permissions & ~(permissions | 0o2000) == 0
        if hasLess, chmod("/proc/self/fd/\(made.descriptor)", permissions) == 0 { return }
        // There is no /proc, or the file system has permissions of its own.
        let listed = try openDirectory(name, in: directory)
        let isHarmless = hasLess ? true : try isEmpty(listed)
        guard isHarmless, try metadata(of: listed).isSameFile(as: facts) else {
            throw FileSystemError(.changeMode, directory.path(of: name), .notPermitted)
        }
        try setPermissions(permissions, of: listed)
    }

    package func createFile(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> OwnedDescriptor {
        let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let raw = name.withCString { openat(directory.descriptor, $0, flags, 0o600) }
        guard raw >= 0 else { throw FileSystemError(.create, directory.path(of: name)) }
        let file = OwnedDescriptor(adopting: raw, path: directory.path(of: name))
        // The umask may have taken something away. It hardly ever has, and to look is cheaper than to set.
        var facts = stat()
        if fstat(raw, &facts) == 0, facts.st_mode & 0o7777 == 0o600 { return file }
        guard fchmod(raw, 0o600) == 0 else { throw FileSystemError(.changeMode, directory.path(of: name)) }
        return file
    }

    package func openFile(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> OwnedDescriptor {
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let raw = name.withCString { openat(directory.descriptor, $0, flags) }
        guard raw >= 0 else { throw FileSystemError(.open, directory.path(of: name)) }
        return OwnedDescriptor(adopting: raw, path: directory.path(of: name))
    }

    package func openFileForWriting(
        _ name: EntryName, in directory: Directory
    ) throws(FileSystemError) -> OwnedDescriptor {
        let flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let raw = name.withCString { openat(directory.descriptor, $0, flags) }
        guard raw >= 0 else { throw FileSystemError(.open, directory.path(of: name)) }
        return OwnedDescriptor(adopting: raw, path: directory.path(of: name))
    }

    package func openFile(_ path: FilePath) throws(FileSystemError) -> OwnedDescriptor {
        let raw = path.withPlatformString { open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
        guard raw >= 0 else { throw FileSystemError(.open, path.string) }
        return OwnedDescriptor(adopting: raw, path: path.string)
    }

    package func makeBlocking(_ file: borrowing OwnedDescriptor) throws(FileSystemError) {
        let flags = fcntl(file.raw, F_GETFL)
        guard flags >= 0, fcntl(file.raw, F_SETFL, flags & ~O_NONBLOCK) == 0 else {
            throw FileSystemError(.open, file.path)
        }
        // Opened without waiting it would read as empty until somebody opens it for writing.
        var waiting = pollfd(fd: file.raw, events: Int16(POLLIN), revents: 0)
        while poll(&waiting, 1, -1) < 0, errno == EINTR {}
    }

    package func metadata(of name: EntryName, in directory: Directory) throws(FileSystemError) -> FileMetadata? {
        var facts = stat()
        guard name.withCString({ fstatat(directory.descriptor, $0, &facts, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            let error = FileSystemError(.inspect, directory.path(of: name))
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return nil
        }
        return FileMetadata(facts)
    }

    package func metadata(of file: borrowing OwnedDescriptor) throws(FileSystemError) -> FileMetadata {
        var facts = stat()
        guard fstat(file.raw, &facts) == 0 else { throw FileSystemError(.inspect, file.path) }
        return FileMetadata(facts)
    }

    package func metadata(of directory: Directory) throws(FileSystemError) -> FileMetadata {
        var facts = stat()
        guard fstat(directory.descriptor, &facts) == 0 else {
            throw FileSystemError(.inspect, directory.path.string)
        }
        return FileMetadata(facts)
    }

    package func read(
        _ file: borrowing OwnedDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64?
    ) throws(FileSystemError) -> Int {
        let raw = file.raw
        let count = retryingInterrupted {
            guard let offset else { return Glibc.read(raw, buffer.baseAddress, buffer.count) }
            return pread(raw, buffer.baseAddress, buffer.count, off_t(clamping: offset))
        }
        guard count >= 0 else { throw FileSystemError(.read, file.path) }
        return count
    }

    package func write(
        _ bytes: UnsafeRawBufferPointer, to file: borrowing OwnedDescriptor, at offset: UInt64?
    ) throws(FileSystemError) {
        let raw = file.raw
        var rest = bytes
        var position = offset
        while !rest.isEmpty {
            let count = retryingInterrupted {
                guard let position else { return Glibc.write(raw, rest.baseAddress, rest.count) }
                return pwrite(raw, rest.baseAddress, rest.count, off_t(clamping: position))
            }
            guard count >= 0 else { throw FileSystemError(.write, file.path) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            position = position.map { $0 + UInt64(count) }
        }
    }

    package func startWriteBack(
        of file: borrowing OwnedDescriptor, in range: Range<UInt64>
    ) throws(FileSystemError) {
        let start = Int64(clamping: range.lowerBound)
        try Self.check(clinux_start_write_back(file.raw, start, Int64(clamping: range.count)), file)
    }

    package func finishWriteBack(
        of file: borrowing OwnedDescriptor, in range: Range<UInt64>
    ) throws(FileSystemError) {
        let start = Int64(clamping: range.lowerBound)
        try Self.check(clinux_finish_write_back(file.raw, start, Int64(clamping: range.count)), file)
    }

    /// Where write-back cannot be asked for, as on a pipe or under an old kernel, the sync does all of it.
    private static func check(_ status: Int32, _ file: borrowing OwnedDescriptor) throws(FileSystemError) {
        guard status != 0, case let error = FileSystemError(.sync, file.path) else { return }
        if error.errno == .ioError || error.isOutOfSpace { throw error }
    }

    package func sync(_ file: borrowing OwnedDescriptor) throws(FileSystemError) {
        guard fsync(file.raw) == 0 else { throw FileSystemError(.sync, file.path) }
    }

    package func syncDirectory(_ directory: Directory) throws(FileSystemError) {
        guard fsync(directory.descriptor) == 0 else { throw FileSystemError(.sync, directory.path.string) }
    }

    package func syncFileSystem(of directory: Directory) throws(FileSystemError) {
        guard clinux_syncfs(directory.descriptor) == 0 else {
            throw FileSystemError(.sync, directory.path.string)
        }
    }

    package func syncFileSystem(of file: borrowing OwnedDescriptor) throws(FileSystemError) {
        guard clinux_syncfs(file.raw) == 0 else { throw FileSystemError(.sync, file.path) }
    }
}
