import CSQLite

/// One connection to a database file, with its prepared statements. To be used by one task at a time.
///
/// Opened for writing it is in WAL mode with `synchronous=FULL`, asserted: a commit that has returned survives a
/// power cut (sqlite.org/wal.html). Opened for reading it never writes, and never checkpoints. A connection in memory
/// is there to build a database whose bytes are then written like any other file.
final class SQLiteConnection {
    enum Mode {
        case readWrite
        case readOnly
        /// No file at all; the path is not looked at.
        case memory
    }

    let handle: OpaquePointer
    private var isClosed = false
    private var statements: [String: SQLiteStatement] = [:]
    private let mode: Mode
    /// What ends statements early; see `SQLiteConnection+Interruption`.
    var interruption: Interruption?

    init(path: String, mode: Mode) throws(SQLiteError) {
        var handle: OpaquePointer?
        var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW
        switch mode {
        case .readWrite: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        case .readOnly: flags |= SQLITE_OPEN_READONLY
        case .memory: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY
        }
        let status = sqlite3_open_v2(path, &handle, flags, nil)
        guard status == SQLITE_OK, let handle else {
            let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(handle)
            throw SQLiteError(code: status, message: message, statement: nil)
        }
        self.handle = handle
        self.mode = mode
        sqlite3_extended_result_codes(handle, 1)
        waitForLocks()
        try configure()
    }

    deinit {
        close()
    }

    /// The last connection to close empties the WAL, so that the file stands alone. WAL and index stay as files: on a
    /// disk without a free inode SQLite could not make them again.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        statements.removeAll()
        sqlite3_close_v2(handle)
    }

    private func configure() throws(SQLiteError) {
        switch mode {
        case .memory: return
        case .readOnly: return try execute("PRAGMA query_only=ON")
        case .readWrite: break
        }
        // Best effort: without it the next connection makes the two files again. A close empties the WAL for as long as
        // `journal_size_limit` is set.
        csqlite_config_persist_wal(handle, 1)
        // Some file systems cannot do WAL; SQLite then stays in its old mode and says so.
        try assert("PRAGMA journal_mode=WAL", gives: "wal")
        try execute("PRAGMA synchronous=FULL")
        try assert("PRAGMA synchronous", gives: "2")
        try execute("PRAGMA locking_mode=NORMAL")
        try execute("PRAGMA foreign_keys=ON")
        // The default of 2 MB has the indexes of some ten thousand rows read again all the time.
        try execute("PRAGMA cache_size=-6144")
        // The WAL is cut back after each checkpoint, lest one flood leaves a big file for ever.
        try execute("PRAGMA journal_size_limit=4194304")
    }

    private func assert(_ sql: String, gives expected: String) throws(SQLiteError) {
        let found = try value(sql)?.text
        guard found == expected else {
            let message = "\(sql) gives \(found ?? "nothing"), not \(expected)"
            // Not the file's fault, so not an error that would have it set aside.
            throw SQLiteError(code: SQLITE_NOLFS, message: message, statement: sql)
        }
    }

    // MARK: - Statements

    /// Runs statements that have no parameters and whose rows do not matter.
    func execute(_ sql: String) throws(SQLiteError) {
        try assertOpen(sql)
        let status = sqlite3_exec(handle, sql, nil, nil, nil)
        guard status == SQLITE_OK else { throw error(status, sql) }
    }

    /// Runs one statement to its end.
    func run(_ sql: String, _ values: SQLiteValue...) throws(SQLiteError) {
        try run(sql, values)
    }

    func run(_ sql: String, _ values: [SQLiteValue]) throws(SQLiteError) {
        let statement = try prepared(sql)
        defer { statement.reset() }
        try statement.bind(values)
        while try statement.step() {}
    }

    /// All rows, each turned into a value while the statement stands on it.
    func rows<Row>(
        _ sql: String, _ values: [SQLiteValue] = [], _ transform: (SQLiteStatement) throws(SQLiteError) -> Row
    ) throws(SQLiteError) -> [Row] {
        let statement = try prepared(sql)
        defer { statement.reset() }
        try statement.bind(values)
        var rows: [Row] = []
        while try statement.step() { rows.append(try transform(statement)) }
        return rows
    }

    /// The first column of the first row.
    func value(_ sql: String, _ values: SQLiteValue...) throws(SQLiteError) -> SQLiteValue? {
        let statement = try prepared(sql)
        defer { statement.reset() }
        try statement.bind(values)
        return try statement.step() ? statement.value(at: 0) : nil
    }

    /// Rows changed by the statement that ran last.
    var changedRowCount: Int { Int(sqlite3_changes64(handle)) }

    func prepared(_ sql: String) throws(SQLiteError) -> SQLiteStatement {
        if let statement = statements[sql] { return statement }
        try assertOpen(sql)
        var pointer: OpaquePointer?
        let status = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &pointer, nil)
        guard status == SQLITE_OK, let pointer else { throw error(status, sql) }
        let statement = SQLiteStatement(pointer, sql: sql, database: handle)
        statements[sql] = statement
        return statement
    }

    /// A closed connection's handle is freed memory.
    private func assertOpen(_ sql: String) throws(SQLiteError) {
        guard !isClosed else { throw SQLiteError(code: SQLITE_MISUSE, message: "the ledger is closed", statement: sql) }
    }

    private func error(_ status: Int32, _ sql: String) -> SQLiteError {
        SQLiteError(code: status, message: String(cString: sqlite3_errmsg(handle)), statement: sql)
    }

    // MARK: - Transactions

    /// Commits what a transaction has changed so far and goes on in another: for a ledger that nobody has open before
    /// it is whole, whose changes would else all have to be synced at once.
    func commitSoFar() throws(SQLiteError) {
        try execute("COMMIT")
        try execute("BEGIN IMMEDIATE")
    }

    /// All of the body's changes or none. When it returns they survive a power cut.
    func transaction<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws -> Result {
        try transaction("BEGIN IMMEDIATE", body)
    }

    /// Reads that all see the same; they take and give the file's locks once.
    func snapshot<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws -> Result {
        try transaction("BEGIN", body)
    }

    private func transaction<Result, Failure: Error>(
        _ begin: String, _ body: () throws(Failure) -> Result
    ) throws -> Result {
        try execute(begin)
        do {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // A failed COMMIT may have ended the transaction already; then there is nothing to roll back.
            if sqlite3_get_autocommit(handle) == 0 { try? execute("ROLLBACK") }
            throw error
        }
    }

    /// The bytes of the database in memory as a file that is in WAL mode (bytes 18 and 19, sqlite.org/fileformat.html),
    /// so that the first connection to it need not write to switch modes.
    func image() throws(SQLiteError) -> [UInt8] {
        var count: Int64 = 0
        guard let bytes = sqlite3_serialize(handle, "main", &count, 0) else { throw error(SQLITE_NOMEM, "serialize") }
        defer { sqlite3_free(bytes) }
        var image = [UInt8](UnsafeBufferPointer(start: bytes, count: Int(count)))
        guard image.count > 19 else { throw error(SQLITE_NOMEM, "serialize") }
        (image[18], image[19]) = (2, 2)
        return image
    }

    /// Moves all of the WAL's contents into the database file, durably.
    func checkpointWhole() throws(SQLiteError) {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)"
        guard try value(sql)?.integer == 0 else {
            throw SQLiteError(code: SQLITE_BUSY, message: "the log cannot be emptied", statement: sql)
        }
    }

    /// Moves the WAL's contents into the database file and empties the WAL, so that the file stands alone.
    func checkpoint() {
        // Best effort: a reader in its way leaves it to the next time.
        sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
    }
}
