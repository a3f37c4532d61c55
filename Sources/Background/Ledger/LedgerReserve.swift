package import DurableIO

/// The reserve: a file whose removal lets the ledger write on when the disk is full, so that delivery can free more.
///
/// It has room for a log of 100 pages, one commit beyond that, which writes at most every page of a small ledger and
/// some 1,000 pages of a large one (as many transfers that end as begin, at most 176, with three pages each that no
/// other has), and for the file's own growth.
extension LedgerPlace {
    /// Lays the reserve, or one of a new size, where that leaves the free-space floor alone.
    package func layReserve() { layReserve(above: freeSpaceFloor) }

    /// Lays a reserve again that was freed in vain: the disk has as much free space as before.
    func layReserveAgain() { layReserve(above: { _ in 0 }) }

    private func layReserve(above freeSpaceFloor: (_ total: UInt64) -> UInt64) {
        do {
            let wanted = min(try size(of: Self.ledgerName), 4 << 20) + (1 << 20)
            let found = try size(of: Self.reserveName)
            let space = try files.space(on: directory)
            // A ledger that grows a little with each run is no reason to write this anew each time.
            let floor = freeSpaceFloor(space.total)
            guard found < wanted - wanted / 4, space.available > floor, space.available - floor > wanted else { return }
            let publication = try Publication.new(in: temporary, files: files)
            // Not zeros: some file systems store those as nothing.
            let piece = [UInt8](repeating: 0x52, count: 64 << 10)
            for offset in stride(from: 0, to: wanted, by: piece.count) {
                try publication.write(Array(piece.prefix(Int(min(UInt64(piece.count), wanted - offset)))))
            }
            try publication.publish(replacing: Self.reserveName, in: directory)
        } catch {
            // Without a reserve a full disk stops delivery until somebody frees space; no reason to stop now.
        }
    }

    /// - Returns: whether there was a reserve.
    package func freeReserve() throws(FileSystemError) -> Bool {
        try files.remove(Self.reserveName, in: directory)
    }

    /// Does something for which the disk may be too full, and once more without the reserve.
    func freeingReserve<Result>(_ body: () throws -> sending Result) throws -> sending Result {
        do {
            return try body()
        } catch {
            guard Self.isOutOfSpace(error), try freeReserve() else { throw error }
            return try body()
        }
    }

    static func isOutOfSpace(_ error: any Error) -> Bool {
        (error as? SQLiteError)?.isOutOfSpace ?? (error as? FileSystemError)?.isOutOfSpace ?? false
    }
}
