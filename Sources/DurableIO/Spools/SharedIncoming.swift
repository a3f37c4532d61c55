package import SystemPackage

/// The directory `incoming/` of a spool that belongs to another user, who lets every user of the machine drop files
/// into it.
///
/// This user may use names in it, and may neither list it nor enter any other room of the spool.
package struct SharedIncoming: Sendable {
    package let directory: Directory
    /// The facts of the spool's directory.
    package let spool: FileMetadata
    /// The facts of `incoming/`.
    package let facts: FileMetadata

    package static let name: EntryName = "incoming"

    package init(_ directory: Directory, spool: FileMetadata, facts: FileMetadata) {
        self.directory = directory
        self.spool = spool
        self.facts = facts
    }

    /// Opens it.
    /// - Returns: `nil` when there is no such spool, when this user may use it as its own, and when it is not shared.
    package static func open(_ path: FilePath, files: any FileSystem) -> SharedIncoming? {
        guard UserIdentity.current != 0, let root = try? files.openUnlisted(path),
            let spool = try? files.metadata(of: root), spool.owner != UserIdentity.current,
            root.renameObstacle == .forbidden,
            let incoming = try? files.openUnlisted(name, in: root), incoming.renameObstacle == nil,
            let facts = try? files.metadata(of: incoming), facts.isOpenToDrops
        else { return nil }
        return SharedIncoming(incoming, spool: spool, facts: facts)
    }

    /// Whether a new file in it has the group of the spool's owner: the owner can read it by its group then, and other
    /// users cannot.
    package var givesOwnersGroup: Bool { facts.permissions & 0o2000 != 0 && facts.group == spool.group }

    /// The mode of a drop. Where the owner's group does not come by itself, only a mode that lets everybody read lets
    /// the owner read. Other users then need the file's name, which is random and which they cannot list.
    package var filePermissions: UInt32 { givesOwnersGroup ? 0o640 : 0o644 }
}

extension FileMetadata {
    /// Whether every user of the machine may drop files into the directory, and nobody may move another user's.
    fileprivate var isOpenToDrops: Bool { permissions & 0o1003 == 0o1003 }
}
