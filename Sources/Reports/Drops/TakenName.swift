package import DurableIO

/// The name of a drop that an owner has renamed away: a nonce of 64 random bits, and the name under which a producer
/// dropped the file.
///
/// In `taken/` it is `<nonce>.NAME`, and for a drop from a drop room `<nonce>@ROOM=NAME`. In `incoming/` or a drop room,
/// where a drop on another file system stays, it is `.taken-<nonce>-NAME`. A name that would be longer than 255 bytes is
/// cut at its end. With nonces, drops of one name can lie side by side, and a drop is not taken for a later drop as long
/// as it has this name.
package struct TakenName: Hashable, Sendable {
    /// The name that the file has now.
    package let entry: EntryName
    /// The name under which a producer dropped the file, as far as it is known.
    package let dropped: EntryName
    /// The drop room that the name tells; `nil` for a drop from `incoming/`, and for a name that does not tell it.
    package let room: DropRoom?
    /// The nonce; `nil` for a name that an earlier version gave. Such a name is the name under which the file was
    /// dropped.
    let nonce: String?

    /// The longest name of a file, in bytes.
    static let maximumByteCount = 255
    private static let nonceByteCount = 16
    private static let hiddenPrefix = Array(".taken-".utf8)
    private static let separator = UInt8(ascii: ".")
    private static let hiddenSeparator = UInt8(ascii: "-")
    private static let roomSeparator = UInt8(ascii: "@")
    /// It is in no name of a drop room.
    private static let roomEnd = UInt8(ascii: "=")

    /// A new name for a drop.
    /// - Parameters:
    ///   - dropped: the name under which a producer dropped the file.
    ///   - room: the drop room that the drop leaves; `nil`, the default, for none.
    ///   - isHidden: whether the drop stays in its directory.
    ///   - hasSidecar: whether the name of a sidecar has to fit, too. The default is `false`.
    package init(for dropped: EntryName, from room: DropRoom? = nil, isHidden: Bool, hasSidecar: Bool = false) {
        let digits = EntryName.unique().bytes.prefix(Self.nonceByteCount)
        let prefix = isHidden ? Self.hiddenPrefix : []
        let separator =
            if isHidden { [Self.hiddenSeparator] } else if let room {
                [Self.roomSeparator] + room.name.bytes + [Self.roomEnd]
            } else { [Self.separator] }
        let limit = Self.maximumByteCount - (hasSidecar ? Sidecar.suffix.utf8.count : 0)
        var bytes = Array((prefix + digits + separator + dropped.bytes).prefix(limit))
        // Cut in the middle, a name could end like that of a sidecar.
        if let name = EntryName(bytes: bytes), Sidecar.isName(name) { bytes.removeLast() }
        self.init(
            entry: EntryName(bytes: bytes) ?? dropped, dropped: dropped, room: isHidden ? nil : room,
            nonce: String(decoding: digits, as: UTF8.self))
    }

    /// A name found in `taken/`, with a nonce or without.
    package init(inTaken entry: EntryName) {
        self =
            Self(entry, bytes: entry.bytes[...], separator: Self.separator)
            ?? Self(withRoom: entry) ?? Self(entry: entry, dropped: entry, room: nil, nonce: nil)
    }

    /// A name found in `incoming/` or a drop room; `nil` for a name that no owner gave.
    package init?(inIncoming entry: EntryName) {
        guard entry.bytes.starts(with: Self.hiddenPrefix) else { return nil }
        self.init(entry, bytes: entry.bytes.dropFirst(Self.hiddenPrefix.count), separator: Self.hiddenSeparator)
    }

    /// A name found in a room; `nil` for a name that no owner gave.
    init?(_ entry: EntryName, in room: DropZone.Room) {
        switch room {
        case .taken: self.init(inTaken: entry)
        case .incoming, .dropRoom: self.init(inIncoming: entry)
        }
    }

    private init?(_ entry: EntryName, bytes: ArraySlice<UInt8>, separator: UInt8, room: DropRoom? = nil) {
        let digits = bytes.prefix(Self.nonceByteCount)
        let rest = bytes.dropFirst(Self.nonceByteCount)
        guard digits.count == Self.nonceByteCount, digits.allSatisfy(\.isLowerHexDigit), rest.first == separator,
            let dropped = EntryName(bytes: Array(rest.dropFirst()))
        else { return nil }
        self.init(entry: entry, dropped: dropped, room: room, nonce: String(decoding: digits, as: UTF8.self))
    }

    private init?(withRoom entry: EntryName) {
        let name = entry.bytes.dropFirst(Self.nonceByteCount)
        guard name.first == Self.roomSeparator, let end = name.firstIndex(of: Self.roomEnd),
            let room = EntryName(bytes: Array(name[..<end].dropFirst())).flatMap(DropRoom.init)
        else { return nil }
        let digits = entry.bytes.prefix(Self.nonceByteCount)
        self.init(entry, bytes: digits + name[end...], separator: Self.roomEnd, room: room)
    }

    private init(entry: EntryName, dropped: EntryName, room: DropRoom?, nonce: String?) {
        self.entry = entry
        self.dropped = dropped
        self.room = room
        self.nonce = nonce
    }

    /// Whether the end of the dropped name may be missing, because the whole would have been too long.
    var mayBeCut: Bool { entry.bytes.count >= Self.maximumByteCount - Sidecar.suffix.utf8.count - 1 }
}

/// A drop that an owner has renamed away: its place, and its facts when it was opened.
package struct TakenDrop: Sendable {
    package let name: TakenName
    package let facts: FileMetadata
    /// `taken/`. For a drop on another file system, the directory into which it was dropped.
    let room: DropZone.Room
    let directory: Directory
    /// Whether its sidecar was renamed away with it.
    let hasSidecar: Bool

    /// The drop room into which it was dropped.
    var dropRoom: DropRoom? { name.room ?? room.dropRoom }

    /// The mark by which an owner recognises the drop; see ``SourceMark``.
    var mark: String { SourceMark.of(taken: name, facts, in: room) }
}
