/// What remembers that the owner of a spool shares it with all users: the modes of its directory and of its drop zone.
package enum SharedSpoolMode {
    /// Of the spool's directory: everybody may enter it, and only its owner may look into it.
    package static let root: UInt32 = 0o711
    /// Of the drop zone: everybody may make files in it, nobody may list it, or move another user's file, and each file
    /// in it gets its group.
    package static let incoming: UInt32 = 0o3733
    /// The same where the set-group-ID bit must not be set, as under `RestrictSUIDSGID=` of systemd. Other users' reports
    /// come in all the same, and a user who knows a file's name can read it.
    package static let withoutGroup: UInt32 = 0o1733

    /// Opens a drop zone that was made just now to all users, if the spool is a shared one: somebody has removed the one
    /// that it had. In a spool that is new itself, whoever makes it decides.
    ///
    /// Where no such mode can be set, the drop zone stays its owner's, and `doctor` says how to share it again.
    package static func restore(ofNew incoming: Directory, in root: Directory, files: any FileSystem) {
        guard (try? files.metadata(of: root).permissions) == Self.root,
            ((try? files.metadata(of: SpoolVersion.fileName, in: root)) ?? nil) != nil
        else { return }
        for mode in [Self.incoming, withoutGroup] {
            if (try? files.setPermissions(mode, of: incoming)) != nil { return }
        }
    }
}
