/// Removes what dead writers left in a directory of temporary files.
package struct TemporaryCleaner {
    package let files: any FileSystem
    package let directory: Directory

    package init(files: any FileSystem, directory: Directory) {
        self.files = files
        self.directory = directory
    }

    /// Ends after a file when the task is cancelled; the next cleaner does the rest.
    /// - Returns: the names removed. A file whose writer lives is locked and stays, and so does what cannot be removed:
    ///   it takes no name that is given again.
    @discardableResult
    package func clean() throws(FileSystemError) -> [EntryName] {
        var removed: [EntryName] = []
        for name in try files.entries(of: directory) where !Task.isCancelled {
            guard let file = try? files.openFile(name, in: directory) else { continue }
            guard WriterMark.set(on: file) else { continue }
            if (try? files.remove(name, in: directory)) == true { removed.append(name) }
        }
        return removed
    }
}
