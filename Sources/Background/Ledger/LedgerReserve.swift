package import DurableIO

/// The reserve: a file whose removal makes space for the ledger when the disk is full, so that deliveries can free
/// more.
///
/// The reserve has room for three things: a log of 100 pages, one commit beyond that, and the growth of the ledger's
/// file. Such a commit writes at most every page of a small ledger, and some 1,000 pages of a large ledger: at most 176
/// transfers end, as many begin, and each has three pages that no other transfer has.
extension LedgerPlace {
    /// Makes the reserve, or replaces it by a reserve of a new size, if enough space stays free.
    package func layReserve() { layReserve(above: freeSpaceFloor) }

    /// Makes a reserve again that was freed in vain: the disk has as much free space as before.
    func layReserveAgain() { layReserve(above: { _ in 0 }) }

    private func layReserve(above freeSpaceFloor: (_ total: UInt64) -> UInt64) {
        do {
            let wanted = min(try size(of: Self.ledgerName), 4 << 20) + (1 << 20)
            let found = try size(of: Self.reserveName)
            let space = try files.space(on: directory)
            // If a ledger grows a little with each run, the reserve is not written anew each time.
            let floor = freeSpaceFloor(space.total)
            guard found < wanted - wanted / 4, space.available > floor, space.available - floor > wanted else { return }
            let publication = try Publication.new(in: temporary, files: files)
            // The bytes are not zero, because some file systems store zeros as nothing.
            let piece = [UInt8](repeating: 0x52, count: 64 << 10)
            for offset in stride(from: 0, to: wanted, by: piece.count) {
                try publication.write(Array(piece.prefix(Int(min(UInt64(piece.count), wanted - offset)))))
            }
            try publication.publish(replacing: Self.reserveName, in: directory)
        } catch {
            // Without a reserve, a full disk stops delivery until a person frees space. This is no reason to stop now.
        }
    }

    /// - Returns: whether there was a reserve.
    package func freeReserve() throws(FileSystemError) -> Bool {
        try files.remove(Self.reserveName, in: directory)
    }

    /// Runs work for which the disk may be too full. If it is, frees the reserve and runs the work once more.
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
