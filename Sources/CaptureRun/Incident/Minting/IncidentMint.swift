import DurableIO

/// Makes the drops of an incident in its directory, seals them, and moves them on into `incoming/`.
///
/// Up to the seal, which is one rename, a crash leaves a run of which nothing is told: the next one makes the drops anew.
/// From the seal on, it leaves complete and durable drops, which the next one only moves on. So each drop goes into the
/// spool exactly once.
struct IncidentMint {
    let place: RunPlace
    let directory: Directory
    /// The directory's name in ``RunPlace/room``.
    let name: EntryName
    let incident: String

    var files: any FileSystem { place.files }

    /// Whether all drops are there.
    func isSealed() throws(FileSystemError) -> Bool {
        try files.metadata(of: RunNames.sealed, in: directory)?.kind == .directory
    }

    /// The most entries of a directory that are counted.
    private static let countedNumber = 1_000

    /// How much of it somebody has to read, write and wait for who tells of it, in bytes. Sealed drops are only moved.
    /// - Returns: the largest number for a run that has left more files than are counted.
    func byteCount() throws(FileSystemError) -> UInt64 {
        if try isSealed() { return 0 }
        var sum: UInt64 = 0
        for directory in [directory, try place.reportDirectory(of: incident)] {
            guard let directory else { continue }
            var names: [EntryName] = []
            try files.forEachEntry(in: directory) { name in
                names.append(name)
                return names.count <= Self.countedNumber
            }
            guard names.count <= Self.countedNumber else { return .max }
            for name in names {
                let facts = try files.metadata(of: name, in: directory)
                if let facts, facts.kind == .regular { sum += facts.size }
            }
        }
        return sum
    }

    /// Makes the drops, durable, and seals them.
    func seal(_ told: Incident) throws(FileSystemError) {
        try remove(RunNames.making, in: directory)
        _ = try files.makeDirectory(RunNames.making, in: directory, permissions: place.directoryPermissions)
        let making = try files.openDirectory(RunNames.making, in: directory)
        var ids: [ContentHash] = []
        var names: Set<EntryName> = []
        for part in told.parts { ids.append(try write(part, of: told, into: making, &names)) }
        _ = try write(told.document(naming: ids), of: told, into: making, &names)
        try files.syncDirectory(making)
        // The run's directory was not made durable when it was made. In `incoming/` of another user it cannot be by
        // itself; the sync behind the moves is one of all.
        if !place.isShared { try files.syncDirectory(place.room) }
        try files.rename(RunNames.making, in: directory, to: RunNames.sealed, in: directory)
        try files.syncDirectory(directory)
    }

    private func write(
        _ payload: Incident.Payload, of told: Incident, into making: Directory, _ names: inout Set<EntryName>
    ) throws(FileSystemError) -> ContentHash {
        let name = dropName(of: payload.name, names)
        names.insert(name)
        let file = try files.createFile(name, in: making)
        let description = PackedDropWriter.Description(
            name: payload.name, kind: payload.isCrash ? "crash" : "diagnostic", collectedAt: told.now,
            occurredAt: told.occurredAt, annotations: told.annotations)
        let id = try PackedDropWriter(files: files).write(payload.content, as: description, to: file).id
        try setAccess(of: file)
        try files.sync(file)
        return id
    }

    /// Lets the owner of the spool read a file.
    private func setAccess(of file: borrowing OwnedDescriptor) throws(FileSystemError) {
        if let heir = place.heir { try files.setOwner(heir.user, group: heir.group, of: file) }
        if place.filePermissions != 0o600 { try files.setPermissions(place.filePermissions, of: file) }
    }

    /// The payload's name with `.gz` behind it. In another user's spool it says nothing, because who knows a name there
    /// can read the file.
    private func dropName(of payload: String, _ others: Set<EntryName>) -> EntryName {
        if place.isShared { return .unique(prefix: "\(incident)-", suffix: ".gz") }
        let limit = 255 - 37 - 3
        var bytes = Array(payload.utf8.prefix(limit)).map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: "_") : $0 }
        if bytes.first == UInt8(ascii: ".") { bytes[0] = UInt8(ascii: "_") }
        let name = EntryName(bytes: bytes + Array(".gz".utf8))
        guard let name, !others.contains(name) else { return .unique(prefix: "\(incident)-", suffix: ".gz") }
        return name
    }

    /// Moves all drops of a sealed incident on.
    /// - Returns: the names of those that were left, in `incoming/`.
    func moveOn() throws(FileSystemError) -> [EntryName] {
        let sealed = try files.openDirectory(RunNames.sealed, in: directory)
        var moved: [EntryName] = []
        for name in try files.entries(of: sealed) { moved.append(try move(name, outOf: sealed)) }
        guard !moved.isEmpty else { return [] }
        if place.isShared {
            try files.syncFileSystem(of: directory)
        } else {
            try files.syncDirectory(place.incoming)
        }
        return moved
    }

    private func move(_ name: EntryName, outOf sealed: Directory) throws(FileSystemError) -> EntryName {
        do throws(FileSystemError) {
            return try rename(name, in: sealed, toNameLike: name)
        } catch {
            guard error.errno == .improperLink else { throw error }
            return try carry(name, outOf: sealed)
        }
    }

    /// Moves a drop on where `incoming/` is a mount of its own, as in a container that has no more of the spool. A crash
    /// in between brings it a second time, with the same content.
    private func carry(_ name: EntryName, outOf sealed: Directory) throws(FileSystemError) -> EntryName {
        let unfinished = EntryName.unique(prefix: "\(incident)-", suffix: ".tmp")
        let copy = try files.createFile(unfinished, in: place.incoming)
        do throws(FileSystemError) {
            let source = try files.openFile(name, in: sealed)
            var offset: UInt64 = 0
            while case let piece = try files.read(source, limit: 1 << 16, at: offset), !piece.isEmpty {
                try files.write(piece, to: copy, at: offset)
                offset += UInt64(piece.count)
            }
            try setAccess(of: copy)
            try files.sync(copy)
            let moved = try rename(unfinished, in: place.incoming, toNameLike: name)
            try files.syncFileSystem(of: copy)
            try files.remove(name, in: sealed)
            return moved
        } catch {
            _ = try? files.remove(unfinished, in: place.incoming)
            throw error
        }
    }

    /// Renames into `incoming/`, to a name that is free there.
    private func rename(
        _ name: EntryName, in directory: Directory, toNameLike wanted: EntryName
    ) throws(FileSystemError) -> EntryName {
        let names = [
            wanted, EntryName(bytes: Array("\(incident)-".utf8) + wanted.bytes) ?? wanted,
            .unique(prefix: "\(incident)-", suffix: ".gz"),
        ]
        for candidate in names {
            do throws(FileSystemError) {
                try files.rename(name, in: directory, to: candidate, in: place.incoming)
                return candidate
            } catch {
                guard error.errno == .fileExists, candidate != names.last else { throw error }
            }
        }
        return wanted
    }
}
