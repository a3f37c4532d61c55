import DurableIO

extension SpoolPlace {
    /// The directory for the crashes of a program: the drop zone, or a drop room in it. Both are made where they are
    /// missing.
    /// - Parameters:
    ///   - service: names the room; `nil` for the drop zone itself.
    ///   - version: the second part of the room's name.
    /// - Returns: its absolute path.
    /// - Throws: ``ReportsError`` when it cannot be made, or the names are none of a room.
    func madeDropDirectory(service: String?, version: String?) throws(ReportsError) -> String {
        guard version == nil || service != nil else {
            throw ReportsError(.badArgument, "a version needs the name of its service")
        }
        do {
            try ReportSpool.makeDropZone(at: path, options: options, files: files)
            var directory = path.appending(ReportSpool.Room.incoming.rawValue)
            if let service {
                let room = try Self.room(service, version)
                let incoming = try files.openDirectory(directory)
                // A room speaks for its drops, and so has to be the spool's own.
                let owner = try files.metadata(of: incoming).owner
                guard [owner, 0].contains(UserIdentity.current) else {
                    throw ReportsError(.cannotWrite, "\(directory) belongs to another user, who has to make the room")
                }
                _ = try files.makeDirectory(room.name, in: incoming, permissions: 0o700)
                directory.append(room.name.description)
            }
            guard let resolved = CurrentProcess.resolvedPath(directory.string) else {
                throw ReportsError(.spoolNotUsable, "\(directory) cannot be found again")
            }
            return resolved
        } catch let error as ReportsError {
            throw error
        } catch {
            throw ReportsError(.cannotWrite, "cannot make a directory for crashes: \(error)", underlyingError: error)
        }
    }

    private static func room(_ service: String, _ version: String?) throws(ReportsError) -> DropRoom {
        let name = [service, version].compactMap { $0 }.joined(separator: "@")
        guard let entry = EntryName(bytes: Array(name.utf8)), let room = DropRoom(entry) else {
            throw ReportsError(
                .badArgument,
                "\(QuotedText(name, limit: 160)): a service and a version are 1 to 64 of A-Z a-z 0-9 . _ : -, and end "
                    + "not as a file")
        }
        return room
    }
}
