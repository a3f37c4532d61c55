import Background
import DurableIO

/// The opening of a spool's ledger, with the sentences that people read about it and the rules for rows of old ledgers.
enum SpoolLedger {
    /// Opens the ledger. `repairs` gets a sentence when the ledger was rebuilt.
    /// - Throws: `CancellationError` when the task is cancelled meanwhile; the next owner then opens the ledger.
    static func open(
        _ spool: ReportSpool, _ host: LedgerHost, _ damage: LedgerDamage, repairs: inout [String]
    ) async throws -> sending TransferStore {
        let opened: LedgerHost.Opened
        do {
            opened = try await withTaskCancellationHandler {
                try host.open(damage, rules, drops: { DropZone(spool: spool).listedTakenMarks() })
            } onCancel: {
                host.interrupter.interrupt()
            }
        } catch let error as LedgerError {
            throw ReportsError(.spoolNotUsable, "\(error); nothing was touched", underlyingError: error)
        } catch let error as SQLiteError where !error.isDamage {
            let code: ReportsError.Code = error.isOutOfSpace ? .cannotWrite : .spoolNotUsable
            throw ReportsError(
                code, "cannot open the ledger: \(error)\(error.isOutOfSpace ? ": free some" : "")",
                underlyingError: error)
        }
        switch opened.repair {
        case .setAside(let aside, let reason, let count):
            repairs.append(
                "the ledger \(words(reason)): set aside as \(aside), \(count) rows saved, rebuilt from the files")
        case .orphanedLog, nil:
            if opened.isNew, try !spool.files.isEmpty(spool.queued) || !spool.files.isEmpty(spool.parked) {
                repairs.append("the ledger was missing: rebuilt from the files")
            }
        }
        SpoolSalt.lay(in: opened.store)
        return opened.store
    }

    private static var rules: LedgerHost.SalvageRules {
        LedgerHost.SalvageRules(lane: .undecided, hasFiles: true) { label, metadata in
            let source = ReportMetadata(text: metadata).properties.kindSource
            return ReportRank.of(ReportKind(rawValue: label) ?? .other, from: source)
        }
    }

    private static func words(_ reason: LedgerHost.Repair.Reason) -> String {
        switch reason {
        case .damaged(let error): "was damaged (\(error))"
        case .unreleasedVersion(let version): "had version \(version), which was never released"
        }
    }
}
