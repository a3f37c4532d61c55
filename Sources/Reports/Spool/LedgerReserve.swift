import DurableIO

/// A file whose removal lets the ledger write on when the disk is full, so that delivery can free more.
///
/// It has room for a log of 100 pages, one commit beyond that, which writes at most every page of a small ledger and
/// some 1,000 pages of a large one (as many transfers that end as begin, at most 176, with three pages each that no
/// other has), and for the file's own growth.
enum LedgerReserve {
    /// Lays it, or one of a new size, where that leaves the free-space floor alone.
    static func lay(in spool: ReportSpool) {
        do {
            let ledger = try spool.files.metadata(of: ReportSpool.ledgerName, in: spool.root)?.size ?? 0
            let wanted = min(ledger, 4 << 20) + (1 << 20)
            let found = try spool.files.metadata(of: ReportSpool.reserveName, in: spool.root)?.size ?? 0
            let space = try spool.files.space(on: spool.root)
            // A ledger that grows a little with each run is no reason to write this anew each time.
            let floor = spool.options.limits.floor(ofTotal: space.total, forReportOf: 0)
            guard found < wanted - wanted / 4, space.available > floor, space.available - floor > wanted else { return }
            try spool.files.remove(ReportSpool.reserveName, in: spool.root)
            let publication = try spool.newPublication()
            // Not zeros: some file systems store those as nothing.
            let piece = [UInt8](repeating: 0x52, count: 64 << 10)
            for offset in stride(from: 0, to: wanted, by: piece.count) {
                try publication.write(Array(piece.prefix(Int(min(UInt64(piece.count), wanted - offset)))))
            }
            _ = try publication.publish(as: ReportSpool.reserveName, in: spool.root)
        } catch {
            // Without a reserve a full disk stops delivery until somebody frees space; no reason to stop now.
        }
    }

    /// - Returns: whether there was one.
    static func free(in spool: ReportSpool) throws(FileSystemError) -> Bool {
        try spool.files.remove(ReportSpool.reserveName, in: spool.root)
    }
}
