/// Removes what dead writers left in a directory of temporary files.
package struct TemporaryCleaner {
    package let files: any FileSystem
    package let directory: Directory
    private let prefix: String

    /// - Parameters:
    ///   - files: the disk.
    ///   - directory: where the files lie.
    ///   - prefix: what the names of temporary files begin with, in a directory that holds others as well. The default
    ///     is an empty one: all files are temporary.
    package init(files: any FileSystem, directory: Directory, prefix: String = "") {
        self.files = files
        self.directory = directory
        self.prefix = prefix
    }

    /// Ends after a file when the task is cancelled; the next cleaner does the rest.
    /// - Returns: the names removed. A file whose writer lives is locked and stays, and so does what cannot be removed:
    ///   it takes no name that is given again.
    @discardableResult
    package func clean() throws(FileSystemError) -> [EntryName] {
        var removed: [EntryName] = []
        for name in try files.entries(of: directory) where name.hasPrefix(prefix) && !Task.isCancelled {
            guard let file = try? files.openFile(name, in: directory) else { continue }
            guard WriterMark.set(on: file) else { continue }
            if (try? files.remove(name, in: directory)) == true { removed.append(name) }
        }
        return removed
    }
}
