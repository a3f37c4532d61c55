package import DurableIO

/// Opening the ledger, whatever state its files are in.
extension LedgerHost {
    /// What rows of ledgers from before the first release get, which had neither lanes nor ranks; and what rows are
    /// worth that do not fit on the disk.
    package struct SalvageRules {
        let lane: Lane
        let rank: (_ label: String, _ metadata: String) -> Int
        /// Whether the owner makes the rows anew from files, so that a ledger without them is better than none.
        let hasFiles: Bool

        package init(
            lane: Lane, hasFiles: Bool, rank: @escaping (_ label: String, _ metadata: String) -> Int
        ) {
            self.lane = lane
            self.hasFiles = hasFiles
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
        /// The ledger was set aside under this name, by this owner or one that died over it, and another made of its
        /// rows.
        case setAside(EntryName, Reason, savedRowCount: Int)

        package enum Reason: Sendable {
            case damaged(SQLiteError)
            case unreleasedVersion(Int64)
        }
    }

    /// Opens the ledger, making it when it is missing, and gives back what an earlier life left under way.
    ///
    /// A large ledger takes seconds to be checked, carried over, or rebuilt of its rows. When the task is cancelled
    /// meanwhile, that ends early: it says nothing about the ledger, which keeps its name and is doubted as before, so
    /// that the next owner does all of it.
    /// - Parameters:
    ///   - damage: what an earlier opening of this process has met.
    ///   - rules: for rows of a ledger from before the first release.
    ///   - drops: the marks of the drops that have been renamed away and not enrolled; `nil` where nobody knows. The
    ///     default is none.
    /// - Returns: the ledger, and what had to be done for it.
    /// - Throws: ``LedgerError`` for a ledger of a later version, which is not touched; ``SQLiteError`` or
    ///   ``FileSystemError`` when it cannot be opened or made; `CancellationError`.
    package func open(
        _ damage: LedgerDamage, _ rules: SalvageRules, drops: @Sendable () -> Set<String>? = { [] }
    ) throws -> sending Opened {
        do {
            let opened = try openAsItIs(damage, rules)
            try place.freeingReserve { try opened.store.recover(drops: drops) }
            return opened
        } catch let error as SQLiteError where error.isInterruption {
            throw CancellationError()
        }
    }

    private func openAsItIs(_ damage: LedgerDamage, _ rules: SalvageRules) throws -> sending Opened {
        let finished = try finishReplacement()
        let hadLedger = try place.has(LedgerPlace.ledgerName)
        do {
            if case .metAgain(let error) = damage, hadLedger { throw error }
            let orphan = try setOrphanedLogAside()
            let store = try openFreeingSpace(isDoubted: damage != .none)
            let isNew = !hadLedger || store.earlierEnd == .none
            var repair = orphan.map { Repair.orphanedLog($0) }
            if let finished {
                repair = .setAside(finished.aside, finished.reason, savedRowCount: try store.transferCount())
            }
            return Opened(store: store, isNew: isNew, repair: repair)
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
        }
        // Also beside a ledger: the one who gave it its name may have died before it came so far.
        try place.laySides()
        return try TransferStore(
            path: place.directory.path(of: LedgerPlace.ledgerName), clock: place.clock, isDoubted: isDoubted,
            interrupter: interrupter)
    }

    /// Sets the ledger aside and opens another, with all rows that can still be read.
    private func openAnew(because reason: Repair.Reason, _ rules: SalvageRules) throws -> sending Opened {
        let time = try freeTime()
        let count = try salvageFreeingSpace(at: time, rules)
        let aside = try setAside(at: time)
        if count != nil { try putInPlace(Self.salvagedName(time)) }
        let store = try openFreeingSpace()
        // Without the reserve, which was freed for the rows that found no space.
        if count == nil { store.giveBackLog() }
        return Opened(store: store, isNew: false, repair: .setAside(aside, reason, savedRowCount: count ?? 0))
    }

    /// - Returns: the number of transfers saved; `nil` when there is no space for them, and none is needed.
    private func salvageFreeingSpace(at time: Int64, _ rules: SalvageRules) throws -> Int? {
        do {
            return try place.freeingReserve { try salvage(at: time, rules) }
        } catch {
            guard LedgerPlace.isOutOfSpace(error) else { throw error }
            if rules.hasFiles { return nil }
            place.layReserveAgain()
            throw error
        }
    }
}
