/// The claims that an owner leaves under way when its end is not orderly, and the decision which row or drop is to be
/// blamed for that end.
extension TransferStore {
    /// If the earlier owner's end was not orderly, gives back the claims that it left under way, and counts all rows
    /// again. Does this only once. When the task is cancelled meanwhile, nothing changes.
    ///
    /// If the earlier owner died in this boot, one of these is to be blamed: a row that had the process to itself, or
    /// the drops that were being collected. If there are such drops, no row is blamed.
    /// - Parameter drops: the marks of the drops that were renamed away and not enrolled. The closure is called only
    ///   when the marks are needed. It returns `nil` when the marks cannot be known; then nothing is blamed. The
    ///   default is none.
    /// - Throws: ``SQLiteError``.
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

    /// Gives back the rows that an earlier owner claimed. They are suspects, which the queue sends last. They are due
    /// now, except a row that is held because of its strikes. If only one row was under way, and a row is to be blamed,
    /// that row gets a strike.
    ///
    /// The row whose attempt began last counts as due longest. So it is tried before a row that has already shown how
    /// long it takes.
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

    /// From now on, a death of this owner says nothing about the row that is under way then.
    func blameNobody() throws {
        try connection.run(
            "INSERT OR REPLACE INTO memory(name, text) VALUES(?, ?)", .text(Self.blamesNobodyName), .text("\(epoch)"))
    }

    /// Records that a suspect is sent alone, and is to be blamed if this owner dies.
    func blameAgain() throws {
        try connection.run("DELETE FROM memory WHERE name=?", .text(Self.blamesNobodyName))
    }

    private static let diedOfNothingName = "life that did not die"

    /// Records that nothing under way is to be blamed for the end of this owner, however it ends.
    func blameNothing() throws {
        try connection.run(
            "INSERT OR REPLACE INTO memory(name, text) VALUES(?, ?)", .text(Self.diedOfNothingName), .text("\(epoch)"))
    }

    /// Records that this owner ends without order while its process goes on: neither a row nor a drop is to be blamed.
    /// Best effort, because the error that ends this owner may be an error of the ledger.
    func tryToBlameNothing() {
        guard hasMarkedEpoch else { return }
        try? transaction { () throws in
            try blameNothing()
            try closeDrops()
        }
    }

    /// Whether the owner before this one has stored the note of that name about itself.
    private func didEarlierLife(_ name: String) throws -> Bool {
        try connection.value("SELECT text FROM memory WHERE name=?", .text(name))?.text == "\(epoch - 1)"
    }
}
