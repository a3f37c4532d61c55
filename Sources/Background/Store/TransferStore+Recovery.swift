/// What a life that did not end in order leaves under way, and who is to be blamed for its end.
extension TransferStore {
    /// After a life that did not end in order, gives back what it left under way, and counts all rows again; once.
    /// When the task is cancelled meanwhile, nothing has changed.
    ///
    /// Where the life died in this boot, what was under way is to be blamed: a row that had the process to itself, or
    /// the drops that were being collected. With such drops no row is blamed.
    /// - Parameter drops: the marks of the drops that have been renamed away and not enrolled; called only when they
    ///   are needed. `nil` where nobody knows: then nothing is blamed. The default is none.
    /// - Throws: ``SQLiteError``.
    package func recover(drops: @Sendable () -> Set<String>? = { [] }) throws {
        guard !hasRecovered, case .unclean(let isSameBoot) = earlierEnd else { return }
        let marks = drops()
        try transaction { () throws in
            let hasDied = try isSameBoot && !didEarlierLife(Self.diedOfNothingName)
            let wasCollecting = try marks.map { try !underWay(among: $0).isEmpty } ?? true
            let isRowBlamed = try hasDied && !wasCollecting && !didEarlierLife(Self.blamesNobodyName)
            try recoverInterrupted(isRowBlamed: isRowBlamed)
            if hasDied, let marks { try noteDeaths(among: marks) }
            if !hasDied { try closeDrops() }
            try connection.cancellable { try recountTally() }
        }
        hasRecovered = true
    }

    /// Gives rows claimed by an earlier life back, due now; suspects go last, and a lone one gets a strike.
    ///
    /// The one that began last is due longest: it is tried before a row that has shown already how long it takes.
    package func recoverInterrupted(isRowBlamed: Bool) throws {
        let interrupted = try connection.rows(
            "SELECT \(TransferRecord.columns) FROM transfer WHERE state='sending' AND epoch < ?", [.integer(epoch)],
            TransferRecord.init)
        let isStrike = PoisonPolicy.isStrike(inFlight: interrupted.count, isBlamed: isRowBlamed)
        let begun = try interrupted.map { record in
            try connection.value(
                "SELECT started_wall FROM attempt WHERE transfer=? AND number=?", .integer(record.rowID),
                SQLiteValue(record.attempts))?.integer ?? 0
        }
        let order = Set(begun).sorted()
        for (record, begun) in zip(interrupted, begun) {
            let strikes = record.strikes + (isStrike ? 1 : 0)
            let hold = PoisonPolicy.holdDelay(strikes: strikes)
            let precedence = Int64(order.firstIndex(of: begun) ?? 0)
            try connection.run(
                """
                UPDATE transfer SET state=?, reason=?, due_at=?, epoch=NULL, is_suspect=1, strikes=?
                WHERE id=?
                """, .text(hold == nil ? "waiting" : "held"),
                .text((hold == nil ? TransferReason.waiting(.interrupted) : .held(.poison)).rawValue),
                .integer(now + (hold ?? 0) - precedence), SQLiteValue(strikes), .integer(record.rowID))
            try connection.run(
                "UPDATE attempt SET error='the sender died' WHERE transfer=? AND number=? AND ended_wall IS NULL",
                .integer(record.rowID), SQLiteValue(record.attempts))
        }
    }

    // MARK: - Who is to be blamed

    static let blamesNobodyName = "life that blames nobody"

    /// From here on a death of this life says nothing about the row that is under way then.
    func blameNobody() throws {
        try connection.run(
            "INSERT OR REPLACE INTO memory(name, text) VALUES(?, ?)", .text(Self.blamesNobodyName), .text("\(epoch)"))
    }

    /// A suspect goes alone: it is to be blamed.
    func blameAgain() throws {
        try connection.run("DELETE FROM memory WHERE name=?", .text(Self.blamesNobodyName))
    }

    private static let diedOfNothingName = "life that did not die"

    /// However this life ends, it does not die of anything that it has under way.
    func blameNothing() throws {
        try connection.run(
            "INSERT OR REPLACE INTO memory(name, text) VALUES(?, ?)", .text(Self.diedOfNothingName), .text("\(epoch)"))
    }

    /// This life ends without order, and the process goes on: neither a row nor a drop is to be blamed. Best effort,
    /// because what ends it may be the ledger's trouble.
    func tryToBlameNothing() {
        guard hasMarkedEpoch else { return }
        try? transaction { () throws in
            try blameNothing()
            try closeDrops()
        }
    }

    /// Whether the life before this one has left such a word of itself.
    private func didEarlierLife(_ name: String) throws -> Bool {
        try connection.value("SELECT text FROM memory WHERE name=?", .text(name))?.text == "\(epoch - 1)"
    }
}
