/// A call SQLite refused: its extended result code, its message, and the statement, never the bound values.
package struct SQLiteError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The extended result code.
    package let code: Int32
    package let message: String
    package let statement: String?

    package init(code: Int32, message: String, statement: String?) {
        self.code = code
        self.message = message
        self.statement = statement
    }

    package var description: String {
        let place = statement.map { " in \"\($0.prefix(120))\"" } ?? ""
        return "SQLite error \(code): \(message)\(place)"
    }

    private var primaryCode: Int32 { code & 0xff }

    /// Whether the file holds something else than a sound database (`SQLITE_CORRUPT`, `SQLITE_NOTADB`).
    package var isDamage: Bool { primaryCode == 11 || primaryCode == 26 }
    /// `SQLITE_FULL`, or no room for the index of the WAL (`SQLITE_IOERR_SHMSIZE`).
    package var isOutOfSpace: Bool { primaryCode == 13 || code == 4_874 }
    /// `SQLITE_CANTOPEN` or `SQLITE_READONLY`: the directory cannot be written, or the file is not there; or there is no
    /// room for the index of the WAL.
    package var isUnopenable: Bool { primaryCode == 14 || primaryCode == 8 || code == 4_874 }
    /// `SQLITE_BUSY` or `SQLITE_LOCKED`.
    package var isBusy: Bool { primaryCode == 5 || primaryCode == 6 }
}
