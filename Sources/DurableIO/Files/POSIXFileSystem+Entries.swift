import CLinux
import Glibc
import SystemPackage

extension POSIXFileSystem {
    package func rename(
        _ name: EntryName, in source: Directory, to newName: EntryName, in target: Directory
    ) throws(FileSystemError) {
        let status = name.withCString { from in
            newName.withCString { to in
                clinux_renameat2_noreplace(source.descriptor, from, target.descriptor, to)
            }
        }
        guard status == 0 else { throw FileSystemError(.rename, source.path(of: name)) }
    }

    package func renameReplacing(
        _ name: EntryName, in source: Directory, to newName: EntryName, in target: Directory
    ) throws(FileSystemError) {
        let status = name.withCString { from in
            newName.withCString { to in renameat(source.descriptor, from, target.descriptor, to) }
        }
        guard status == 0 else { throw FileSystemError(.rename, source.path(of: name)) }
    }

    package func link(
        _ name: EntryName, in source: Directory, to newName: EntryName, in target: Directory
    ) throws(FileSystemError) {
        let status = name.withCString { from in
            newName.withCString { to in linkat(source.descriptor, from, target.descriptor, to, 0) }
        }
        guard status == 0 else { throw FileSystemError(.link, source.path(of: name)) }
    }

    @discardableResult
    package func remove(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> Bool {
        guard name.withCString({ unlinkat(directory.descriptor, $0, 0) }) == 0 else {
            let error = FileSystemError(.remove, directory.path(of: name))
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return false
        }
        return true
    }

    @discardableResult
    package func removeDirectory(_ name: EntryName, in directory: Directory) throws(FileSystemError) -> Bool {
        guard name.withCString({ unlinkat(directory.descriptor, $0, AT_REMOVEDIR) }) == 0 else {
            let error = FileSystemError(.remove, directory.path(of: name))
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return false
        }
        return true
    }

    package func setOwner(
        _ user: UInt32, group: UInt32, of file: borrowing OwnedDescriptor
    ) throws(FileSystemError) {
        guard fchown(file.raw, user, group) == 0 else { throw FileSystemError(.changeOwner, file.path) }
    }

    package func setPermissions(
        _ permissions: UInt32, of name: EntryName, in directory: Directory
    ) throws(FileSystemError) {
        // The spool's own entries only, which are never links.
        guard name.withCString({ fchmodat(directory.descriptor, $0, permissions, 0) }) == 0 else {
            throw FileSystemError(.changeMode, directory.path(of: name))
        }
    }

    package func setPermissions(_ permissions: UInt32, of directory: Directory) throws(FileSystemError) {
        guard fchmod(directory.descriptor, permissions) == 0 else {
            throw FileSystemError(.changeMode, directory.path.string)
        }
    }

    package func setPermissions(
        _ permissions: UInt32, of file: borrowing OwnedDescriptor
    ) throws(FileSystemError) {
        guard fchmod(file.raw, permissions) == 0 else { throw FileSystemError(.changeMode, file.path) }
    }

    package func forEachListed(
        in directory: Directory, _ body: (EntryName, _ mayBeDirectory: Bool) -> Bool
    ) throws(FileSystemError) {
        // A descriptor of its own: two listings of one directory must not share a position.
        let raw = openat(directory.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard raw >= 0, let stream = fdopendir(raw) else {
            let error = FileSystemError(.list, directory.path.string)
            if raw >= 0 { _ = Glibc.close(raw) }
            // A directory that is removed while it is open has no entries, not even its own.
            guard error.errno != .noSuchFileOrDirectory else { return }
            throw error
        }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw FileSystemError(.list, directory.path.string) }
                return
            }
            guard let name = EntryName(bytes: Self.nameBytes(of: entry)) else { continue }
            let kind = Int(entry.pointee.d_type)
            guard body(name, kind == DT_DIR || kind == DT_UNKNOWN) else { return }
        }
    }

    private static func nameBytes(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
        let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
        let start = UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: UInt8.self)
        let count = strlen(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))
        return Array(UnsafeBufferPointer(start: start, count: count))
    }

    package func space(on directory: Directory) throws(FileSystemError) -> (available: UInt64, total: UInt64) {
        var facts = statvfs()
        guard fstatvfs(directory.descriptor, &facts) == 0 else {
            throw FileSystemError(.inspect, directory.path.string)
        }
        let unit = UInt64(facts.f_frsize)
        return (UInt64(facts.f_bavail) &* unit, UInt64(facts.f_blocks) &* unit)
    }
}

extension Directory {
    /// The name of a file system on which neither locks nor renames can be trusted, or `nil` for a local one.
    package var remoteFileSystemName: String? {
        switch clinux_filesystem_magic(descriptor) {
        case 0x6969: "NFS"
        case 0x517b, 0xff53_4d42, 0xfe53_4d42: "SMB"
        case 0x0102_1997: "9p"
        case 0x6573_5546: "FUSE"
        default: nil
        }
    }
}
