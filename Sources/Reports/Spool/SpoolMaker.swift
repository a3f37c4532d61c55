import Background
import DurableIO
import SystemPackage

/// Makes a spool whole, of which only rooms may be there yet: all that a later delivery needs on a disk that is full by
/// then, blocks and inodes.
///
/// VERSION comes last: where it stands, the rest was durable before it, and whatever is missing is the owner's to mend.
/// No lock is taken. Each file appears under its name only if nobody else has made it, so that of two makers the second
/// discards its own; after a crash the next maker goes on.
struct SpoolMaker {
    let spool: ReportSpool

    /// - Parameter path: of the spool, as it was given: the directories above it are synced, too.
    /// - Throws: ``FileSystemError`` where something cannot be made; what was made stays for the next maker.
    func make(at path: FilePath) throws {
        if try mayLayLedger() { try layLedger() }
        try layLedgerSides()
        _ = try OwnerLock(ReportSpool.lockName, in: spool.root)
        LedgerReserve.lay(in: spool)
        try syncNames(at: path)
        try writeVersion()
    }

    /// A WAL without its ledger is for a person to look at, and what is queued or parked has rows that an empty ledger
    /// does not know: the owner rebuilds it and says so.
    private func mayLayLedger() throws -> Bool {
        for name in [ReportSpool.ledgerName, ReportSpool.ledgerLogName]
        where try spool.files.metadata(of: name, in: spool.root) != nil { return false }
        return try spool.files.isEmpty(spool.queued) && spool.files.isEmpty(spool.parked)
    }

    /// Publishes a ledger in which there was no life yet. One that is there by now stays as it is.
    func layLedger() throws {
        let publication = try spool.newPublication()
        try publication.write(TransferStore.emptyLedger())
        _ = try publication.publish(as: ReportSpool.ledgerName, in: spool.root)
    }

    /// SQLite wants both files even on a disk on which it could not make them, and never removes them.
    func layLedgerSides() throws(FileSystemError) {
        for name in [ReportSpool.ledgerLogName, ReportSpool.ledgerIndexName] {
            do throws(FileSystemError) {
                _ = try spool.files.createFile(name, in: spool.root)
            } catch {
                guard error.errno == .fileExists else { throw error }
            }
        }
    }

    /// A process that made some of the names may have died, or may not have come so far, before it synced them.
    private func syncNames(at path: FilePath) throws(FileSystemError) {
        try spool.files.syncDirectory(spool.root)
        var parent = path
        while parent.removeLastComponent() {
            // Best effort: what we made ourselves is synced, and not every directory above may be opened.
            if let directory = try? spool.files.openDirectory(parent.isEmpty ? "." : parent) {
                try? spool.files.syncDirectory(directory)
            }
        }
    }

    private func writeVersion() throws(FileSystemError) {
        let publication = try spool.newPublication()
        try publication.write(Array("\(ReportSpool.version)\n".utf8))
        _ = try publication.publish(as: ReportSpool.versionName, in: spool.root)
    }
}
