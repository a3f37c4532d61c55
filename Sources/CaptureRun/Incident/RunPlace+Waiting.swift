import DurableIO

extension RunPlace {
    /// Whether something waits in the spool: drops, reports that were taken and not sent, runs but the one of this name.
    ///
    /// What cannot be looked at does not count.
    func hasWaiting(besides run: EntryName) -> Bool {
        guard let root else { return false }
        if has(in: room, { name, _ in name != run && !name.isHidden }) { return true }
        for name in RunNames.waitingRooms {
            if let room = try? files.openDirectory(name, in: root), has(in: room, { _, _ in true }) { return true }
        }
        // A drop room stays when it is empty.
        return has(in: incoming) { name, mayBeDirectory in
            guard !name.isHidden else { return false }
            guard mayBeDirectory, let room = try? files.openDirectory(name, in: incoming) else { return true }
            return has(in: room) { name, _ in !name.isHidden }
        }
    }

    private func has(in directory: Directory, _ isOne: (EntryName, _ mayBeDirectory: Bool) -> Bool) -> Bool {
        var isFound = false
        try? files.forEachListed(in: directory) { name, mayBeDirectory in
            isFound = isOne(name, mayBeDirectory)
            return !isFound
        }
        return isFound
    }
}
