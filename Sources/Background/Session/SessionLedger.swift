import DurableIO
import Logging

/// Opening a session's ledger, whatever state its file is in.
enum SessionLedger {
    private static let ledgerName: EntryName = "ledger.sqlite"

    static func open(
        in directory: Directory, files: any FileSystem, clock: any SystemClock, logger: Logger, damage: LedgerDamage
    ) throws -> TransferStore {
        let path = directory.path(of: ledgerName)
        // Made here, because SQLite would let the umask decide who may read it.
        if try files.metadata(of: ledgerName, in: directory) == nil {
            _ = try files.createFile(ledgerName, in: directory)
        }
        do {
            if case .metAgain(let error) = damage { throw error }
            return try TransferStore(path: path, clock: clock, isDoubted: damage != .none)
        } catch let error as SQLiteError where error.isDamage {
            logger.error("Ledger is damaged; set aside", metadata: ["path": "\(path)", "error": "\(error)"])
            return try storeAnew(in: directory, files: files, clock: clock)
        } catch LedgerError.unreleasedVersion(let version) {
            logger.notice("Ledger is carried over", metadata: ["path": "\(path)", "version": "\(version)"])
            return try storeAnew(in: directory, files: files, clock: clock)
        }
    }

    /// A new ledger with all rows of the old one that can still be read.
    private static func storeAnew(
        in directory: Directory, files: any FileSystem, clock: any SystemClock
    ) throws -> TransferStore {
        let aside = try setAside(in: directory, files: files, time: clock.wallMilliseconds)
        _ = try files.createFile(ledgerName, in: directory)
        let store = try TransferStore(path: directory.path(of: ledgerName), clock: clock)
        // Each row of a session has a request of its own, and none goes before another.
        _ = try store.salvage(from: directory.path(of: aside), lane: Lane(""), rank: { _, _ in 0 })
        return store
    }

    /// Never wiped: the ledger and its log stay beside the new one for whoever wants to look.
    /// - Returns: the old ledger's name from now on.
    private static func setAside(in directory: Directory, files: any FileSystem, time: Int64) throws -> EntryName {
        for suffix in ["-wal", "-shm", ""] {
            guard let name = EntryName(ledgerName.description + suffix),
                let newName = EntryName("\(ledgerName).corrupt-\(time)\(suffix)"),
                try files.metadata(of: name, in: directory) != nil
            else { continue }
            try files.rename(name, in: directory, to: newName, in: directory)
        }
        try files.syncDirectory(directory)
        return EntryName("\(ledgerName).corrupt-\(time)") ?? ledgerName
    }
}

/// How often a ledger was found damaged in the middle of the work.
///
/// A read that failed once need not fail twice, so only a ledger that is met damaged again is set aside.
enum LedgerDamage: Hashable, Sendable {
    case none
    /// All of the ledger is checked before it is used again.
    case metOnce
    /// Met again although the check found nothing.
    case metAgain(SQLiteError)

    func afterMeeting(_ damage: SQLiteError?) -> LedgerDamage {
        guard let damage else { return self }
        return self == .metOnce ? .metAgain(damage) : .metOnce
    }
}
