import Background
import DurableIO

/// Makes a spool whole, of which only rooms may be there yet: all that a later delivery needs on a disk that is full by
/// then, blocks and inodes.
///
/// VERSION comes last: where it stands, the rest was durable before it, and whatever is missing is the owner's to mend.
/// No lock is taken. Each file appears under its name only if nobody else has made it, so that of two makers the second
/// discards its own; after a crash the next maker goes on.
struct SpoolMaker {
    let spool: ReportSpool

    /// - Throws: ``FileSystemError`` where something cannot be made; what was made stays for the next maker.
    func make() throws {
        let ledger = spool.ledger
        if try mayLayLedger() { try ledger.layLedger(remembering: [SpoolSalt.name: SpoolSalt.new()]) }
        try ledger.laySides()
        _ = try OwnerLock(LedgerPlace.lockName, in: spool.root)
        ledger.layReserve()
        try ledger.syncNames()
        try writeVersion()
    }

    /// A WAL without its ledger is for a person to look at, and what is queued or parked has rows that an empty ledger
    /// does not know: the owner rebuilds it and says so.
    private func mayLayLedger() throws -> Bool {
        for name in [LedgerPlace.ledgerName, LedgerPlace.logName]
        where try spool.files.metadata(of: name, in: spool.root) != nil { return false }
        return try spool.files.isEmpty(spool.queued) && spool.files.isEmpty(spool.parked)
    }

    private func writeVersion() throws(FileSystemError) {
        let publication = try spool.newPublication()
        try publication.write(Array("\(ReportSpool.version)\n".utf8))
        _ = try publication.publish(as: ReportSpool.versionName, in: spool.root)
    }
}
