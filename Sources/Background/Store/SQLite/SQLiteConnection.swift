import CSQLite

/// One connection to a database file, with its prepared statements. Only one task at a time uses it.
///
/// A connection for writing is in WAL mode with `synchronous=FULL`, and checks that it is: a commit that has returned
/// survives a power cut (sqlite.org/wal.html). A connection for reading never writes and never checkpoints. A
/// connection in memory builds a database whose bytes are then written like any other file.
final class SQLiteConnection {
    enum Mode {
        case readWrite
        case readOnly
        /// There is no file, and the path is not used.
        case memory
    }

    let handle: OpaquePointer
    private var isClosed = false
    private var statements: [String: SQLiteStatement] = [:]
    private let mode: Mode
    /// The condition that ends statements early; see `SQLiteConnection+Interruption`.
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

    /// Closes the connection. The last connection to close empties the WAL, so that the file stands alone. The WAL and
    /// its index stay as files, because on a disk without a free inode SQLite could not make them again.
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
        // Best effort: without this, the next connection makes the two files again. A close empties the WAL as long as
        // `journal_size_limit` is set.
        csqlite_config_persist_wal(handle, 1)
        // Some file systems cannot do WAL; SQLite then stays in its old mode and says so.
        try assert("PRAGMA journal_mode=WAL", gives: "wal")
        try execute("PRAGMA synchronous=FULL")
        try assert("PRAGMA synchronous", gives: "2")
        try execute("PRAGMA locking_mode=NORMAL")
        try execute("PRAGMA foreign_keys=ON")
        // With the default of 2 MB, SQLite would read the indexes of some ten thousand rows again all the time.
        try execute("PRAGMA cache_size=-6144")
        // SQLite cuts the WAL back after each checkpoint, so that a flood of commits does not leave a big file for
        // ever.
        try execute("PRAGMA journal_size_limit=4194304")
    }

    private func assert(_ sql: String, gives expected: String) throws(SQLiteError) {
        let found = try value(sql)?.text
        guard found == expected else {
            let message = "\(sql) gives \(found ?? "nothing"), not \(expected)"
            // The file system causes this error, not the file. So the error must not be one that sets the file aside.
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

    /// Returns all rows, each turned into a value while the statement stands on it.
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

    /// Commits the changes that a transaction has made so far, and goes on in another transaction. This is for a ledger
    /// that nobody has open before it is complete. Otherwise all its changes would have to be synced at once.
    func commitSoFar() throws(SQLiteError) {
        try execute("COMMIT")
        try execute("BEGIN IMMEDIATE")
    }

    /// Makes all of the body's changes or none. On return the changes survive a power cut.
    func transaction<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws -> Result {
        try transaction("BEGIN IMMEDIATE", body)
    }

    /// Lets all reads of the body see the same state of the database. They take and release the locks of the file only
    /// once.
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

    /// The bytes of the database in memory, as a file that is in WAL mode (bytes 18 and 19,
    /// sqlite.org/fileformat.html). So the first connection to the file need not write in order to switch modes.
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
        // Best effort: if a reader is in the way, a later checkpoint does this.
        sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
    }
}
