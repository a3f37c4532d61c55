package import DurableIO

/// The directory that a ledger lies in, and the names of the files around it.
///
/// The ledger, its log and its index are laid down before SQLite opens them, so that a disk which is full by then can
/// still deliver. Each file appears under its name whole, and only if nobody else has made it: after a crash the next
/// maker goes on.
package struct LedgerPlace: Sendable {
    package let files: any FileSystem
    package let clock: any SystemClock
    package let directory: Directory
    /// Where new files are written until they get their names.
    package let temporary: Directory
    /// How much the reserve leaves free on a file system of a size, both in bytes.
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

    /// Publishes a ledger in which there was no life yet. One that is there by now stays as it is.
    package func layLedger() throws {
        let publication = try Publication.new(in: temporary, files: files)
        try publication.write(TransferStore.emptyLedger())
        _ = try publication.publish(as: Self.ledgerName, in: directory)
    }

    /// Makes the log and the index where they are missing. SQLite wants both files even on a disk on which it could not
    /// make them, and never removes them.
    package func laySides() throws(FileSystemError) {
        for name in [Self.logName, Self.indexName] where try !has(name) {
            do throws(FileSystemError) {
                _ = try files.createFile(name, in: directory)
            } catch {
                guard error.errno == .fileExists else { throw error }
            }
        }
    }

    /// Makes the names in the directory and in all directories above it durable. A process that made some of them may
    /// have died, or may not have come so far, before it synced them.
    package func syncNames() throws(FileSystemError) {
        try files.syncDirectory(directory)
        var parent = directory.path
        while parent.removeLastComponent() {
            // Best effort: what we made ourselves is synced, and not every directory above may be opened.
            if let directory = try? files.openDirectory(parent.isEmpty ? "." : parent) {
                try? files.syncDirectory(directory)
            }
        }
    }
}
