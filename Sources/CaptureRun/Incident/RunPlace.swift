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
    /// Whether ``room`` is `incoming/` of another user's spool.
    let isShared: Bool
    /// The user and group to whom drops are given: those of a spool in which root works.
    let heir: Heir?

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
    var directoryPermissions: UInt32 { isShared ? 0o770 : 0o700 }
    /// For those who may enter the directory. In `incoming/`, where drops go, nobody but the owner can list names.
    var filePermissions: UInt32 { isShared ? 0o644 : 0o600 }

    /// Opens the place of a spool, and makes of a new spool what a program without a ledger makes.
    ///
    /// Without a path, the spool is the default of the machine and the user.
    static func open(_ spool: String?, files: any FileSystem) throws(RunTrouble) -> RunPlace {
        guard let path = spool.map({ FilePath($0) }) ?? StandardSpool(StandardSpool.Places())?.path else {
            throw RunTrouble("there is no spool for a user without a home directory: name one with --spool")
        }
        return try open(path, files: files)
    }

    private static func open(_ path: FilePath, files: any FileSystem) throws(RunTrouble) -> RunPlace {
        let path = try absolute(path)
        if let shared = SharedIncoming.open(path, files: files) {
            try refuseRemote(shared.directory, files)
            return RunPlace(
                files: files, path: path.appending("incoming"), room: shared.directory, incoming: shared.directory,
                isShared: true, heir: nil)
        }
        do {
            if try files.makeDirectories(path, permissions: 0o700) {
                try files.setPermissions(0o700, of: files.openDirectory(path))
            }
            let root = try files.openDirectory(path)
            let owner = try files.metadata(of: root)
            guard [owner.owner, 0].contains(UserIdentity.current) else {
                throw FileSystemError(.open, path.string, .permissionDenied)
            }
            try check(root, files)
            return try RunPlace(root, path: path, owner, files: files)
        } catch let error as FileSystemError {
            throw RunTrouble("cannot use the spool \(path): \(error)")
        } catch {
            throw RunTrouble("\(error)")
        }
    }

    /// The place in a spool that is open.
    init(_ root: Directory, path: FilePath, _ owner: FileMetadata, files: any FileSystem) throws(FileSystemError) {
        self.files = files
        isShared = false
        heir =
            owner.owner == UserIdentity.current ? nil : Heir(user: owner.owner, group: owner.group)
        self.path = path.appending("runs")
        incoming = try Self.directory(SharedIncoming.name, in: root, heir, files)
        room = try Self.directory(RunNames.room, in: root, heir, files)
    }

    private init(
        files: any FileSystem, path: FilePath, room: Directory, incoming: Directory, isShared: Bool, heir: Heir?
    ) {
        (self.files, self.path, self.room, self.incoming) = (files, path, room, incoming)
        (self.isShared, self.heir) = (isShared, heir)
    }

    private static func directory(
        _ name: EntryName, in root: Directory, _ heir: Heir?, _ files: any FileSystem
    ) throws(FileSystemError) -> Directory {
        if try files.makeDirectory(name, in: root, permissions: 0o700) {
            if let heir { try files.setOwner(heir.user, group: heir.group, of: files.openFile(name, in: root)) }
            try files.syncDirectory(root)
        }
        return try files.openDirectory(name, in: root)
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
