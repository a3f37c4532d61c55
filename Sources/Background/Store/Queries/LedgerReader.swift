package import DurableIO
import SystemPackage

/// A ledger that is opened only for reading, beside a living owner or without an owner.
///
/// The reader takes no lock that stops the owner, never checkpoints, and changes nothing. If the directory cannot be
/// written, SQLite cannot share the WAL's index. Then the reader reads a private copy of the ledger and the WAL. It
/// removes the names of the copy as soon as SQLite has the files open. So a reader that is killed leaves nothing
/// behind.
package final class LedgerReader {
    package let queries: LedgerQueries
    private let clock: any SystemClock
    private let life: TransferStore.Life?

    /// - Parameters:
    ///   - name: the name of the ledger.
    ///   - directory: the directory of the ledger.
    ///   - files: the file system.
    ///   - clock: the machine's clocks.
    ///   - isHasty: whether the statements wait for another program's lock for half a second instead of 5 s.
    /// - Throws: ``LedgerError`` when the ledger is missing or too new, ``SQLiteError`` when it is damaged or locked.
    package init(
        name: EntryName, in directory: Directory, files: any FileSystem, clock: any SystemClock, isHasty: Bool = false
    ) throws {
        guard try files.metadata(of: name, in: directory) != nil else { throw LedgerError.missing }
        let connection = try Self.open(name, in: directory, files: files, isHasty: isHasty)
        // A small ledger is checked, which takes a few milliseconds, so that a listing does not end in the middle.
        let size = try files.metadata(of: name, in: directory)?.size ?? 0
        if size <= Self.checkedByteCount { try TransferStore.checkSoundness(connection) }
        queries = LedgerQueries(connection: connection)
        life = try TransferStore.lastLife(connection)
        self.clock = clock
    }

    /// Reads every page.
    /// - Throws: ``SQLiteError`` when a page is damaged.
    package func checkSoundness() throws {
        try TransferStore.checkSoundness(queries.connection)
    }

    /// Whether the last owner ended in order, so that files and rows agree.
    package var endedInOrder: Bool { life?.isClean ?? true }

    /// Whether every page, every row, every index and every sum is as it should be. Reads all of the ledger.
    package var isWhole: Bool {
        (try? queries.connection.value("PRAGMA integrity_check(1)"))??.text == "ok"
            && (try? queries.isTallyTrue()) == true
    }

    /// Ledgers up to this size are checked before they are read: 4 MiB.
    private static let checkedByteCount: UInt64 = 4 << 20

    /// Milliseconds on the ledger's axis.
    package var now: Int64 {
        life?.clock.now(at: clock.reading) ?? 0
    }

    /// The time on the wall clock at which a time on the ledger's axis will come, in milliseconds since the epoch.
    package func wall(of ledgerTime: Int64) -> Int64 {
        clock.wallMilliseconds &+ (ledgerTime &- now)
    }

    private static func open(
        _ name: EntryName, in directory: Directory, files: any FileSystem, isHasty: Bool
    ) throws -> SQLiteConnection {
        do {
            return try open(path: directory.linklessPath(of: name), isHasty: isHasty)
        } catch let error as SQLiteError where error.isUnopenable {
            let copy = try PrivateCopy(of: name, in: directory, files: files)
            defer { copy.remove() }
            // The first read also opens the WAL and the WAL's index. After that read SQLite looks up no name.
            return try open(path: copy.ledgerPath, isHasty: isHasty)
        }
    }

    private static func open(path: String, isHasty: Bool) throws -> SQLiteConnection {
        let connection = try SQLiteConnection(path: path, mode: .readOnly)
        if isHasty { connection.waitForLocksBriefly() }
        let version = try connection.value("PRAGMA user_version")?.integer ?? 0
        guard version > 0 else { throw LedgerError.missing }
        try Schema.check(version)
        return connection
    }

    /// Copies of the ledger and its WAL, in a directory that only this reader uses.
    private struct PrivateCopy {
        let ledgerPath: String
        private let files: any FileSystem
        private let directory: Directory
        private let names: [EntryName]

        init(of name: EntryName, in source: Directory, files: any FileSystem) throws {
            self.files = files
            directory = try TemporaryDirectory.make(files: files)
            let wal = EntryName(bytes: name.bytes + Array("-wal".utf8))
            names = [name] + (wal.map { [$0] } ?? [])
            ledgerPath = directory.linklessPath(of: name)
            do {
                for name in names { try copy(name, from: source) }
            } catch {
                remove()
                throw error
            }
        }

        /// Removes the names of the copies. SQLite can still read the files that it has open.
        func remove() {
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
    /// Whether something is under way, or due at an origin whose gate is open, in one of these lanes.
    package func hasSendable(in isWanted: (Lane) -> Bool) throws -> Bool {
        if try queries.exists([.sending]) { return true }
        let gates = try LaneGates(queries)
        return try queries.liveLanes().filter(isWanted).contains { lane in
            guard let due = try queries.nextDue(lane: lane), due <= now else { return false }
            return gates.opensAt(lane).map { $0 <= now } ?? true
        }
    }
}

extension LedgerReader {
    /// Whether a probe may be made that nothing but an explicit try would make now: in one of these lanes something waits
    /// behind a gate that is closed by trouble, or is held until its origin accepts.
    package func hasUntried(in isWanted: (Lane) -> Bool) throws -> Bool {
        let held = try queries.heldCounts().filter { $0.reason.endsBy == .acceptance }
        if held.contains(where: { isWanted($0.lane) }) { return true }
        let gates = try LaneGates(queries)
        return try queries.liveLanes().filter(isWanted).contains { lane in
            switch gates.gate(of: lane)?.closure {
            case .backingOff(let until): until > now
            case .held(_, let nextProbe): nextProbe > now
            case .asked, nil: false
            }
        }
    }
}

/// The gates of the origins to which the lanes lead, as they were when this was read.
package struct LaneGates: Sendable {
    private let origins: [String: OriginGate]
    private let lanes: [Lane: String]

    package init(_ queries: LedgerQueries) throws {
        lanes = try queries.lanes()
        origins = Dictionary(
            try queries.origins().map { ($0.name, $0.gate) }, uniquingKeysWith: { first, _ in first })
    }

    /// The gate of the origin to which a lane led last; `nil` when the ledger does not know the origin or its gate.
    package func gate(of lane: Lane) -> OriginGate? {
        (lane.ownOrigin ?? lanes[lane]).flatMap { origins[$0] }
    }

    /// When the gate opens by the passing of time, on the ledger's axis; `nil` when it is open.
    package func opensAt(_ lane: Lane) -> Int64? {
        gate(of: lane)?.opensAt
    }
}
