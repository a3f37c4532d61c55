package import DurableIO

/// A directory in which payloads are written until they are published, and the limits that they have to keep.
///
/// A process that dies leaves a file there that is locked by nobody. The spool's next owner removes it.
package struct CollectingRoom: Sendable {
    package let files: any FileSystem
    package let clock: any SystemClock
    package let directory: Directory
    let limits: SpoolLimits
    /// What the names of files being written begin with.
    let prefix: String
    /// The mode of the files; `nil` where their owner alone reads them.
    let permissions: UInt32?

    init(
        files: any FileSystem, clock: any SystemClock, directory: Directory, limits: SpoolLimits, prefix: String = "",
        permissions: UInt32? = nil
    ) {
        self.files = files
        self.clock = clock
        self.directory = directory
        self.limits = limits
        self.prefix = prefix
        self.permissions = permissions
    }

    /// A file on its way, under a name no other writer has.
    func newPublication() throws(FileSystemError) -> Publication {
        let publication = try Publication.new(in: directory, prefix: prefix, files: files)
        if let permissions { try publication.setPermissions(permissions) }
        return publication
    }
}

extension ReportSpool {
    /// Where reports are written that go into `collected/` or `queued/`.
    package var collecting: CollectingRoom {
        CollectingRoom(files: files, clock: clock, directory: temporary, limits: options.limits)
    }
}
