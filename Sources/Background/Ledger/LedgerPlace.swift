package import DurableIO

/// The directory of a ledger, and the names of the files in it.
///
/// The ledger, its log and its index are made before SQLite opens them, so that delivery is possible when the disk is
/// full later. Each file appears under its name whole, and only if no other process has made it. After a crash the next
/// process makes the missing files.
package struct LedgerPlace: Sendable {
    package let files: any FileSystem
    package let clock: any SystemClock
    package let directory: Directory
    /// Where new files are written until they get their names.
    package let temporary: Directory
    /// The number of bytes that the reserve leaves free on a file system with a given number of bytes.
    let freeSpaceFloor: @Sendable (_ total: UInt64) -> UInt64

    package static let lockName: EntryName = "owner.lock"
    package static let ledgerName: EntryName = "ledger.sqlite"
    package static let logName: EntryName = "ledger.sqlite-wal"
    static let indexName: EntryName = "ledger.sqlite-shm"
    package static let reserveName: EntryName = "ledger.reserve"

    package init(
        files: any FileSystem, clock: any SystemClock, directory: Directory, temporary: Directory,
        freeSpaceFloor: @escaping @Sendable (_ total: UInt64) -> UInt64
    ) {
        self.files = files
        self.clock = clock
        self.directory = directory
        self.temporary = temporary
        self.freeSpaceFloor = freeSpaceFloor
    }

    func has(_ name: EntryName) throws(FileSystemError) -> Bool {
        try files.metadata(of: name, in: directory) != nil
    }

    func size(of name: EntryName) throws(FileSystemError) -> UInt64 {
        try files.metadata(of: name, in: directory)?.size ?? 0
    }

    // MARK: - Laying

    /// Publishes a ledger that no owner has used. If there is a ledger already, it stays as it is.
    /// - Parameter texts: texts that the ledger's clients find again by their names. The default is none.
    /// - Throws: ``FileSystemError`` or ``SQLiteError`` when the ledger cannot be made.
    package func layLedger(remembering texts: [String: String] = [:]) throws {
        let publication = try Publication.new(in: temporary, files: files)
        try publication.write(TransferStore.emptyLedger(remembering: texts))
        _ = try publication.publish(as: Self.ledgerName, in: directory)
    }

    /// Makes the log and the index if they are missing. SQLite needs both files, could not make them on a full disk,
    /// and never removes them.
    package func laySides() throws(FileSystemError) {
        for name in [Self.logName, Self.indexName] where try !has(name) {
            do throws(FileSystemError) {
                _ = try files.createFile(name, in: directory)
            } catch {
                guard error.errno == .fileExists else { throw error }
            }
        }
    }

    /// Makes the names in the directory and in all directories above it durable. A process that made some of these
    /// names may have died before it synced them.
    package func syncNames() throws(FileSystemError) {
        try files.syncDirectory(directory)
        var parent = directory.path
        while parent.removeLastComponent() {
            // Best effort: the directories that this process made can be opened and are synced. Directories above them
            // may not be open to this user.
            if let directory = try? files.openDirectory(parent.isEmpty ? "." : parent) {
                try? files.syncDirectory(directory)
            }
        }
    }
}
