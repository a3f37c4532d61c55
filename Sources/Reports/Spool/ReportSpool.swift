package import Background
package import DurableIO
package import SystemPackage

/// A spool directory that is open: its rooms, and what each is for.
///
/// All access goes through descriptors of the rooms, so that a spool that is moved meanwhile stays one spool.
package final class ReportSpool: Sendable {
    package let files: any FileSystem
    package let clock: any SystemClock
    package let root: Directory
    /// The drop zone for any program.
    package let incoming: Directory
    /// Drops the owner has renamed away.
    package let taken: Directory
    /// Files being written.
    package let temporary: Directory
    /// What other processes published, and requests to the owner.
    package let collected: Directory
    /// Will be sent without anybody's help.
    package let queued: Directory
    /// Only a person moves it.
    package let parked: Directory
    package let options: Options
    /// Where its payloads are hashed and compressed.
    package let slots: PayloadSlots
    /// The facts of the machine that its reports have asked for.
    let facts = SpoolFacts()
    /// The drops that this process has seen becoming complete.
    let completeDrops = CompleteDrops()

    /// How a spool is opened.
    package struct Options: Sendable, Hashable {
        /// Any user of the machine may drop files.
        package var isShared: Bool = false
        /// Use a network file system all the same, where locks and renames may not hold.
        package var allowsRemoteFileSystem: Bool = false
        package var limits: SpoolLimits = SpoolLimits()
        /// The annotations that each report gets; see ``ReportSpool/annotations``, which has the facts as well.
        package var annotations = AnnotationRules()
        /// Where the facts of the machine are.
        package var factPlaces = MachineFacts.Places()
        /// A drop with more bytes is collected by itself, beside the others; `nil` is the default of the order in which
        /// drops are taken.
        package var largeDropByteCount: UInt64?

        package init() {}
    }

    static let versionName = SpoolVersion.fileName
    static let version = SpoolVersion.known

    enum Room: String, CaseIterable {
        case incoming
        case taken
        case tmp
        case collected
        case queued
        case parked
    }

    /// Opens an existing spool. When `isCreating`, rooms that are missing are made, and a spool that has no VERSION yet
    /// is made whole: see `SpoolMaker`.
    /// - Returns: `nil` when there is no spool and `isCreating` is `false`.
    package static func open(
        _ path: FilePath, isCreating: Bool, options: Options = Options(), files: any FileSystem = POSIXFileSystem(),
        clock: any SystemClock = LinuxClock(), slots: PayloadSlots = .shared
    ) throws(ReportsError) -> ReportSpool? {
        do {
            let root = try isCreating ? made(path, files: files) : files.openDirectory(path)
            try refuseForeignLink(path, to: root, files: files)
            try refuseRemote(root, options, files: files)
            try checkVersion(root, files: files)
            guard let rooms = try openRooms(root, isCreating: isCreating, files: files) else { return nil }
            var options = options
            if isCreating, options.isShared { try share(root, rooms[.incoming], files: files) }
            // The drop zone's own mode is what remembers that a spool is shared; where it was missing, that of the spool.
            let dropMode = try rooms[.incoming].map { try files.metadata(of: $0).permissions } ?? 0
            options.isShared = dropMode & 0o003 == 0o003
            if isCreating, options.isShared, let incoming = rooms[.incoming] {
                keepGroup(of: incoming, mode: dropMode, files: files)
            }
            let spool = ReportSpool(
                root: root, rooms: rooms, options: options, files: files, clock: clock, slots: slots)
            if isCreating, try files.metadata(of: versionName, in: root) == nil {
                try SpoolMaker(spool: spool).make()
            }
            return spool
        } catch let error as ReportsError {
            throw error
        } catch let error as FileSystemError {
            if !isCreating, error.errno == .noSuchFileOrDirectory { return nil }
            throw notUsable(path, error)
        } catch {
            throw ReportsError(.spoolNotUsable, "cannot use the spool \(path): \(error)", underlyingError: error)
        }
    }

    /// Whether a spool could be opened here, without making anything: its version and its file system are known. What
    /// is not there yet can be.
    package static func check(
        _ path: FilePath, options: Options = Options(), files: any FileSystem = POSIXFileSystem()
    ) throws(ReportsError) {
        do {
            let root = try files.openDirectory(path)
            try refuseRemote(root, options, files: files)
            try checkVersion(root, files: files)
        } catch let error as ReportsError {
            throw error
        } catch let error as FileSystemError {
            if error.errno != .noSuchFileOrDirectory { throw notUsable(path, error) }
        } catch {
            throw ReportsError(.spoolNotUsable, "cannot use the spool \(path): \(error)", underlyingError: error)
        }
    }

    /// Whether the path still leads to this spool; `false` after its directory was removed, moved or replaced.
    package var isInPlace: Bool {
        do throws(FileSystemError) {
            let found = try files.metadata(of: files.openDirectory(root.path))
            let mine = try files.metadata(of: root)
            return mine.device == found.device && mine.inode == found.inode
        } catch {
            // Whatever else keeps the path from being opened now says nothing about the spool.
            return error.errno != .noSuchFileOrDirectory && error.errno != .notDirectory
        }
    }

    /// Whether the rooms of the spool are still those that were opened; `false` after one was removed or replaced.
    package var hasItsRooms: Bool {
        let rooms: [(Room, Directory)] = [
            (.incoming, incoming), (.taken, taken), (.tmp, temporary), (.collected, collected), (.queued, queued),
            (.parked, parked),
        ]
        return rooms.allSatisfy { room, mine in
            guard let name = EntryName(room.rawValue), let mine = try? files.metadata(of: mine) else { return true }
            do throws(FileSystemError) {
                guard let found = try files.metadata(of: name, in: root) else { return false }
                return found.device == mine.device && found.inode == mine.inode
            } catch {
                // Whatever keeps the room from being looked at says nothing about it.
                return true
            }
        }
    }

    /// What is said when it is not.
    package var goneError: ReportsError {
        ReportsError(
            .spoolNotUsable,
            "the spool \(root.path) was removed or replaced while it was in use, and with it whatever it held: "
                + "keep other programs from cleaning it up")
    }

    private init(
        root: Directory, rooms: [Room: Directory], options: Options, files: any FileSystem, clock: any SystemClock,
        slots: PayloadSlots
    ) {
        self.files = files
        self.clock = clock
        self.root = root
        self.options = options
        self.slots = slots
        // `openRooms` gives all of them.
        incoming = rooms[.incoming] ?? root
        taken = rooms[.taken] ?? root
        temporary = rooms[.tmp] ?? root
        collected = rooms[.collected] ?? root
        queued = rooms[.queued] ?? root
        parked = rooms[.parked] ?? root
    }

    private static func notUsable(_ path: FilePath, _ error: FileSystemError) -> ReportsError {
        if error.isOutOfSpace {
            return ReportsError(.cannotWrite, "no space for a spool at \(path): \(error)", underlyingError: error)
        }
        let hint =
            switch error.errno {
            case .notDirectory, .fileExists: "something in its path is not a directory"
            case .permissionDenied, .notPermitted: "no permission; choose another with --spool or run as its owner"
            case .readOnlyFileSystem: "its file system is read-only"
            default: "\(error)"
            }
        return ReportsError(.spoolNotUsable, "cannot use the spool \(path): \(hint)", underlyingError: error)
    }

    private static func openRooms(
        _ root: Directory, isCreating: Bool, files: any FileSystem
    ) throws -> [Room: Directory]? {
        var rooms: [Room: Directory] = [:]
        var madeAny = false
        for room in Room.allCases {
            guard let name = EntryName(room.rawValue) else { continue }
            let isNew = try isCreating && files.makeDirectory(name, in: root, permissions: 0o700)
            if isNew { madeAny = true }
            do throws(FileSystemError) {
                let directory = try files.openDirectory(name, in: root)
                if isNew, room == .incoming { SharedSpoolMode.restore(ofNew: directory, in: root, files: files) }
                rooms[room] = directory
            } catch {
                guard error.errno == .noSuchFileOrDirectory, !isCreating else { throw error as any Error }
            }
        }
        if !isCreating {
            // A package may have made the drop zone and nothing else; a reader makes nothing, and finds nothing there.
            guard !rooms.isEmpty else { return nil }
            let missing = Room.allCases.filter { rooms[$0] == nil }
            guard !missing.isEmpty else { return rooms }
            let empty = try emptyDirectory(files: files)
            for room in missing { rooms[room] = empty }
        }
        if madeAny { try files.syncDirectory(root) }
        return rooms
    }

    private static func emptyDirectory(files: any FileSystem) throws -> Directory {
        do throws(FileSystemError) {
            return try TemporaryDirectory.vacated(files: files)
        } catch {
            throw ReportsError(
                .spoolNotUsable,
                "cannot look at a spool whose rooms are not all there: \(error): set TMPDIR to a directory that can be "
                    + "written to, or run submit, which makes them", underlyingError: error)
        }
    }

    /// Makes of a spool what a program without a ledger makes: its directory, and the drop zone in it.
    static func makeDropZone(at path: FilePath, options: Options, files: any FileSystem) throws {
        let root = try made(path, files: files)
        try refuseForeignLink(path, to: root, files: files)
        try refuseRemote(root, options, files: files)
        try checkVersion(root, files: files)
        guard try files.makeDirectory("incoming", in: root, permissions: 0o700) else { return }
        let incoming = try files.openDirectory("incoming", in: root)
        SharedSpoolMode.restore(ofNew: incoming, in: root, files: files)
        if options.isShared { try share(root, incoming, files: files) }
        try files.syncDirectory(root)
    }

    /// The spool's directory, made where it is missing: private, whatever the umask.
    private static func made(_ path: FilePath, files: any FileSystem) throws(FileSystemError) -> Directory {
        try files.openOrMakeDirectory(path, permissions: 0o700).directory
    }

    private static func refuseForeignLink(
        _ path: FilePath, to root: Directory, files: any FileSystem
    ) throws(ReportsError) {
        guard ForeignLink.isOn(path, to: root, files: files) else { return }
        throw ReportsError(
            .spoolNotUsable,
            "the spool \(path) leads through a link of another user's, which root does not follow: name the directory "
                + "itself")
    }

    /// Opens a spool to the drops of all users.
    private static func share(
        _ root: Directory, _ incoming: Directory?, files: any FileSystem
    ) throws(FileSystemError) {
        try files.setPermissions(SharedSpoolMode.root, of: root)
        if let incoming { try files.setPermissions(SharedSpoolMode.incoming, of: incoming) }
    }

    /// Sets the set-group-ID bit of a drop zone that was shared without it. Best effort.
    private static func keepGroup(of incoming: Directory, mode: UInt32, files: any FileSystem) {
        guard mode & 0o7777 == SharedSpoolMode.withoutGroup else { return }
        try? files.setPermissions(SharedSpoolMode.incoming, of: incoming)
    }

    // MARK: - Version

    private static func checkVersion(_ root: Directory, files: any FileSystem) throws {
        switch try SpoolVersion.find(in: root, files: files) {
        case .none: return
        case .version(let found):
            guard found > version else { return }
            throw ReportsError(
                .spoolNotUsable,
                "the spool \(root.path) has version \(found), this program knows version \(version): "
                    + "use a newer program; nothing was touched")
        case .unreadable:
            throw ReportsError(
                .spoolNotUsable, "\(root.path)/VERSION holds no version: this is not a spool, nothing was touched")
        }
    }

    static func refuseRemote(
        _ root: Directory, _ options: Options, files: any FileSystem
    ) throws(ReportsError) {
        guard !options.allowsRemoteFileSystem, let name = files.remoteFileSystemName(of: root) else { return }
        throw ReportsError(
            .spoolNotUsable,
            "the spool \(root.path) lies on \(name), where locks cannot be trusted: choose a local directory, or give "
                + "--force-remote where they hold")
    }

    // MARK: - New files

    /// A file on its way, under a name no other writer has.
    package func newPublication() throws(FileSystemError) -> Publication {
        try Publication.new(in: temporary, files: files)
    }

    // MARK: - The ledger

    /// Where the spool's ledger is.
    package var ledger: LedgerPlace {
        LedgerPlace(files: files, clock: clock, directory: root, temporary: temporary) { [limits = options.limits] in
            limits.floor(ofTotal: $0, forReportOf: 0)
        }
    }
}
