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
