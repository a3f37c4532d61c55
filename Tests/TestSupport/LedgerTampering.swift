import CSQLite

/// Runs statements on a ledger that nobody has open, as damage or a stranger's hand would change it.
package func tamper(with path: String, _ statements: String) throws {
    struct Refused: Error { let message: String }
    var handle: OpaquePointer?
    defer { sqlite3_close_v2(handle) }
    guard sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK,
        sqlite3_exec(handle, statements, nil, nil, nil) == SQLITE_OK
    else { throw Refused(message: String(cString: sqlite3_errmsg(handle))) }
}
