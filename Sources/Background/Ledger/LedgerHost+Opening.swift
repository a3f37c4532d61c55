package import DurableIO

/// Opening the ledger, whatever state its files are in.
extension LedgerHost {
    /// What rows of ledgers from before the first release get, which had neither lanes nor ranks.
    package struct SalvageRules {
        let lane: Lane
        let rank: (_ label: String, _ metadata: String) -> Int

        package init(lane: Lane, rank: @escaping (_ label: String, _ metadata: String) -> Int) {
            self.lane = lane
            self.rank = rank
        }
    }

    /// An open ledger, and how it was found.
    package struct Opened {
        package let store: TransferStore
        /// Whether there was no ledger, or one without any life in it.
        package let isNew: Bool
        package let repair: Repair?
    }

    /// What had to be done before the ledger could be used.
    package enum Repair: Sendable {
        /// A log without its ledger was set aside.
        case orphanedLog(EntryName)
        /// The ledger was set aside under this name, and another made of its rows.
        case setAside(EntryName, Reason, savedRowCount: Int)

        package enum Reason: Sendable {
            case damaged(SQLiteError)
            case unreleasedVersion(Int64)
        }
    }

    /// Opens the ledger, making it when it is missing.
    /// - Parameters:
    ///   - damage: what an earlier opening of this process has met.
    ///   - rules: for rows of a ledger from before the first release.
    /// - Returns: the ledger, and what had to be done for it.
    /// - Throws: ``LedgerError`` for a ledger of a later version, which is not touched; ``SQLiteError`` or
    ///   ``FileSystemError`` when it cannot be opened or made.
    package func open(_ damage: LedgerDamage, _ rules: SalvageRules) throws -> sending Opened {
        try finishReplacement()
        let hadLedger = try place.has(LedgerPlace.ledgerName)
        do {
            if case .metAgain(let error) = damage, hadLedger { throw error }
            let orphan = try setOrphanedLogAside()
            let store = try openFreeingSpace(isDoubted: damage != .none)
            let isNew = !hadLedger || store.earlierEnd == .none
            return Opened(store: store, isNew: isNew, repair: orphan.map { .orphanedLog($0) })
        } catch let error as SQLiteError where error.isDamage {
            return try openAnew(because: .damaged(error), rules)
        } catch LedgerError.unreleasedVersion(let version) {
            return try openAnew(because: .unreleasedVersion(version), rules)
        }
    }

    /// SQLite needs some space to open; on a full disk the reserve gives it. Damage has to be found twice, because a
    /// read that fails on a tired disk looks the same.
    private func openFreeingSpace(isDoubted: Bool = false) throws -> sending TransferStore {
        do {
            return try openOrLay(isDoubted)
        } catch let error as SQLiteError where error.isDamage {
            return try openOrLay(isDoubted)
        } catch {
            guard LedgerPlace.isOutOfSpace(error), try place.freeReserve() else { throw error }
            let store = try openOrLay(isDoubted)
            store.giveBackLog()
            return store
        }
    }

    /// An empty file is one that a person or an earlier life put there, for SQLite to fill.
    private func openOrLay(_ isDoubted: Bool) throws -> sending TransferStore {
        if try !place.has(LedgerPlace.ledgerName) {
            try place.layLedger()
            try place.laySides()
        }
        return try TransferStore(
            path: place.directory.path(of: LedgerPlace.ledgerName), clock: place.clock, isDoubted: isDoubted)
    }

    // MARK: - Setting aside

    /// Sets the ledger aside and opens another, with all rows that can still be read.
    private func openAnew(because reason: Repair.Reason, _ rules: SalvageRules) throws -> sending Opened {
        let time = try freeTime()
        let count = try place.freeingReserve { try salvage(at: time, rules) }
        let aside = try setAside(at: time)
        try putInPlace(Self.salvagedName(time))
        let store = try openFreeingSpace()
        return Opened(store: store, isNew: false, repair: .setAside(aside, reason, savedRowCount: count))
    }

    /// Builds a ledger of the rows that can still be read, durable under a name of its own.
    /// - Returns: the number of transfers in it.
    private func salvage(at time: Int64, _ rules: SalvageRules) throws -> Int {
        let publication = try Publication.new(in: place.temporary, files: place.files)
        defer {
            for side in ["-wal", "-shm"] {
                guard let name = EntryName("\(publication.temporaryName)\(side)") else { continue }
                // Best effort: what stays behind is removed by the next cleaner.
                _ = try? place.files.remove(name, in: place.temporary)
            }
        }
        let store = try TransferStore(
            path: place.temporary.path(of: publication.temporaryName), clock: place.clock)
        let count: Int
        do {
            count = try store.salvage(
                from: place.directory.path(of: LedgerPlace.ledgerName), lane: rules.lane, rank: rules.rank)
            try store.closeAsOneFile()
        } catch {
            store.abandon()
            throw error
        }
        _ = try publication.publish(as: Self.salvagedName(time), in: place.directory)
        return count
    }

    /// Gives the ledger that was built of another's rows its name.
    private func putInPlace(_ salvaged: EntryName) throws(FileSystemError) {
        try place.files.rename(salvaged, in: place.directory, to: LedgerPlace.ledgerName, in: place.directory)
        // Before there are new sides: without a ledger those would be set aside in the names of the old ones.
        try place.files.syncDirectory(place.directory)
        try place.laySides()
    }

    /// An earlier owner may have died while it replaced a ledger. Where the old one has lost its name already, the
    /// replacement goes on; else the old one is opened, and whatever is wrong with it is found again.
    private func finishReplacement() throws(FileSystemError) {
        let prefix = Self.salvagedPrefix
        for name in try place.files.entries(of: place.directory).reversed() where name.description.hasPrefix(prefix) {
            if try place.has(LedgerPlace.ledgerName) {
                try place.files.remove(name, in: place.directory)
                try place.files.syncDirectory(place.directory)
            } else {
                let time = Int64(name.description.dropFirst(prefix.count))
                _ = try setAside(at: time ?? place.clock.wallMilliseconds)
                try putInPlace(name)
            }
        }
    }

    /// SQLite deletes a log whose ledger is gone or empty; here it is kept for a person to look at. An empty log was
    /// laid for SQLite to write into.
    private func setOrphanedLogAside() throws(FileSystemError) -> EntryName? {
        guard try place.size(of: LedgerPlace.logName) > 0, try place.size(of: LedgerPlace.ledgerName) == 0 else {
            return nil
        }
        return try setAside(at: freeTime())
    }

    /// Renames the ledger, its log and its index, which belong together. Nothing is ever wiped.
    /// - Returns: the ledger's name from now on.
    private func setAside(at time: Int64) throws(FileSystemError) -> EntryName {
        let aside = Self.asideName(time)
        for side in ["", "-wal", "-shm"] {
            guard let name = EntryName("\(LedgerPlace.ledgerName)\(side)"), let newName = EntryName("\(aside)\(side)"),
                try place.has(name)
            else { continue }
            try place.files.rename(name, in: place.directory, to: newName, in: place.directory)
            // The ledger's name goes first, and durably: a ledger that came back without its log would look sound.
            if side.isEmpty { try place.files.syncDirectory(place.directory) }
        }
        try place.files.syncDirectory(place.directory)
        return aside
    }

    /// The time now, or the next under which nothing was set aside yet.
    private func freeTime() throws(FileSystemError) -> Int64 {
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

    private static func salvagedName(_ time: Int64) -> EntryName {
        EntryName("\(salvagedPrefix)\(time)") ?? LedgerPlace.ledgerName
    }
}
