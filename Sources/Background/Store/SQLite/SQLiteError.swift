/// A call SQLite refused: its extended result code, its message, and the statement, never the bound values. The
/// description is for people, of whom it is the ledger that they hear about.
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

    /// What our own look at a file finds wrong with it, as SQLite would say it (`SQLITE_CORRUPT`).
    package static func damage(_ message: String, statement: String? = nil) -> SQLiteError {
        SQLiteError(code: 11, message: message, statement: statement)
    }

    /// What SQLite says of a statement that was ended early (`SQLITE_INTERRUPT`).
    static let interrupted = SQLiteError(code: 9, message: "interrupted", statement: nil)

    package var description: String {
        // Not SQLite's words, which tell nobody what to do.
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
    /// That is what SQLite itself finds (`SQLITE_CORRUPT`, `SQLITE_NOTADB`), and what our statements, whose texts never
    /// change, meet in damaged definitions: a column that is not there (`SQLITE_ERROR`), or a rule that no row of ours
    /// breaks (`SQLITE_CONSTRAINT_CHECK`, `_NOTNULL` and `_DATATYPE`).
    package var isDamage: Bool { [1, 11, 26].contains(primaryCode) || [275, 1_299, 3_091].contains(code) }
    /// Another program had it locked for longer than the statement waited.
    package var isLock: Bool { primaryCode == 5 || primaryCode == 6 }
    /// Ended early because nobody waits for it any more. All that it had changed is undone, and it says nothing about
    /// the ledger.
    package var isInterruption: Bool { primaryCode == 9 }
    /// `SQLITE_FULL`, or no room for the index of the WAL (`SQLITE_IOERR_SHMSIZE`).
    package var isOutOfSpace: Bool { primaryCode == 13 || code == 4_874 }
    /// `SQLITE_CANTOPEN` or `SQLITE_READONLY`: the directory cannot be written, or the file is not there; or there is
    /// no room for the index of the WAL.
    package var isUnopenable: Bool { primaryCode == 14 || primaryCode == 8 || code == 4_874 }
}
