/// What a life that did not end in order leaves under way, and who is to be blamed for its end.
extension TransferStore {
    /// After a life that did not end in order, gives back what it left under way, and counts all rows again; once.
    /// When the task is cancelled meanwhile, nothing has changed.
    /// - Parameter wasCollecting: whether drops were being collected at that end; then nothing says what it died of.
    /// - Throws: ``SQLiteError``.
    package func recover(wasCollecting: Bool = false) throws {
        guard !hasRecovered, case .unclean(let isSameBoot) = earlierEnd else { return }
        try transaction { () throws in
            try recoverInterrupted(isSameBoot: isSameBoot, wasCollecting: wasCollecting)
            try connection.cancellable { try recountTally() }
        }
        hasRecovered = true
    }

    /// Gives rows claimed by an earlier life back, due now; suspects go last, and a lone one gets a strike.
    ///
    /// The one that began last is due longest: it is tried before a row that has shown already how long it takes.
    package func recoverInterrupted(isSameBoot: Bool, wasCollecting: Bool = false) throws {
        let interrupted = try connection.rows(
            "SELECT \(TransferRecord.columns) FROM transfer WHERE state='sending' AND epoch < ?", [.integer(epoch)],
            TransferRecord.init)
        let isStrike = try PoisonPolicy.isStrike(
            inFlight: interrupted.count, isSameBoot: isSameBoot,
            isBlamed: !wasCollecting && !didEarlierLifeBlameNobody())
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

    /// The same as ``blameNobody()``, for a life that ends with an error: it may be the ledger's.
    func tryToBlameNobody() {
        guard hasMarkedEpoch else { return }
        try? transaction { () throws in
            try blameNobody()
            try closeDrops()
        }
    }

    private func didEarlierLifeBlameNobody() throws -> Bool {
        try connection.value("SELECT text FROM memory WHERE name=?", .text(Self.blamesNobodyName))?.text
            == "\(epoch - 1)"
    }
}
