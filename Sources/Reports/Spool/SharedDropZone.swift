package import DurableIO
package import SystemPackage

/// The drop zone of a spool that belongs to another user, who lets every user of the machine drop files into it.
///
/// This user may use names in `incoming/`, and may neither list it nor enter any other room of the spool. A producer
/// writes a file under a hidden name, which the owner passes over, and gives the file its own name once it is durable.
/// If the producer dies before that, the next process that becomes the owner removes the file.
package struct SharedDropZone: Sendable {
    /// `incoming/`, where the files are also written: this user may write to no other directory of the spool.
    package let room: CollectingRoom
    package let path: FilePath

    /// What the names of files begin with that are being written.
    static let temporaryPrefix = ".adding-"

    /// Opens the drop zone of another user's spool.
    ///
    /// The spool's version cannot be read by this user, and need not be: what is dropped tells its own.
    /// - Returns: `nil` when there is no such spool, when this user may use it as its own, and when it is not shared.
    /// - Throws: ``ReportsError`` of code `spoolNotUsable` when it lies on a network file system.
    package static func open(
        _ path: FilePath, options: ReportSpool.Options, files: any FileSystem = POSIXFileSystem(),
        clock: any SystemClock = LinuxClock()
    ) throws(ReportsError) -> SharedDropZone? {
        guard UserIdentity.current != 0, let root = try? files.openUnlisted(path),
            let facts = try? files.metadata(of: root), facts.owner != UserIdentity.current,
            root.renameObstacle == .forbidden,
            let incoming = try? files.openUnlisted("incoming", in: root), incoming.renameObstacle == nil,
            let mode = try? files.metadata(of: incoming), mode.isSharedDropZone
        else { return nil }
        try ReportSpool.refuseRemote(incoming, options, files: files)
        return SharedDropZone(incoming, path: path, spool: facts, facts: mode, options, files: files, clock: clock)
    }

    /// `spool` and `facts` are what is known of the spool's directory and of the drop zone.
    package init(
        _ incoming: Directory, path: FilePath, spool: FileMetadata, facts: FileMetadata, _ options: ReportSpool.Options,
        files: any FileSystem, clock: any SystemClock
    ) {
        // With the set-group-ID bit of `incoming/` each file in it gets the group of `incoming/`, which is the owner's:
        // the owner can read it, and other users cannot. Without that bit, or with another group, only a mode that lets
        // everybody read lets the owner read. Other users then need the file's name, which is random and which they
        // cannot list.
        let isOwnersGroup = facts.permissions & 0o2000 != 0 && facts.group == spool.group
        self.path = path
        room = CollectingRoom(
            files: files, clock: clock, directory: incoming, limits: options.limits, prefix: Self.temporaryPrefix,
            permissions: isOwnersGroup ? 0o640 : 0o644)
    }
}

extension FileMetadata {
    /// Whether every user of the machine may drop files into the directory, and nobody may move another user's.
    fileprivate var isSharedDropZone: Bool { permissions & 0o1003 == 0o1003 }
}

extension ReportSpool {
    /// Removes what an `add` of another user left in the drop zone when it was killed. Best effort: where the drop zone
    /// cannot be listed, each look at it says so.
    func cleanDropZone() {
        guard options.isShared else { return }
        let cleaner = TemporaryCleaner(files: files, directory: incoming, prefix: SharedDropZone.temporaryPrefix)
        _ = try? cleaner.clean()
    }
}
