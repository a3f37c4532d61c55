package import DurableIO

/// The name of a drop that an owner has renamed away: a nonce of 64 random bits, and the name under which a producer
/// dropped the file.
///
/// In `taken/` it is `<nonce>.NAME`; in `incoming/`, where a drop on another file system stays, `.taken-<nonce>-NAME`.
/// A name that would be longer than 255 bytes is cut at its end. With nonces, drops of one name can lie side by side,
/// and a drop is not taken for a later drop as long as it has this name.
package struct TakenName: Hashable, Sendable {
    /// The name that the file has now.
    package let entry: EntryName
    /// The name under which a producer dropped the file, as far as it is known.
    package let dropped: EntryName
    /// The nonce; `nil` for a name that an earlier version gave. Such a name is the name under which the file was
    /// dropped.
    let nonce: String?

    private static let nonceByteCount = 16
    private static let maximumByteCount = 255
    private static let hiddenPrefix = Array(".taken-".utf8)
    private static let separator = UInt8(ascii: ".")
    private static let hiddenSeparator = UInt8(ascii: "-")

    /// A new name for a drop; a hidden one for a drop that stays in `incoming/`.
    package init(for dropped: EntryName, isHidden: Bool) {
        let digits = EntryName.unique().bytes.prefix(Self.nonceByteCount)
        let prefix = isHidden ? Self.hiddenPrefix : []
        let bytes = prefix + digits + [isHidden ? Self.hiddenSeparator : Self.separator] + dropped.bytes
        self.init(
            entry: EntryName(bytes: Array(bytes.prefix(Self.maximumByteCount))) ?? dropped, dropped: dropped,
            nonce: String(decoding: digits, as: UTF8.self))
    }

    /// A name found in `taken/`, with a nonce or without.
    package init(inTaken entry: EntryName) {
        self =
            Self(entry, bytes: entry.bytes[...], separator: Self.separator)
            ?? Self(entry: entry, dropped: entry, nonce: nil)
    }

    /// A name found in `incoming/`; `nil` for a name that no owner gave.
    package init?(inIncoming entry: EntryName) {
        guard entry.bytes.starts(with: Self.hiddenPrefix) else { return nil }
        self.init(entry, bytes: entry.bytes.dropFirst(Self.hiddenPrefix.count), separator: Self.hiddenSeparator)
    }

    /// A name found in a room; `nil` for a name that no owner gave.
    init?(_ entry: EntryName, in room: DropZone.Room) {
        switch room {
        case .taken: self.init(inTaken: entry)
        case .incoming: self.init(inIncoming: entry)
        }
    }

    private init?(_ entry: EntryName, bytes: ArraySlice<UInt8>, separator: UInt8) {
        let digits = bytes.prefix(Self.nonceByteCount)
        let rest = bytes.dropFirst(Self.nonceByteCount)
        guard digits.count == Self.nonceByteCount, digits.allSatisfy(\.isLowerHexDigit), rest.first == separator,
            let dropped = EntryName(bytes: Array(rest.dropFirst()))
        else { return nil }
        self.init(entry: entry, dropped: dropped, nonce: String(decoding: digits, as: UTF8.self))
    }

    private init(entry: EntryName, dropped: EntryName, nonce: String?) {
        self.entry = entry
        self.dropped = dropped
        self.nonce = nonce
    }
}

/// A drop that an owner has renamed away: its place, and its facts when it was opened.
package struct TakenDrop: Sendable {
    package let name: TakenName
    package let facts: FileMetadata
    /// `taken/`, or `incoming/` for a drop on another file system.
    let room: DropZone.Room
    let directory: Directory

    /// The mark by which an owner recognises the drop; see ``SourceMark``.
    var mark: String { SourceMark.of(taken: name, facts, in: room) }
}
