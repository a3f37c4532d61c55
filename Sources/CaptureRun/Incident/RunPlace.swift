import DurableIO
import SystemPackage

/// A spool as a run sees it: where the run's directory is, and where its drops go.
///
/// In a spool of this user, or for root, the directory is in `runs/`. In a spool of another user who lets all drop into
/// it, the directory is hidden in `incoming/`, which this user cannot list.
struct RunPlace: Sendable {
    let files: any FileSystem
    /// The absolute path of ``room``.
    let path: FilePath
    /// Where the directories of runs are.
    let room: Directory
    let incoming: Directory
    /// The spool's directory; `nil` where this user may not enter its rooms.
    let root: Directory?
    /// Whether ``room`` is `incoming/` of another user's spool.
    let isShared: Bool
    /// Whether `incoming/` of another user's spool gives its group to what is made in it.
    let givesOwnersGroup: Bool
    /// The user and group to whom drops are given: those of a spool in which root works.
    let heir: Heir?
    /// Whether programs' runtimes leave their reports in ``reportRoom``, and not in the directory of the run: where root
    /// runs them, and somebody else can change the path to it.
    let keepsReportsApart: Bool
    /// Where ``reportRoom`` is; `nil` for its place of the machine.
    private let reportRoomPath: FilePath?
    /// Whether reports may be in ``reportRoom``.
    private var mayHaveReportsApart: Bool

    /// Where runtimes of root's programs leave their reports, or have left them when the spool had another path. `nil`
    /// where ``keepsReportsApart`` means that nothing on this machine can be trusted with them. It is opened at each call.
    var reportRoom: ReportRoom? {
        guard mayHaveReportsApart else { return nil }
        return ReportRoom.open(reportRoomPath ?? ReportRoom.standardPath, isMaking: false, files: files)
    }

    /// The same place, as a run sees it that has just begun: whether its reports are apart is known.
    var ofNewRun: RunPlace {
        var place = self
        place.mayHaveReportsApart = keepsReportsApart
        return place
    }

    struct Heir: Hashable, Sendable {
        let user: UInt32
        let group: UInt32
    }

    /// The name of the directory of a run.
    func name(of incident: String) -> EntryName {
        EntryName((isShared ? RunNames.sharedPrefix : "") + incident) ?? RunNames.making
    }

    /// The owner of another user's spool takes over a run whose watcher died. It may do so where `incoming/` gives its
    /// group to what is made in it; other users may not enter in any case.
    ///
    /// With the set-group-ID bit, what a runtime writes has the group as well.
    var directoryPermissions: UInt32 { isShared ? givesOwnersGroup ? 0o2770 : 0o770 : 0o700 }
    /// For those who may enter the directory. In `incoming/`, where drops go, nobody but the owner can list names.
    var filePermissions: UInt32 { isShared ? 0o644 : 0o600 }

    /// Opens the place of a spool, and makes of a new spool what a program without a ledger makes.
    ///
    /// Without a path, the spool is the default of the machine and the user.
    static func open(
        _ spool: String?, reportRoom: FilePath? = nil, files: any FileSystem
    ) throws(RunTrouble) -> RunPlace {
        let standard = { StandardSpool.named() ?? StandardSpool(StandardSpool.Places()) }
        guard let path = spool.map({ FilePath($0) }) ?? standard()?.path else {
            throw RunTrouble("there is no spool for a user without a home directory: name one with --spool")
        }
        return try open(path, reportRoom, files)
    }

    private static func open(
        _ path: FilePath, _ reportRoom: FilePath?, _ files: any FileSystem
    ) throws(RunTrouble) -> RunPlace {
        let path = try absolute(path)
        if let shared = SharedIncoming.open(path, files: files) {
            try refuseRemote(shared.directory, files)
            return RunPlace(shared, path: path, files: files)
        }
        do {
            let root = try files.openOrMakeDirectory(path, permissions: 0o700).directory
            let owner = try files.metadata(of: root)
            guard [owner.owner, 0].contains(UserIdentity.current) else {
                throw FileSystemError(.open, path.string, .permissionDenied)
            }
            // A path that only root can change has no link at all, so one walk along it is enough.
            let isSafe = ReportRoom.isSafe(path, to: root, files: files)
            if !isSafe, ForeignLink.isOn(path, to: root, files: files) {
                throw RunTrouble(
                    "the spool \(path) leads through a link of another user's, which root does not follow: "
                        + "name the directory itself")
            }
            try check(root, files)
            return try RunPlace(
                root, path: path, owner, isSafe: isSafe, reportRoom: reportRoom, isForRun: true, files: files)
        } catch let error as FileSystemError {
            throw RunTrouble("cannot use the spool \(path): \(error)")
        } catch {
            throw RunTrouble("\(error)")
        }
    }

    /// The place in a spool that is open.
    /// - Parameters:
    ///   - root: the spool.
    ///   - path: that of the spool; only a new run needs an absolute one.
    ///   - owner: the spool's.
    ///   - isSafe: whether only root can change where a path of root's leads (``ReportRoom/isSafe(_:to:files:)``).
    ///   - reportRoom: where runtimes of root's programs leave their reports; `nil` for the place of the machine.
    ///   - isForRun: whether it is for a new run, which alone needs a place for reports that is not there yet.
    ///   - files: the disk.
    /// - Throws: what keeps a room from being opened.
    init(
        _ root: Directory, path: FilePath, _ owner: FileMetadata, isSafe: Bool, reportRoom: FilePath? = nil,
        isForRun: Bool = false, files: any FileSystem
    ) throws(FileSystemError) {
        self.files = files
        self.root = root
        (isShared, givesOwnersGroup) = (false, false)
        heir =
            owner.owner == UserIdentity.current ? nil : Heir(user: owner.owner, group: owner.group)
        self.path = path.appending("runs")
        incoming = try Self.directory(SharedIncoming.name, in: root, heir, files)
        room = try Self.directory(RunNames.room, in: root, heir, files)
        let isRoot = UserIdentity.current == 0
        keepsReportsApart = isRoot && (heir != nil || !isSafe || !ReportRoom.isSafe(room, files))
        (reportRoomPath, mayHaveReportsApart) = (reportRoom, isRoot)
        if isForRun, keepsReportsApart {
            _ = ReportRoom.open(reportRoom ?? ReportRoom.standardPath, isMaking: true, files: files)
        }
    }

    /// The place in a spool that another user has opened to all.
    private init(_ shared: SharedIncoming, path: FilePath, files: any FileSystem) {
        (self.files, self.path) = (files, path.appending("incoming"))
        (room, incoming, root) = (shared.directory, shared.directory, nil)
        (isShared, givesOwnersGroup) = (true, shared.givesOwnersGroup)
        (heir, keepsReportsApart) = (nil, false)
        (reportRoomPath, mayHaveReportsApart) = (nil, false)
    }

    /// The directory outside of the spool in which the runtime of an incident's program leaves its reports.
    /// - Returns: `nil` where there is none.
    func reportDirectory(of incident: String) throws(FileSystemError) -> Directory? {
        guard let reportRoom, let name = EntryName(incident),
            try files.metadata(of: name, in: reportRoom.directory) != nil
        else { return nil }
        return try files.openDirectory(name, in: reportRoom.directory)
    }

    private static func directory(
        _ name: EntryName, in root: Directory, _ heir: Heir?, _ files: any FileSystem
    ) throws(FileSystemError) -> Directory {
        let isNew = try files.makeDirectory(name, in: root, permissions: 0o700)
        let directory = try files.openDirectory(name, in: root)
        guard isNew else { return directory }
        if let heir {
            // The heir may have put something else in its place: only an empty directory of this user is given away.
            let file = try files.openFile(name, in: root)
            let facts = try files.metadata(of: directory)
            guard facts.owner == UserIdentity.current, try files.isEmpty(directory),
                try files.metadata(of: file).isSameFile(as: facts)
            else { throw FileSystemError(.changeOwner, root.path(of: name), .notPermitted) }
            try files.setOwner(heir.user, group: heir.group, of: file)
        }
        if name == SharedIncoming.name { SharedSpoolMode.restore(ofNew: directory, in: root, files: files) }
        try files.syncDirectory(root)
        return directory
    }

    private static func check(_ root: Directory, _ files: any FileSystem) throws {
        try refuseRemote(root, files)
        guard try SpoolVersion.find(in: root, files: files).isKnown else {
            throw RunTrouble(
                "the spool \(root.path) is of a version that this program does not know: nothing was touched")
        }
    }

    private static func refuseRemote(_ directory: Directory, _ files: any FileSystem) throws(RunTrouble) {
        guard let name = files.remoteFileSystemName(of: directory) else { return }
        throw RunTrouble("the spool lies on \(name) (\(directory.path)), where locks cannot be trusted: choose another")
    }

    /// The program may change its directory, and its children may.
    private static func absolute(_ path: FilePath) throws(RunTrouble) -> FilePath {
        if path.isAbsolute { return path.lexicallyNormalized() }
        guard let current = CurrentProcess.workingDirectory else {
            throw RunTrouble("the spool \(path) is relative to a directory that is gone: name it from / on")
        }
        return FilePath(current).pushing(path).lexicallyNormalized()
    }
}
