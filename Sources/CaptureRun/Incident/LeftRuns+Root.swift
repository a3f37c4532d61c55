package import DurableIO

/// The runs of root in the spool of another user. That user may not look into them, and takes them for runs under way.
extension LeftRuns {
    /// The runs that root has left in another user's spool, for root to tell of.
    /// - Parameters:
    ///   - root: the spool's directory.
    ///   - allowsRemoteFileSystem: whether the spool may lie on a network file system.
    ///   - files: the disk.
    ///   - clock: tells the time of the reports, and the boot.
    /// - Returns: `nil` where this user is not root, or the spool is root's, has no runs, or is none that this program may
    ///   use.
    /// - Throws: ``FileSystemError`` when `runs/` cannot be opened.
    package static func ofRoot(
        inSpoolOfAnother root: Directory, allowsRemoteFileSystem: Bool, files: any FileSystem, clock: any SystemClock
    ) throws(FileSystemError) -> LeftRuns? {
        guard UserIdentity.current == 0, try files.metadata(of: root).owner != 0,
            allowsRemoteFileSystem || files.remoteFileSystemName(of: root) == nil,
            try SpoolVersion.find(in: root, files: files).isKnown
        else { return nil }
        return try LeftRuns(in: root, isOpenToAll: false, files: files, clock: clock)
    }

    /// How many directories in `runs/` are of users other than the spool's. Changes nothing.
    package static func foreignCount(in root: Directory, files: any FileSystem) -> Int {
        guard let owner = try? files.metadata(of: root).owner,
            let room = try? files.openDirectory(RunNames.room, in: root)
        else { return 0 }
        return ((try? files.entries(of: room)) ?? []).count { name in
            guard isRun(name), let facts = (try? files.metadata(of: name, in: room)) ?? nil else { return false }
            return facts.owner != owner
        }
    }
}
