import DurableIO

/// The mark by which an owner recognises a source of a report: a producer's entry, or a drop that was taken.
///
/// The commit that enrols or counts the source also stores the mark. An owner that dies between that commit and the
/// unlinking leaves the source behind. The next owner then only unlinks the source. A mark does not hold the name under
/// which a producer dropped a file.
enum SourceMark {
    /// The prefix of the marks of entries, and of drops in `taken/`. No file name can begin with it.
    static let prefix = "source/"
    /// The prefix of the marks of drops that stayed in `incoming/`, on another file system. That file system may be
    /// absent when an owner ends in order, so that an empty directory says nothing. So these marks are forgotten one by
    /// one, or when they are old.
    private static let prefixElsewhere = "source elsewhere/"

    /// Makes the mark of an entry. The name of an entry holds 128 random bits.
    static func of(entry: EntryName) -> String { prefix + entry.description }

    /// What all marks of the drop with this nonce begin with, in one of the directories.
    static func prefixes(ofNonce nonce: String) -> [String] { [prefix, prefixElsewhere].map { "\($0)\(nonce)-" } }

    /// Makes the mark of a drop that was renamed away. The nonce in the drop's name distinguishes it from a later copy
    /// that happens to get the same inode, size and time. The nonce stays the same when the machine numbers its devices
    /// anew, or when a user changes the file's mode. Without a nonce, the device and the time of the last change
    /// distinguish the drop; no user can set these.
    static func of(taken name: TakenName, _ facts: FileMetadata, in room: DropZone.Room) -> String {
        let identity = name.nonce ?? "\(facts.device)-\(facts.changed)"
        return (room == .taken ? prefix : prefixElsewhere)
            + "\(identity)-\(facts.inode)-\(facts.size)-\(facts.modified)"
    }
}
