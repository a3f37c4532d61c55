import CSQLite
import Foundation

private struct Refused: Error { let message: String }

/// Runs statements on a ledger that nobody has open, as damage or a stranger's hand would change it.
package func tamper(with path: String, _ statements: String) throws {
    try withLedger(path) { handle in
        guard sqlite3_exec(handle, statements, nil, nil, nil) == SQLITE_OK else { throw refusal(handle) }
    }
}

/// In WAL mode a transaction alone keeps no reader out.
private let exclusively = "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE"

/// Keeps a ledger locked, as another program may that has it open for writing.
/// - Parameters:
///   - path: the ledger's.
///   - lock: `IMMEDIATE` keeps writers out, `EXCLUSIVE` readers as well.
///   - body: what happens meanwhile.
/// - Returns: what `body` returns.
/// - Throws: what `body` throws, or why the ledger cannot be locked.
package func whileLedgerIsLocked<Result>(
    _ path: String, _ lock: String = "IMMEDIATE", _ body: () async throws -> Result
) async throws -> Result {
    var handle: OpaquePointer?
    defer { sqlite3_close_v2(handle) }
    // An owner that is at work itself has it locked for a moment.
    guard sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK, let handle,
        sqlite3_busy_timeout(handle, 5_000) == SQLITE_OK,
        sqlite3_exec(handle, lock == "EXCLUSIVE" ? exclusively : "BEGIN IMMEDIATE", nil, nil, nil) == SQLITE_OK
    else { throw refusal(handle) }
    return try await body()
}

/// Runs `body` while a reader sees one state of the ledger, so that its log is not begun anew; without one where the
/// ledger cannot be read.
/// - Parameters:
///   - path: the ledger's.
///   - body: what happens meanwhile.
/// - Returns: what `body` returns.
package func whileLedgerIsRead<Result>(_ path: String, _ body: () -> Result) -> Result {
    var handle: OpaquePointer?
    defer { sqlite3_close_v2(handle) }
    // Read-only: the last one to close it must not clear its log.
    if sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY, nil) == SQLITE_OK {
        sqlite3_exec(handle, "BEGIN; SELECT count(*) FROM sqlite_schema", nil, nil, nil)
    }
    return body()
}

/// Writes garbage over the first page of a table, in a ledger that nobody has open.
package func damageTable(_ name: String, in path: String) throws {
    let page = try withLedger(path) { handle -> Int in
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = '\(name)'"
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK,
            sqlite3_step(statement) == SQLITE_ROW
        else { throw refusal(handle) }
        return Int(sqlite3_column_int64(statement, 0))
    }
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    defer { try? file.close() }
    try file.seek(toOffset: UInt64(page - 1) * 4_096)
    try file.write(contentsOf: Data(repeating: 0xa5, count: 4_096))
}

/// What a statement finds in a ledger, as another program sees it that reads beside the owner: each row's columns.
package func rows(of statement: String, in path: String) throws -> [[String]] {
    try withLedger(path) { handle in
        var prepared: OpaquePointer?
        defer { sqlite3_finalize(prepared) }
        guard sqlite3_prepare_v2(handle, statement, -1, &prepared, nil) == SQLITE_OK else { throw refusal(handle) }
        var rows: [[String]] = []
        while sqlite3_step(prepared) == SQLITE_ROW {
            rows.append(
                (0..<sqlite3_column_count(prepared)).map { column in
                    sqlite3_column_text(prepared, column).map { String(cString: $0) } ?? ""
                })
        }
        guard sqlite3_errcode(handle) == SQLITE_DONE else { throw refusal(handle) }
        return rows
    }
}

private func withLedger<Result>(_ path: String, _ body: (OpaquePointer) throws -> Result) throws -> Result {
    var handle: OpaquePointer?
    defer { sqlite3_close_v2(handle) }
    guard sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK, let handle else {
        throw refusal(handle)
    }
    return try body(handle)
}

private func refusal(_ handle: OpaquePointer?) -> Refused {
    Refused(message: String(cString: sqlite3_errmsg(handle)))
}
