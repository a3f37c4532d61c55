import DurableIO

/// By what a source of a report is known again: a producer's entry, or a drop that was taken.
///
/// It is remembered in the commit that counts the source. An owner that dies between that commit and the unlinking
/// leaves the source behind; the next one then only unlinks it. Text without a name in it.
enum SourceMark {
    /// What nonces of marks begin with, and no file name can.
    static let prefix = "source/"
    /// The same of a drop that stayed in `incoming/`, on another file system. That may not be there when a life ends in
    /// order, so that an empty room says nothing: these are forgotten one by one, or with age.
    private static let prefixElsewhere = "source elsewhere/"

    /// Its name holds 128 random bits.
    static func of(entry: EntryName) -> String { prefix + entry.description }

    /// A drop that was renamed away. The nonce in its name tells it from a later copy that happens to get its inode,
    /// size and time, and stays what it is when the machine numbers its devices anew or somebody changes the file's
    /// mode. Without a nonce, device and time of the last change tell it, which nobody can set.
    static func of(taken name: TakenName, _ facts: FileMetadata, in room: DropZone.Room) -> String {
        let identity = name.nonce ?? "\(facts.device)-\(facts.changed)"
        return (room == .taken ? prefix : prefixElsewhere)
            + "\(identity)-\(facts.inode)-\(facts.size)-\(facts.modified)"
    }
}
