package import DurableIO

/// Opening the ledger, whatever state its files are in.
extension LedgerHost {
    /// The rules for copying the rows of a ledger. They give the lane and the rank of rows from before the first
    /// release, which had neither, and say whether rows are needed that do not fit on the disk.
    package struct SalvageRules {
        let lane: Lane
        let rank: (_ label: String, _ metadata: String) -> Int
        /// Whether the owner makes the rows anew from files. Then a ledger without rows is better than no ledger.
        let hasFiles: Bool

        package init(
            lane: Lane, hasFiles: Bool, rank: @escaping (_ label: String, _ metadata: String) -> Int
        ) {
            self.lane = lane
            self.hasFiles = hasFiles
            self.rank = rank
        }
    }

    /// An open ledger, and the state in which it was found.
    package struct Opened {
        package let store: TransferStore
        /// Whether there was no ledger, or only a ledger that no owner had used.
        package let isNew: Bool
        package let repair: Repair?
    }

    /// The repair that was needed before the ledger could be used.
    package enum Repair: Sendable {
        /// A log without its ledger was set aside.
        case orphanedLog(EntryName)
        /// The ledger was set aside under this name, and another ledger was made from its rows. This owner did it, or
        /// an earlier owner that died while it did.
        case setAside(EntryName, Reason, savedRowCount: Int)

        package enum Reason: Sendable {
            case damaged(SQLiteError)
            case unreleasedVersion(Int64)
        }
    }

    /// Opens the ledger, makes it if it is missing, and gives back the claims that an earlier owner left under way.
    ///
    /// It takes seconds to check a large ledger, to carry it over, or to build it again from its rows. When the task is
    /// cancelled meanwhile, this work ends early and says nothing about the ledger. The ledger keeps its name and is
    /// doubted as before, so that the next owner does all of the work.
    /// - Parameters:
    ///   - damage: the damage that this process has met in the ledger before.
    ///   - rules: the rules for copying rows.
    ///   - drops: the marks of the drops that were renamed away and not enrolled; `nil` when they cannot be known. The
    ///     default is none.
    /// - Returns: the ledger, and the repair that was needed.
    /// - Throws: ``LedgerError`` for a ledger of a later version, which is not touched; ``SQLiteError`` or
    ///   ``FileSystemError`` when the ledger cannot be opened or made; `CancellationError`.
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

    /// SQLite needs some space to open a ledger. On a full disk, the removal of the reserve gives this space. Damage
    /// has to be found twice, because a failed read looks like damage.
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

    /// Opens the ledger, and makes it if it is missing. If a person or an earlier process has put an empty file there,
    /// SQLite fills it.
    private func openOrLay(_ isDoubted: Bool) throws -> sending TransferStore {
        if try !place.has(LedgerPlace.ledgerName) {
            try place.layLedger()
        }
        // These files may be missing beside a ledger, too: the process that gave the ledger its name may have died
        // before it made them.
        try place.laySides()
        return try TransferStore(
            path: place.directory.linklessPath(of: LedgerPlace.ledgerName), clock: place.clock, isDoubted: isDoubted,
            interrupter: interrupter)
    }

    /// Sets the ledger aside and opens another, with all rows that can still be read.
    private func openAnew(because reason: Repair.Reason, _ rules: SalvageRules) throws -> sending Opened {
        let time = try freeTime()
        let count = try salvageFreeingSpace(at: time, rules)
        let aside = try setAside(at: time)
        if count != nil { try putInPlace(Self.salvagedName(time)) }
        let store = try openFreeingSpace()
        // The reserve was freed for the rows, and they found no space all the same. So the log has to stay small.
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
