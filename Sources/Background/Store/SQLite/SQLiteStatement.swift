import CSQLite

/// A value of one of the types SQLite stores.
enum SQLiteValue: Hashable, Sendable, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])

    init(integerLiteral value: Int64) { self = .integer(value) }
    init(stringLiteral value: String) { self = .text(value) }
    init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }
    init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }
    init(_ value: String?) { self = value.map { .text($0) } ?? .null }
    init(_ value: Bool) { self = .integer(value ? 1 : 0) }

    var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The value as text, as SQLite itself would convert an integer.
    var text: String? {
        switch self {
        case .text(let value): value
        case .integer(let value): String(value)
        case .null, .real, .blob: nil
        }
    }
}

/// A prepared statement. Belongs to its connection and is reset, not freed, after each use.
final class SQLiteStatement {
    private let handle: OpaquePointer
    private let sql: String
    private let database: OpaquePointer

    init(_ handle: OpaquePointer, sql: String, database: OpaquePointer) {
        self.handle = handle
        self.sql = sql
        self.database = database
    }

    deinit {
        sqlite3_finalize(handle)
    }

    func bind(_ values: [SQLiteValue]) throws(SQLiteError) {
        for (offset, value) in values.enumerated() {
            let index = Int32(offset + 1)
            let status: Int32
            switch value {
            case .null: status = sqlite3_bind_null(handle, index)
            case .integer(let number): status = sqlite3_bind_int64(handle, index, number)
            case .real(let number): status = sqlite3_bind_double(handle, index, number)
            case .text(let string): status = Self.bind(string, at: index, of: handle)
            case .blob(let bytes): status = csqlite_bind_blob(handle, index, bytes, Int32(bytes.count))
            }
            guard status == SQLITE_OK else { throw error(status) }
        }
    }

    private static func bind(_ string: String, at index: Int32, of handle: OpaquePointer) -> Int32 {
        var string = string
        return string.withUTF8 { buffer in
            guard let start = buffer.baseAddress else { return csqlite_bind_text(handle, index, "", 0) }
            return start.withMemoryRebound(to: CChar.self, capacity: buffer.count) {
                csqlite_bind_text(handle, index, $0, Int32(buffer.count))
            }
        }
    }

    /// - Returns: whether there is a row.
    func step() throws(SQLiteError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let status: throw error(status)
        }
    }

    /// Ends the read. This is needed before another connection can write or checkpoint beyond the read.
    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    func value(at column: Int32) -> SQLiteValue {
        switch sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER: .integer(sqlite3_column_int64(handle, column))
        case SQLITE_FLOAT: .real(sqlite3_column_double(handle, column))
        case SQLITE_TEXT: .text(text(at: column) ?? "")
        case SQLITE_BLOB: .blob(blob(at: column) ?? [])
        default: .null
        }
    }

    func integer(at column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    func optionalInteger(at column: Int32) -> Int64? {
        sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : sqlite3_column_int64(handle, column)
    }

    func text(at column: Int32) -> String? {
        guard let start = sqlite3_column_text(handle, column) else { return nil }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func blob(at column: Int32) -> [UInt8]? {
        guard sqlite3_column_type(handle, column) != SQLITE_NULL else { return nil }
        let count = Int(sqlite3_column_bytes(handle, column))
        guard count > 0, let start = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    private func error(_ status: Int32) -> SQLiteError {
        SQLiteError(code: status, message: String(cString: sqlite3_errmsg(database)), statement: sql)
    }
}
