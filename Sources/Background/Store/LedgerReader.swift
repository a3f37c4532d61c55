package import DurableIO
import SystemPackage

/// A ledger opened for looking only, beside a living owner or without one.
///
/// It takes no lock that stops the owner, never checkpoints and changes nothing. Where the directory cannot be
/// written, SQLite cannot share the WAL's index; then a private copy of ledger and WAL is read. One of an earlier
/// version, which its owner has not opened since this program is there, is copied, too, and the copy brought up to date.
package final class LedgerReader {
    package let queries: LedgerQueries
    private let clock: any SystemClock
    private let life: TransferStore.Life?
    private let privateCopy: PrivateCopy?

    /// - Throws: ``LedgerError`` when it is missing or too new, ``SQLiteError`` when it is damaged.
    package init(
        name: EntryName, in directory: Directory, files: any FileSystem, clock: any SystemClock
    ) throws {
        guard try files.metadata(of: name, in: directory) != nil else { throw LedgerError.missing }
        let opened = try Self.open(name, in: directory, files: files)
        // Checked where it costs a few milliseconds, so that a listing does not end in the middle.
        let size = try files.metadata(of: name, in: directory)?.size ?? 0
        if size <= Self.checkedByteCount { try TransferStore.checkSoundness(opened.connection) }
        privateCopy = opened.copy
        queries = LedgerQueries(connection: opened.connection)
        life = opened.life
        self.clock = clock
    }

    /// Reads every page.
    /// - Throws: ``SQLiteError`` when one is damaged.
    package func checkSoundness() throws {
        try TransferStore.checkSoundness(queries.connection)
    }

    /// Whether every page, every row and every index is as it should be. Reads all of the ledger.
    package var isWhole: Bool {
        (try? queries.connection.value("PRAGMA integrity_check(1)"))??.text == "ok"
    }

    /// Ledgers up to this size are checked before they are read: 4 MiB.
    private static let checkedByteCount: UInt64 = 4 << 20

    /// Milliseconds on the ledger's axis.
    package var now: Int64 {
        life?.clock.now(at: clock.reading) ?? 0
    }

    /// When a time on the ledger's axis will be on the wall's clock, in milliseconds since the epoch.
    package func wall(of ledgerTime: Int64) -> Int64 {
        clock.wallMilliseconds &+ (ledgerTime &- now)
    }

    private typealias Opened = (connection: SQLiteConnection, life: TransferStore.Life?, copy: PrivateCopy?)

    private static func open(_ name: EntryName, in directory: Directory, files: any FileSystem) throws -> Opened {
        var copy: PrivateCopy?
        var connection: SQLiteConnection
        var version: Int64
        do {
            (connection, version) = try open(path: directory.path(of: name))
        } catch let error as SQLiteError where error.isUnopenable {
            let made = try PrivateCopy(of: name, in: directory, files: files)
            (connection, version) = try open(path: made.ledgerPath)
            copy = made
        }
        if version < Schema.currentVersion {
            let made = try PrivateCopy(migrating: connection, name: name, files: files)
            (connection, _) = try open(path: made.ledgerPath)
            copy = made
        }
        return (connection, try TransferStore.lastLife(connection), copy)
    }

    private static func open(path: String) throws -> (SQLiteConnection, version: Int64) {
        let connection = try SQLiteConnection(path: path, mode: .readOnly)
        let version = try connection.value("PRAGMA user_version")?.integer ?? 0
        guard version <= Schema.currentVersion else {
            throw LedgerError.newerVersion(found: version, known: Schema.currentVersion)
        }
        guard version > 0 else { throw LedgerError.missing }
        return (connection, version)
    }

    /// Copies of the ledger and its WAL in a directory of our own, gone with the value.
    private final class PrivateCopy {
        let ledgerPath: String
        private let files: any FileSystem
        private let directory: Directory
        private let names: [EntryName]

        init(of name: EntryName, in source: Directory, files: any FileSystem) throws {
            self.files = files
            directory = try TemporaryDirectory.make(files: files)
            let wal = EntryName(bytes: name.bytes + Array("-wal".utf8))
            names = [name] + (wal.map { [$0] } ?? [])
            ledgerPath = directory.path(of: name)
            for name in names { try copy(name, from: source) }
        }

        /// All that the connection sees at one moment, in tables of the current version.
        init(migrating source: SQLiteConnection, name: EntryName, files: any FileSystem) throws {
            self.files = files
            directory = try TemporaryDirectory.make(files: files)
            names = [name]
            ledgerPath = directory.path(of: name)
            try source.copy(to: ledgerPath)
            let connection = try SQLiteConnection(path: ledgerPath, mode: .readWrite)
            _ = try Schema.migrate(connection)
            connection.close()
        }

        deinit {
            let sides = names + ["-shm", "-wal"].compactMap { EntryName(bytes: names[0].bytes + Array($0.utf8)) }
            for name in sides { _ = try? files.remove(name, in: directory) }
            TemporaryDirectory.remove(directory)
        }

        private func copy(_ name: EntryName, from source: Directory) throws(FileSystemError) {
            guard let size = try files.metadata(of: name, in: source)?.size else { return }
            let input = try files.openFile(name, in: source)
            let output = try files.createFile(name, in: directory)
            try files.write(files.read(input, limit: Int(size)), to: output)
        }
    }
}

extension LedgerReader {
    /// Whether something is under way, or due at an origin whose gate is open.
    package func hasSendable() throws -> Bool {
        if try queries.exists([.sending]) { return true }
        guard let due = try queries.nextDue(), due <= now else { return false }
        let gates = try queries.origins().map(\.gate)
        return gates.allSatisfy { ($0.opensAt ?? now) <= now }
    }
}
