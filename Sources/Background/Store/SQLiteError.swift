/// A call SQLite refused: its extended result code, its message, and the statement, never the bound values.
package struct SQLiteError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The extended result code.
    package let code: Int32
    package let message: String
    package let statement: String?

    package var description: String {
        let place = statement.map { " in \"\($0.prefix(120))\"" } ?? ""
        return "SQLite error \(code): \(message)\(place)"
    }

    private var primaryCode: Int32 { code & 0xff }

    /// Whether the file holds something else than a sound database (`SQLITE_CORRUPT`, `SQLITE_NOTADB`).
    package var isDamage: Bool { primaryCode == 11 || primaryCode == 26 }
    /// `SQLITE_FULL`.
    package var isOutOfSpace: Bool { primaryCode == 13 }
    /// `SQLITE_CANTOPEN` or `SQLITE_READONLY`: the directory cannot be written, or the file is not there.
    package var isUnopenable: Bool { primaryCode == 14 || primaryCode == 8 }
    /// `SQLITE_BUSY` or `SQLITE_LOCKED`.
    package var isBusy: Bool { primaryCode == 5 || primaryCode == 6 }
}
