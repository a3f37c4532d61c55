import DurableIO

extension IncidentMint {
    /// Sees to it that nothing is told of the run any more, unless it is sealed.
    func forget() throws(FileSystemError) {
        _ = try files.remove(RunNames.record, in: directory)
    }

    /// Removes the run's directory. The record goes first: without it, nothing is told of what is left.
    func removeDirectory() throws(FileSystemError) {
        try forget()
        for entry in try files.entries(of: directory) where entry != RunNames.lock && entry != RunNames.sealed {
            try remove(entry, in: directory)
        }
        try remove(RunNames.sealed, in: directory)
        if let reportRoom = place.reportRoom, let name = EntryName(incident) {
            try remove(name, in: reportRoom.directory)
        }
        _ = try files.remove(RunNames.lock, in: directory)
        _ = try files.removeDirectory(name, in: place.room)
    }

    /// How many directories are removed at most, so that a program which goes on to make some ends at some time. Who
    /// tries again goes on where this has ended.
    private static let directoryLimit = 10_000

    /// Removes an entry and all in it, however deep a program has made it.
    ///
    /// What lies in a directory of a directory is moved up first, so that this needs as few descriptors and as little of
    /// the stack for a thousand levels as for one.
    func remove(_ entry: EntryName, in parent: Directory) throws(FileSystemError) {
        guard let facts = try files.metadata(of: entry, in: parent) else { return }
        guard facts.kind == .directory else {
            _ = try files.remove(entry, in: parent)
            return
        }
        if (try? files.removeDirectory(entry, in: parent)) != nil { return }
        let top = try open(entry, in: parent)
        var inner = try empty(top)
        var count = 0
        while let name = inner.popLast(), count < Self.directoryLimit {
            count += 1
            if (try? files.removeDirectory(name, in: top)) != nil { continue }
            let directory = try open(name, in: top)
            for deeper in try empty(directory) {
                if (try? files.removeDirectory(deeper, in: directory)) != nil { continue }
                let moved = EntryName.unique(prefix: "remains-")
                try files.rename(deeper, in: directory, to: moved, in: top)
                inner.append(moved)
            }
            _ = try files.removeDirectory(name, in: top)
        }
        _ = try files.removeDirectory(entry, in: parent)
    }

    /// Removes all of a directory but the directories in it.
    /// - Returns: their names.
    private func empty(_ directory: Directory) throws(FileSystemError) -> [EntryName] {
        var inner: [EntryName] = []
        for name in try files.entries(of: directory) {
            guard let facts = try files.metadata(of: name, in: directory) else { continue }
            if facts.kind == .directory { inner.append(name) } else { _ = try files.remove(name, in: directory) }
        }
        return inner
    }

    /// Opens a directory to empty it. A program may have made one that its own user may not write to.
    private func open(_ name: EntryName, in parent: Directory) throws(FileSystemError) -> Directory {
        let directory = try files.openDirectory(name, in: parent)
        let facts = try files.metadata(of: directory)
        if facts.owner == UserIdentity.current, facts.permissions & 0o700 != 0o700 {
            try files.setPermissions(0o700, of: directory)
        }
        return directory
    }
}
