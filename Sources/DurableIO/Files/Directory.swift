import Glibc
package import SystemPackage

/// An open directory, to which all names are relative, so that a path renamed meanwhile leads nowhere else.
package final class Directory: Sendable {
    package let path: FilePath
    let descriptor: Int32

    init(adopting descriptor: Int32, path: FilePath) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit {
        _ = Glibc.close(descriptor)
    }

    /// The entry's path, for error texts and for the few C libraries that want one.
    package func path(of name: EntryName) -> String {
        path.string + "/" + name.description
    }

    /// The entry's path without a symbolic link in any of its directories, for SQLite: told to follow no link, it
    /// refuses one in every part of a path, and not only in the last.
    ///
    /// It leads into this very directory, also when that was moved since. Where the kernel cannot name the directory, it
    /// is ``path(of:)``.
    package func linklessPath(of name: EntryName) -> String {
        guard let found = Self.name(of: descriptor), leadsHere(found) else { return path(of: name) }
        return (found == "/" ? "" : found) + "/" + name.description
    }

    /// What the kernel calls an open directory.
    private static func name(of descriptor: Int32) -> String? {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/fd/\(descriptor)", &bytes, bytes.count)
        guard count > 0, count < bytes.count else { return nil }
        return String(validating: bytes.prefix(count), as: UTF8.self)
    }

    /// Whether a path leads to this directory. That of a removed directory, or of one outside the root of this process,
    /// does not.
    private func leadsHere(_ path: String) -> Bool {
        var (mine, found) = (stat(), stat())
        guard path.hasPrefix("/"), fstat(descriptor, &mine) == 0, stat(path, &found) == 0 else { return false }
        return mine.st_dev == found.st_dev && mine.st_ino == found.st_ino
    }
}

/// A directory of this process alone, below `$TMPDIR`.
package enum TemporaryDirectory {
    package static func make(files: any FileSystem) throws(FileSystemError) -> Directory {
        let parent = Environment.value("TMPDIR").flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array((parent + "/reports-XXXXXX").utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        guard let made else { throw FileSystemError(.makeDirectory, parent) }
        return try files.openDirectory(FilePath(made))
    }

    /// A directory that is open and already gone: empty for ever. Stands in for one that is not there.
    package static func vacated(files: any FileSystem) throws(FileSystemError) -> Directory {
        let directory = try make(files: files)
        remove(directory)
        return directory
    }

    /// Removes the directory, which must be empty.
    package static func remove(_ directory: Directory) {
        _ = directory.path.withPlatformString { rmdir($0) }
    }
}
