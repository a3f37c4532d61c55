import DurableIO

/// The replacement of a ledger: the old ledger is set aside, and a ledger that was built from its rows gets its place.
///
/// First the new ledger becomes whole and durable under the name `ledger.salvaged-<time>`. Then the old ledger gets the
/// name `ledger.sqlite.corrupt-<time>`. At last the new ledger gets the name `ledger.sqlite`. After a crash in between,
/// the next owner continues where this owner stopped.
extension LedgerHost {
    /// Builds a ledger from the rows that can still be read. The ledger is durable under a name of its own.
    /// - Returns: the number of transfers in it.
    func salvage(at time: Int64, _ rules: SalvageRules) throws -> Int {
        let publication = try Publication.new(in: place.temporary, files: place.files)
        defer {
            for side in ["-wal", "-shm"] {
                guard let name = EntryName("\(publication.temporaryName)\(side)") else { continue }
                // Best effort: the next cleaner removes the files that stay behind.
                _ = try? place.files.remove(name, in: place.temporary)
            }
        }
        let store = try TransferStore(
            path: place.temporary.linklessPath(of: publication.temporaryName), clock: place.clock)
        let count: Int
        do {
            count = try store.salvage(
                from: place.directory.linklessPath(of: LedgerPlace.ledgerName), lane: rules.lane, rank: rules.rank)
            try store.closeAsOneFile()
        } catch {
            store.abandon()
            throw error
        }
        _ = try publication.publish(as: Self.salvagedName(time), in: place.directory)
        return count
    }

    // MARK: - Taking its place

    /// Gives the ledger's name to the ledger that was built from the rows of another ledger.
    func putInPlace(_ salvaged: EntryName) throws(FileSystemError) {
        do throws(FileSystemError) {
            try place.files.rename(salvaged, in: place.directory, to: LedgerPlace.ledgerName, in: place.directory)
        } catch {
            guard error.errno == .fileExists else { throw error }
            try clearPlace()
            try place.files.rename(salvaged, in: place.directory, to: LedgerPlace.ledgerName, in: place.directory)
        }
        // The directory is synced before the new log and the new index are made. Without a ledger, these would be set
        // aside under the names of the old ones.
        try place.files.syncDirectory(place.directory)
        try place.laySides()
    }

    /// Makes the ledger's name free. As soon as there is no ledger, another process or a person may put one there,
    /// which no owner has used yet. Such a ledger is kept, unless it is an empty file.
    private func clearPlace() throws(FileSystemError) {
        let sizes = [try place.size(of: LedgerPlace.ledgerName), try place.size(of: LedgerPlace.logName)]
        if sizes.contains(where: { $0 > 0 }) {
            _ = try setAside(at: freeTime())
        } else {
            try place.files.remove(LedgerPlace.ledgerName, in: place.directory)
        }
    }

    /// Continues a replacement during which an earlier owner died. If the old ledger has already lost its name, the
    /// replacement goes on. Otherwise the caller opens the old ledger, and finds its damage again.
    /// - Returns: the name that the old ledger has now, and the reason why it was set aside; `nil` without such a
    ///   replacement.
    func finishReplacement() throws -> (aside: EntryName, reason: Repair.Reason)? {
        let prefix = Self.salvagedPrefix
        var finished: (aside: EntryName, reason: Repair.Reason)?
        for name in try place.files.entries(of: place.directory).reversed() where name.description.hasPrefix(prefix) {
            let time = Int64(name.description.dropFirst(prefix.count)) ?? place.clock.wallMilliseconds
            let aside = Self.asideName(time)
            let hasLostName = try place.has(aside) || !place.has(LedgerPlace.ledgerName)
            if finished == nil, hasLostName, try makeWay(beside: aside) {
                try putInPlace(name)
                finished = (aside, Self.reason(forSettingAside: place.directory.linklessPath(of: aside)))
            } else {
                try place.files.remove(name, in: place.directory)
                try place.files.syncDirectory(place.directory)
            }
        }
        return finished
    }

    /// Sets aside the log and the index of a ledger that has lost its name, and then a ledger that was put there since.
    /// - Returns: whether there is no ledger now. A ledger that an owner has used stays.
    private func makeWay(beside aside: EntryName) throws -> Bool {
        // The log and the index go first, because SQLite would take the old log for the log of any ledger beside it.
        for side in ["-wal", "-shm"] { try setAside(side, of: aside) }
        guard try !hasLivedLedger() else { return false }
        try clearPlace()
        return true
    }

    private func hasLivedLedger() throws -> Bool {
        guard try place.size(of: LedgerPlace.ledgerName) > 0 else { return false }
        return try place.freeingReserve {
            try place.laySides()
            do {
                return try TransferStore.hasLife(at: place.directory.linklessPath(of: LedgerPlace.ledgerName))
            } catch let error as SQLiteError where error.isDamage {
                return false
            }
        }
    }

    /// The reason why an owner that has died set a ledger aside. It is not known which damage that owner met.
    private static func reason(forSettingAside path: String) -> Repair.Reason {
        if let version = TransferStore.unreleasedVersion(at: path) { return .unreleasedVersion(version) }
        return .damaged(.damage("as an owner found that died before it had replaced it"))
    }

    // MARK: - Names

    /// Sets aside a log whose ledger is gone or empty, for a person to look at, because SQLite would delete it. An
    /// empty log stays: it was made for SQLite to write into.
    func setOrphanedLogAside() throws(FileSystemError) -> EntryName? {
        guard try place.size(of: LedgerPlace.logName) > 0, try place.size(of: LedgerPlace.ledgerName) == 0 else {
            return nil
        }
        return try setAside(at: freeTime())
    }

    /// Renames the ledger, its log and its index, which belong together. Nothing is ever wiped.
    /// - Returns: the ledger's name from now on.
    func setAside(at time: Int64) throws(FileSystemError) -> EntryName {
        let aside = Self.asideName(time)
        // The ledger's name is given up first and durably, because a ledger that came back without its log would look
        // sound.
        try setAside("", of: aside)
        try place.files.syncDirectory(place.directory)
        for side in ["-wal", "-shm"] { try setAside(side, of: aside) }
        try place.files.syncDirectory(place.directory)
        return aside
    }

    /// Sets one file aside. If a file has the new name already, both files stay as they are.
    private func setAside(_ side: String, of aside: EntryName) throws(FileSystemError) {
        guard let name = EntryName("\(LedgerPlace.ledgerName)\(side)"), let newName = EntryName("\(aside)\(side)"),
            try place.has(name), try !place.has(newName)
        else { return }
        try place.files.rename(name, in: place.directory, to: newName, in: place.directory)
    }

    /// The time now, or the next time under which nothing was set aside yet.
    func freeTime() throws(FileSystemError) -> Int64 {
        var time = place.clock.wallMilliseconds
        let names = Set(try place.files.entries(of: place.directory))
        while ["", "-wal"].contains(where: { side in
            EntryName("\(Self.asideName(time))\(side)").map(names.contains) ?? false
        }) { time += 1 }
        return time
    }

    private static func asideName(_ time: Int64) -> EntryName {
        EntryName("\(LedgerPlace.ledgerName).corrupt-\(time)") ?? LedgerPlace.ledgerName
    }

    private static let salvagedPrefix = "ledger.salvaged-"

    static func salvagedName(_ time: Int64) -> EntryName {
        EntryName("\(salvagedPrefix)\(time)") ?? LedgerPlace.ledgerName
    }
}
