import Background
import DurableIO

/// Opening the ledger, whatever state its file is in.
enum LedgerOpening {
    /// Opens it; `repairs` gets a sentence when the ledger had to be made again.
    static func open(
        _ spool: ReportSpool, damage: SQLiteError?, repairs: inout [String]
    ) throws -> sending TransferStore {
        let path = spool.root.path(of: ReportSpool.ledgerName)
        let hadLedger = try spool.files.metadata(of: ReportSpool.ledgerName, in: spool.root) != nil
        do {
            if let damage, hadLedger { throw damage }
            try setOrphanedLogAside(spool)
            let store = try openFreeingSpace(spool, path)
            let isNew = !hadLedger || store.earlierEnd == .none
            if isNew, try !spool.files.isEmpty(spool.queued) || !spool.files.isEmpty(spool.parked) {
                repairs.append("the ledger was missing: rebuilt from the files")
            }
            return store
        } catch let error as SQLiteError where error.isDamage {
            return try openAnew(spool, path, because: "was damaged (\(error))", &repairs)
        } catch LedgerError.unreleasedVersion(let version) {
            return try openAnew(spool, path, because: "had version \(version), which was never released", &repairs)
        } catch let error as LedgerError {
            throw ReportsError(.spoolNotUsable, "\(error); nothing was touched", underlyingError: error)
        } catch let error as SQLiteError {
            let code: ReportsError.Code = error.isOutOfSpace ? .cannotWrite : .spoolNotUsable
            throw ReportsError(
                code, "cannot open the ledger: \(error)\(error.isOutOfSpace ? ": free some" : "")",
                underlyingError: error)
        }
    }

    /// Sets the ledger aside and makes another, with all rows that can still be read.
    private static func openAnew(
        _ spool: ReportSpool, _ path: String, because reason: String, _ repairs: inout [String]
    ) throws -> sending TransferStore {
        let aside = try setAside(spool)
        let store = try openFreeingSpace(spool, path)
        let count = try store.salvage(from: spool.root.path(of: aside), lane: .main) { label, metadata in
            let source = ReportMetadata(text: metadata).properties.kindSource
            return ReportRank.of(ReportKind(rawValue: label) ?? .other, from: source)
        }
        repairs.append("the ledger \(reason): set aside as \(aside), \(count) rows saved, rebuilt from the files")
        return store
    }

    /// SQLite needs some space to open; on a full disk the reserve gives it. Damage has to be found twice, because a
    /// read that fails on a tired disk looks the same.
    private static func openFreeingSpace(_ spool: ReportSpool, _ path: String) throws -> sending TransferStore {
        do {
            return try openOrLay(spool, path)
        } catch let error as SQLiteError where error.isDamage {
            return try openOrLay(spool, path)
        } catch {
            guard SpoolErrors.isOutOfSpace(error), try LedgerReserve.free(in: spool) else { throw error }
            let store = try openOrLay(spool, path)
            store.giveBackLog()
            return store
        }
    }

    /// A ledger that is missing is laid as the spool's maker lays it. An empty file is one that a person or an earlier
    /// life put there, for SQLite to fill.
    private static func openOrLay(_ spool: ReportSpool, _ path: String) throws -> sending TransferStore {
        if try spool.files.metadata(of: ReportSpool.ledgerName, in: spool.root) == nil {
            let maker = SpoolMaker(spool: spool)
            try maker.layLedger()
            try maker.layLedgerSides()
        }
        return try TransferStore(path: path, clock: spool.clock)
    }

    /// SQLite deletes a WAL whose ledger is gone or empty; here it is kept for a person to look at. One that is empty
    /// was laid for SQLite to write into.
    private static func setOrphanedLogAside(_ spool: ReportSpool) throws {
        guard try spool.files.metadata(of: ReportSpool.ledgerLogName, in: spool.root)?.size ?? 0 > 0,
            try spool.files.metadata(of: ReportSpool.ledgerName, in: spool.root)?.size ?? 0 == 0
        else { return }
        _ = try setAside(spool)
    }

    /// Renames the ledger and its WAL, which belong together. Nothing is ever wiped.
    private static func setAside(_ spool: ReportSpool) throws -> EntryName {
        let suffix = ".corrupt-\(spool.clock.wallMilliseconds)"
        let name = EntryName(ReportSpool.ledgerName.description + suffix) ?? ReportSpool.ledgerName
        for side in ["", "-wal", "-shm"] {
            guard let from = EntryName(ReportSpool.ledgerName.description + side),
                let to = EntryName(name.description + side),
                try spool.files.metadata(of: from, in: spool.root) != nil
            else { continue }
            try spool.files.rename(from, in: spool.root, to: to, in: spool.root)
        }
        try spool.files.syncDirectory(spool.root)
        return name
    }
}
