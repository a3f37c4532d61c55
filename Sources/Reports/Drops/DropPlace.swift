import Background
package import DurableIO

/// The place of a drop that an owner has renamed away.
///
/// The name holds a nonce for as long as the drop lies there, so that a place never means a later drop.
package struct DropPlace: Hashable, Sendable {
    package let room: DropZone.Room
    package let name: TakenName

    /// - Returns: `nil` for a name in `incoming/` that no owner gave.
    package init?(_ entry: EntryName, in room: DropZone.Room) {
        guard let name = TakenName(entry, in: room) else { return nil }
        (self.room, self.name) = (room, name)
    }

    /// The drop room into which it was dropped.
    var dropRoom: DropRoom? { name.room ?? room.dropRoom }

    /// The path in the spool, for messages.
    package var path: String { "\(room.path)/\(name.entry)" }
}

extension DropZone {
    /// The places of the drops that no owner collects by itself any more, because too many processes have died over
    /// them (``BegunDrop/isPoisonous``).
    func poisonousDrops(_ begun: [String: BegunDrop]) throws(FileSystemError) -> [DropPlace] {
        guard begun.values.contains(where: \.isPoisonous) else { return [] }
        return try takenNames().compactMap { room, name in
            guard let facts = (try? spool.files.metadata(of: name.entry, in: directory(of: room))) ?? nil,
                begun[SourceMark.of(taken: name, facts, in: room)]?.isPoisonous == true
            else { return nil }
            return DropPlace(name.entry, in: room)
        }
    }
}
