package import DurableIO

/// The ledger: the transfers, the due time of each transfer, and the result of each attempt.
///
/// Only `Store/` speaks SQL. Only the owner's connection writes. The caller calls every method that changes the ledger
/// inside `transaction`. When `transaction` has returned, the changes survive a power cut.
package final class TransferStore {
    let connection: SQLiteConnection
    private let clock: any SystemClock
    private var ledgerClock: LedgerClock
    private(set) var hasMarkedEpoch = false
    /// Whether the next owner compares files and rows, however this one ends.
    package private(set) var isDistrusted = false
    /// Whether this owner has given back the claims that the earlier owner left under way.
    var hasRecovered = false
    private var forgottenPrefix: String?

    /// The number of this owner. Rows that an earlier owner claimed have a smaller number.
    package private(set) var epoch: Int64

    /// How the earlier owner ended.
    package enum EarlierEnd: Hashable, Sendable {
        case clean
        case unclean(isSameBoot: Bool)
        /// No owner has used the ledger before.
        case none
    }
    package let earlierEnd: EarlierEnd

    /// Opens or makes the ledger. If the last owner did not end in order, every page is checked first.
    ///
    /// When the task is cancelled meanwhile, the check and a migration end early, and the ledger is as it was.
    /// - Parameters:
    ///   - path: the path of the database.
    ///   - clock: this machine's clock.
    ///   - isDoubted: whether every page is checked even if the last owner ended in order. The default is `false`.
    ///   - interrupter: the object that the caller asks to interrupt the check when the task is cancelled.
    /// - Throws: ``SQLiteError``, or ``LedgerError`` for a ledger of a later version.
    package init(
        path: String, clock: any SystemClock, isDoubted: Bool = false,
        interrupter: SQLiteInterrupter = SQLiteInterrupter()
    ) throws {
        let connection = try SQLiteConnection(path: path, mode: .readWrite)
        self.connection = connection
        self.clock = clock
        let isNew = try connection.cancellable { try Schema.migrate(connection) }
        if let last = try Self.lastLife(connection) {
            earlierEnd = last.isClean ? .clean : .unclean(isSameBoot: last.clock.bootID == clock.bootID)
            epoch = last.epoch + 1
            // From now on the boot clock moves the time of the ledger, whatever happens to the wall clock.
            ledgerClock = last.clock.advanced(to: clock.reading)
            if isDoubted || !last.isClean { try Self.checkSoundness(connection, interrupter) }
        } else {
            if !isNew { try Self.checkSoundness(connection, interrupter) }
            earlierEnd = .none
            epoch = 1
            ledgerClock = LedgerClock(
                bootID: clock.bootID, bootMilliseconds: clock.bootMilliseconds,
                wallMilliseconds: clock.wallMilliseconds, ledgerMilliseconds: 0)
        }
    }

    /// The bytes of a ledger that no owner has used: all tables, and no row but those of the given texts. If these bytes
    /// are written to a file and synced, `init` opens the file as a ledger, and makes nothing except commits.
    package static func emptyLedger(remembering texts: [String: String] = [:]) throws -> [UInt8] {
        let connection = try SQLiteConnection(path: ":memory:", mode: .memory)
        defer { connection.close() }
        _ = try Schema.migrate(connection)
        try remember(texts, in: connection)
        return try connection.image()
    }

    /// Milliseconds on the ledger's own axis, on which all due times and ages are stored.
    package var now: Int64 {
        ledgerClock.now(at: clock.reading)
    }

    package var wallNow: Int64 { clock.wallMilliseconds }

    /// The time on the wall clock at which a time on the ledger's axis will come, as far as this can be known now.
    package func wall(of ledgerTime: Int64) -> Int64 {
        wallNow &+ (ledgerTime &- now)
    }

    /// Makes all of the body's changes or none. The changes are durable on return.
    ///
    /// Each transaction also stores the clock's checkpoint, so that a due time is never further from the checkpoint
    /// than the row's delay.
    package func transaction<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws -> Result {
        let result = try connection.transaction { () throws in
            try markEpoch(isClean: false)
            return try body()
        }
        hasMarkedEpoch = true
        return result
    }

    /// Runs work that may take long. Its statements end soon after the condition holds.
    /// - Throws: `CancellationError` when a statement was ended in this way, or the errors of the body.
    func interruptible<Result>(when isCalledOff: () -> Bool, _ body: () throws -> Result) throws -> Result {
        do {
            return try connection.interruptible(when: isCalledOff, body)
        } catch let error as SQLiteError where error.isInterruption {
            throw CancellationError()
        }
    }

    /// Makes durable that this owner has begun its work, so that the next owner sees a crash from now on. The caller
    /// calls this before it moves a file. Each transaction does the same.
    package func begin() throws {
        guard !hasMarkedEpoch else { return }
        try transaction { () throws(SQLiteError) in }
    }

    /// Records that files and rows may disagree from now on: however this owner ends, the next owner compares them.
    package func distrustFiles() {
        isDistrusted = true
    }

    /// At an orderly close, forgets the tokens that begin with this prefix, because their sources or orders cannot come
    /// again. The prefix is ASCII.
    package func forgetTokensAtClose(withPrefix prefix: String) {
        forgottenPrefix = prefix
    }

    /// Ends the work of this owner in order, so that the next owner has nothing to repair. The store cannot be used
    /// afterwards.
    package func close() throws {
        defer {
            connection.close()
            hasMarkedEpoch = false
        }
        guard hasMarkedEpoch else { return }
        // The next owner must repair files and rows, but must not take this end for a death.
        guard !isDistrusted else { return tryToBlameNothing() }
        do {
            do {
                try closeInOrder()
            } catch let error as SQLiteError where error.isOutOfSpace {
                giveBackLog()
                try closeInOrder()
            }
        } catch {
            tryToBlameNothing()
            throw error
        }
        connection.checkpoint()
    }

    private func closeInOrder() throws {
        try connection.transaction { () throws in
            try closeDrops()
            try forgetOldTombstones()
            try forgetIdleOrigins()
            if let forgottenPrefix { try forget(tokensWithPrefix: forgottenPrefix) }
            try markEpoch(isClean: true)
        }
    }

    /// For a full disk: moves the content of the log into the ledger's file, as far as readers allow it. So the space
    /// of the log is free again. From now on the log is kept at 100 pages, because a log that grows would take the
    /// space that deliveries free.
    package func giveBackLog() {
        connection.checkpoint()
        try? connection.execute("PRAGMA wal_autocheckpoint=100")
    }

    /// Closes a ledger that was built from the rows of another ledger. On return the ledger's file stands alone: the
    /// log is empty.
    package func closeAsOneFile() throws(SQLiteError) {
        try connection.checkpointWhole()
        connection.close()
    }

    /// Ends the work of this owner as a crash would: the next owner repairs files and rows.
    package func abandon() {
        connection.close()
    }

    /// Continues the axis at the time that another ledger had reached, and never sets the axis back.
    func continueAxis(of clock: LedgerClock) {
        let continued = clock.advanced(to: self.clock.reading)
        if continued.ledgerMilliseconds > now { ledgerClock = continued }
    }

    /// The same for another ledger of which only the time on its axis is known.
    func continueAxis(from milliseconds: Int64) {
        let reading = clock.reading
        continueAxis(
            of: LedgerClock(
                bootID: reading.bootID, bootMilliseconds: reading.bootMilliseconds,
                wallMilliseconds: reading.wallMilliseconds, ledgerMilliseconds: milliseconds))
    }

    func markEpoch(isClean: Bool) throws {
        ledgerClock = ledgerClock.advanced(to: clock.reading)
        try connection.run(
            """
            INSERT INTO engine(id, epoch, is_clean, boot_id, boot_ms, wall_ms, ledger_ms) VALUES(1, ?, ?, ?, ?, ?, ?)
            ON CONFLICT(id) DO UPDATE SET epoch=excluded.epoch, is_clean=excluded.is_clean, boot_id=excluded.boot_id,
              boot_ms=excluded.boot_ms, wall_ms=excluded.wall_ms, ledger_ms=excluded.ledger_ms
            """,
            .integer(epoch), SQLiteValue(isClean), .text(ledgerClock.bootID), .integer(ledgerClock.bootMilliseconds),
            .integer(ledgerClock.wallMilliseconds), .integer(ledgerClock.ledgerMilliseconds))
    }

    private static func checkSoundness(
        _ connection: SQLiteConnection, _ interrupter: SQLiteInterrupter
    ) throws(SQLiteError) {
        try connection.cancellable(by: interrupter) { () throws(SQLiteError) in try checkSoundness(connection) }
    }

    static func checkSoundness(_ connection: SQLiteConnection) throws(SQLiteError) {
        let answer = try connection.value("PRAGMA quick_check(1)")?.text ?? "no answer"
        guard answer == "ok" else { throw SQLiteError.damage(answer, statement: "PRAGMA quick_check") }
    }

    // MARK: - Lives

    struct Life {
        let epoch: Int64
        let isClean: Bool
        let clock: LedgerClock
    }

    static func lastLife(_ connection: SQLiteConnection) throws(SQLiteError) -> Life? {
        try connection.rows("SELECT epoch, is_clean, boot_id, boot_ms, wall_ms, ledger_ms FROM engine WHERE id=1") {
            row throws(SQLiteError) in
            Life(
                epoch: row.integer(at: 0), isClean: row.integer(at: 1) != 0,
                clock: LedgerClock(
                    bootID: row.text(at: 2) ?? "", bootMilliseconds: row.integer(at: 3),
                    wallMilliseconds: row.integer(at: 4), ledgerMilliseconds: row.integer(at: 5)))
        }.first
    }

    // MARK: - Tombstones

    /// How long the record of a delivered transfer is kept: 90 days, in milliseconds.
    package static let tombstoneAge: Int64 = 90 * 86_400_000

    /// Nobody acknowledges a report's end, and only a session's rows have a transfer's kind as their label.
    private static let isForgettableReport = """
        (state='delivered' OR state='evicted' OR state='removed')
          AND label <> '\(TransferKind.upload.rawValue)' AND label <> '\(TransferKind.download.rawValue)'
        """

    /// The largest number of tokens that one close forgets, so that no close takes long.
    static let forgottenTokenCount = 10_000

    /// Deletes old tombstones in small steps, so that no close takes long.
    ///
    /// The row of a session's transfer is deleted whatever its state is, but only after a caller has seen its outcome.
    /// A download's file waits for its caller, and any other outcome waits until a caller asks for it. The rows of
    /// parked reports stay, because their bytes wait for a person.
    private func forgetOldTombstones() throws(SQLiteError) {
        try connection.run(
            """
            DELETE FROM transfer WHERE id IN (SELECT id FROM transfer INDEXED BY transfer_settled
              WHERE settled_at IS NOT NULL AND settled_at < ?
              AND (is_acknowledged=1 OR \(Self.isForgettableReport)) ORDER BY settled_at LIMIT 1000)
            """, .integer(now - Self.tombstoneAge))
        try forgetBraked(atMost: 1_000)
        try connection.run(
            """
            DELETE FROM consumed_token WHERE token IN (SELECT token FROM consumed_token WHERE consumed_at < ?
              LIMIT \(Self.forgottenTokenCount))
            """, .integer(now - Self.tombstoneAge))
    }
}

extension SystemClock {
    var reading: LedgerClock.Reading {
        LedgerClock.Reading(
            bootID: bootID, bootMilliseconds: bootMilliseconds, wallMilliseconds: wallMilliseconds)
    }
}
