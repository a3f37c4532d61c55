/// An error of a call to SQLite: its extended result code, its message, and the statement, never the bound values. The
/// description is for people, and speaks of the ledger.
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

    /// An error for damage that this library itself finds in a file, with SQLite's code for damage (`SQLITE_CORRUPT`).
    package static func damage(_ message: String, statement: String? = nil) -> SQLiteError {
        SQLiteError(code: 11, message: message, statement: statement)
    }

    /// The error of a statement that was ended early (`SQLITE_INTERRUPT`).
    static let interrupted = SQLiteError(code: 9, message: "interrupted", statement: nil)

    package var description: String {
        // The words of SQLite do not tell a person what to do.
        let words =
            switch primaryCode {
            case _ where isOutOfSpace: "there is no space left on its disk"
            case _ where isDamage: statement == nil ? message : "it is damaged"
            case 9: "the work on it was interrupted"
            case 10: "its disk reports an error"
            case 14, 8: "it cannot be opened or written to"
            case 5, 6: "another program has locked it"
            default: "it is refused"
            }
        return "\(words) (SQLite code \(code))"
    }

    private var primaryCode: Int32 { code & 0xff }

    /// Whether the file holds something else than a sound ledger.
    ///
    /// SQLite itself finds this (`SQLITE_CORRUPT`, `SQLITE_NOTADB`). Or a statement of this library, whose text never
    /// changes, meets a damaged definition: a column that is missing (`SQLITE_ERROR`), or a rule that no row of this
    /// library breaks (`SQLITE_CONSTRAINT_CHECK`, `_NOTNULL` and `_DATATYPE`).
    package var isDamage: Bool { [1, 11, 26].contains(primaryCode) || [275, 1_299, 3_091].contains(code) }
    /// Whether another program had the file locked for longer than the statement waited.
    package var isLock: Bool { primaryCode == 5 || primaryCode == 6 }
    /// Whether the statement was ended early because nobody waits for it any more. SQLite has undone its changes, and
    /// the error says nothing about the ledger.
    package var isInterruption: Bool { primaryCode == 9 }
    /// Whether the disk is full: `SQLITE_FULL`, or no room for the index of the WAL (`SQLITE_IOERR_SHMSIZE`).
    package var isOutOfSpace: Bool { primaryCode == 13 || code == 4_874 }
    /// Whether the ledger cannot be opened (`SQLITE_CANTOPEN` or `SQLITE_READONLY`): the directory cannot be written,
    /// the file is not there, or there is no room for the index of the WAL.
    package var isUnopenable: Bool { primaryCode == 14 || primaryCode == 8 || code == 4_874 }
}
