package import DurableIO

/// The ledger: which transfers there are, when each is due, and what came of each attempt.
///
/// The only place that speaks SQL. One connection writes, the owner's. Every method that changes something is to be
/// called inside `transaction`; when that returns, the changes survive a power cut.
package final class TransferStore {
    let connection: SQLiteConnection
    private let clock: any SystemClock
    private var ledgerClock: LedgerClock
    private(set) var hasMarkedEpoch = false
    private var isDistrusted = false
    /// Whether what the earlier life left under way was given back.
    var hasRecovered = false
    private var forgottenPrefix: String?

    /// This life of the owner; rows claimed by an earlier one are stale.
    package private(set) var epoch: Int64

    /// What the earlier life left.
    package enum EarlierEnd: Hashable, Sendable {
        case clean
        case unclean(isSameBoot: Bool)
        /// There was no ledger.
        case none
    }
    package let earlierEnd: EarlierEnd

    /// Opens or makes the ledger. Unless its last life ended in order, its every page is checked first.
    ///
    /// When the task is cancelled meanwhile, the check and a migration end early, and the ledger is as it was.
    /// - Parameters:
    ///   - path: of the database.
    ///   - clock: this machine's.
    ///   - isDoubted: whether it is checked however its last life ended. The default is `false`.
    ///   - interrupter: to be asked to interrupt when the task is cancelled.
    /// - Throws: ``SQLiteError``, or ``LedgerError`` for one of a later version.
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
            // From here on this boot's clock counts, whatever the wall's does.
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

    /// The bytes of a ledger in which there was no life yet: all tables and no row. Written to a file and synced it is
    /// a ledger that `init` opens without making anything but commits.
    package static func emptyLedger() throws -> [UInt8] {
        let connection = try SQLiteConnection(path: ":memory:", mode: .memory)
        defer { connection.close() }
        _ = try Schema.migrate(connection)
        return try connection.image()
    }

    /// Milliseconds on the ledger's own axis, on which all due times and ages are stored.
    package var now: Int64 {
        ledgerClock.now(at: clock.reading)
    }

    package var wallNow: Int64 { clock.wallMilliseconds }

    /// When a time on the ledger's axis will be on the wall's clock, as far as one can say now.
    package func wall(of ledgerTime: Int64) -> Int64 {
        wallNow &+ (ledgerTime &- now)
    }

    /// All of the body's changes or none, durable when it returns.
    ///
    /// Each one carries the clock's checkpoint, so that a due time is never further from it than its delay.
    package func transaction<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws -> Result {
        let result = try connection.transaction { () throws in
            try markEpoch(isClean: false)
            return try body()
        }
        hasMarkedEpoch = true
        return result
    }

    /// Does something that takes long; its statements end soon after the condition holds.
    /// - Throws: `CancellationError` when one was ended so, or what the body throws.
    func interruptible<Result>(when isCalledOff: () -> Bool, _ body: () throws -> Result) throws -> Result {
        do {
            return try connection.interruptible(when: isCalledOff, body)
        } catch let error as SQLiteError where error.isInterruption {
            throw CancellationError()
        }
    }

    /// Makes it durable that this life has begun, so that a crash from here on is seen by the next one. To be called
    /// before a file is moved; a transaction does it, too.
    package func begin() throws {
        guard !hasMarkedEpoch else { return }
        try transaction { () throws(SQLiteError) in }
    }

    /// Files and rows may disagree from here on: however this life ends, the next one looks for what it left.
    package func distrustFiles() {
        isDistrusted = true
    }

    /// At an orderly close, forgets the tokens that begin so: they cannot come again. ASCII.
    package func forgetTokensAtClose(withPrefix prefix: String) {
        forgottenPrefix = prefix
    }

    /// Ends this life in order, so that the next one need not look for what it left. Nothing can be asked afterwards.
    package func close() throws {
        defer {
            connection.close()
            hasMarkedEpoch = false
        }
        guard hasMarkedEpoch else { return }
        // The next life is to look for what this one left, and is not to take its end for a death.
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

    /// For a full disk: moves what the log holds into the ledger's file, as far as readers let it, so that the log's
    /// space is free again, and keeps it at 100 pages from now on. Left to grow it would take what deliveries free.
    package func giveBackLog() {
        connection.checkpoint()
        try? connection.execute("PRAGMA wal_autocheckpoint=100")
    }

    /// Closes a ledger that was built of another's rows, so that its file stands alone: nothing of it is left in the
    /// log.
    package func closeAsOneFile() throws(SQLiteError) {
        try connection.checkpointWhole()
        connection.close()
    }

    /// Ends this life as a crash would: the next one looks for what it left.
    package func abandon() {
        connection.close()
    }

    /// Goes on counting where another ledger stopped, never backwards.
    func continueAxis(of clock: LedgerClock) {
        let continued = clock.advanced(to: self.clock.reading)
        if continued.ledgerMilliseconds > now { ledgerClock = continued }
    }

    /// The same, where only the time is known to which the other ledger had come.
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

    /// So many tokens are forgotten at one close, so that no close takes long.
    static let forgottenTokenCount = 10_000

    /// In small steps, so that no close takes long.
    ///
    /// What a session has settled is forgotten however it ended, but not before its outcome was seen: a download's
    /// file waits for its owner, and any other outcome is handed to whoever asks. Of reports the parked ones stay:
    /// their bytes wait for a person.
    private func forgetOldTombstones() throws(SQLiteError) {
        try connection.run(
            """
            DELETE FROM transfer WHERE id IN (SELECT id FROM transfer INDEXED BY transfer_settled
              WHERE settled_at IS NOT NULL AND settled_at < ?
              AND (is_acknowledged=1 OR \(Self.isForgettableReport)) ORDER BY settled_at LIMIT 1000)
            """, .integer(now - Self.tombstoneAge))
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
