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
        guard let incoming = SharedIncoming.open(path, files: files) else { return nil }
        try ReportSpool.refuseRemote(incoming.directory, options, files: files)
        return SharedDropZone(
            incoming.directory, path: path, spool: incoming.spool, facts: incoming.facts, options, files: files,
            clock: clock)
    }

    /// `spool` and `facts` are what is known of the spool's directory and of the drop zone.
    package init(
        _ incoming: Directory, path: FilePath, spool: FileMetadata, facts: FileMetadata, _ options: ReportSpool.Options,
        files: any FileSystem, clock: any SystemClock
    ) {
        let permissions = SharedIncoming(incoming, spool: spool, facts: facts).filePermissions
        self.path = path
        room = CollectingRoom(
            files: files, clock: clock, directory: incoming, limits: options.limits, prefix: Self.temporaryPrefix,
            permissions: permissions)
    }
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
