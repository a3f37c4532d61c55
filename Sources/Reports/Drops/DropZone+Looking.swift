import Diagnosis
package import DurableIO

/// Looking at the drops that wait to be taken: which drops there are, and which of them look like a crash.
///
/// A look costs one system call for each drop. It costs three more for a drop that no look has seen before, and up to
/// six more if that drop is packed. A look changes nothing except the order.
extension DropZone {
    /// The result of a look.
    package struct Look {
        /// Rooms that could not be listed. Nothing in them was forgotten.
        package internal(set) var failures: [Failure] = []
        /// Whether the task was cancelled before the look had seen all drops.
        package internal(set) var isCancelled = false
        /// Whether the time of the look was over before it had seen all of `incoming/`.
        package internal(set) var isCut = false

        /// The sidecars that owners have renamed away.
        var sidecars: [(entry: EntryName, room: Room)] = []

        /// Whether the look has seen all drops. Then the drops that it has not found are gone.
        package var isWhole: Bool { failures.isEmpty && !isCancelled && !isCut }
    }

    /// Notes all drops that may be taken now, and the drops that owners have renamed away and not finished.
    ///
    /// - Parameters:
    ///   - order: the order that gets the drops. Drops that are gone are taken out of it.
    ///   - end: when the look stops going through `incoming/`, on the boot clock in milliseconds. A later look may find
    ///     the drops that this look has not reached, when the drops found now have been taken. With `nil`, the default,
    ///     the look goes through all drops.
    ///   - tries: says how many times earlier owners began to collect a drop that was renamed away, and did not finish
    ///     it. It gets the drop and its source mark. It returns `nil` for a drop that is left out.
    ///   - leave: called with each drop that cannot be taken as it is. The drop's readiness has the reason.
    /// - Returns: the result of the look.
    package func look(
        into order: inout DropOrder, until end: Int64? = nil, tries: (DropOrder.Entry, _ mark: String) -> Int?,
        leave: (Drop) -> Void
    ) -> Look {
        var look = Look()
        // A clock set beyond the year 2262 says nothing.
        let (now, isBeyond) = spool.clock.wallMilliseconds.multipliedReportingOverflow(by: 1_000_000)
        order.beginLook(at: isBeyond ? .max : now)
        // Names of rooms, and no open rooms: there may be more of them than a process may have descriptors.
        var sidecars: [(entry: EntryName, room: Room)] = []
        var renamedAway: [(room: Room, name: TakenName)] = []
        list(spool.taken, &look) { entry in
            if Sidecar.isName(entry) {
                sidecars.append((entry, .taken))
            } else {
                renamedAway.append((.taken, TakenName(inTaken: entry)))
            }
        }
        func mayGoOn() -> Bool {
            if Task.isCancelled { look.isCancelled = true }
            if let end, spool.clock.bootMilliseconds >= end { look.isCut = true }
            return !look.isCancelled && !look.isCut
        }
        let failures = visit(while: mayGoOn) { found in
            switch found {
            case .renamedAway(let name, let room): renamedAway.append((room.room, name))
            case .drop(let drop, let room): note(drop, room.obstacle, &order, leave)
            case .hiddenSidecar(let entry, let room): sidecars.append((entry, room.room))
            }
        }
        look.failures += failures
        look.sidecars = sidecars
        for (room, name) in renamedAway {
            if Task.isCancelled { look.isCancelled = true }
            if look.isCancelled { break }
            note(name, in: room, &order, tries, leave)
        }
        if !look.isCancelled, !look.isCut { order.endLook(besides: look.failures.map(\.room)) }
        return look
    }

    /// Looks once at the entry of a drop whose turn has come.
    /// - Returns: the drop as it is now; `nil` when it is gone.
    package func drop(named name: EntryName, in room: Room) throws(FileSystemError) -> Drop? {
        try directoryIfPresent(of: room).flatMap { drop(named: name, in: OpenRoom(room: room, directory: $0)) }
    }

    /// The number of drops that may be taken, as far as a look at their entries shows it within a time in milliseconds.
    /// Of the drops that the look does not reach, those count whose names do not exclude them.
    func readyCount(within time: Int64) -> Int {
        let end = spool.clock.bootMilliseconds + time
        var (count, seenCount, isCut) = (0, 0, false)
        func mayGoOn() -> Bool {
            isCut = spool.clock.bootMilliseconds >= end
            if !isCut { seenCount += 1 }
            return !isCut
        }
        visit(while: mayGoOn) { found in
            if case .drop(let drop, let room) = found, drop.readiness == .ready, room.obstacle == nil { count += 1 }
        }
        guard isCut, obstacle == nil else { return count }
        var nameCount = 0
        try? spool.files.forEachEntry(in: spool.incoming) { name in
            if !name.isHidden, !Sidecar.isName(name) { nameCount += 1 }
            return true
        }
        return max(count, nameCount - seenCount + count)
    }

    private func list(_ directory: Directory, _ look: inout Look, _ body: (EntryName) -> Void) {
        do throws(FileSystemError) {
            try spool.files.forEachEntry(in: directory) { name in
                if Task.isCancelled { look.isCancelled = true }
                if !look.isCancelled { body(name) }
                return !look.isCancelled
            }
        } catch {
            look.failures.append((.taken, error))
        }
    }

    private func note(_ drop: Drop, _ obstacle: String?, _ order: inout DropOrder, _ leave: (Drop) -> Void) {
        guard drop.readiness == .ready, obstacle == nil, let facts = drop.facts else {
            var drop = drop
            if drop.readiness == .ready, let obstacle { drop.readiness = .skipped(obstacle) }
            return isWorthTelling(drop) ? leave(drop) : ()
        }
        order.note(
            DropOrder.Entry(
                room: drop.room, name: drop.entry, size: facts.size, modified: facts.modified, inode: facts.inode),
            likeness: CrashLikeness(name: drop.entry.bytes))
    }

    private func note(
        _ name: TakenName, in room: Room, _ order: inout DropOrder, _ tries: (DropOrder.Entry, String) -> Int?,
        _ leave: (Drop) -> Void
    ) {
        guard let directory = try? directory(of: room) else { return }
        let found = look(at: name.entry, dropped: name, in: OpenRoom(room: room, directory: directory)) { facts in
            problem(ofTaken: facts, in: room).map { .skipped($0) } ?? .ready
        }
        guard let found else { return }
        guard found.readiness == .ready, let facts = found.facts else { return leave(found) }
        var entry = DropOrder.Entry(
            room: room, name: name.entry, isTaken: true, size: facts.size, modified: facts.modified,
            inode: facts.inode)
        guard let tries = tries(entry, SourceMark.of(taken: name, facts, in: room)) else { return }
        entry.tries = Int32(clamping: tries)
        order.note(entry, likeness: CrashLikeness(name: name.dropped.bytes))
    }

    // MARK: - First bytes

    /// Reads the first KiB of the drops that no look has read, the newest first.
    ///
    /// - Parameters:
    ///   - order: the order that gets the likeness of each drop. A drop that was not read in time counts as no crash
    ///     until a later call.
    ///   - limit: the longest time of this call, in milliseconds. The default is 1 s. One drop is read in any case.
    /// - Returns: whether all these drops were read.
    @discardableResult
    package func readHeads(into order: inout DropOrder, for limit: Int64 = 1_000) -> Bool {
        let slots = order.unread()
        guard !slots.isEmpty else { return true }
        let end = spool.clock.bootMilliseconds + limit
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: CrashLikeness.glimpseByteCount, alignment: 16)
        defer { buffer.deallocate() }
        for (index, slot) in slots.enumerated() {
            if Task.isCancelled { return false }
            if let glimpse = glimpse(of: order.entry(in: slot), buffer) {
                order.judge(slot, glimpse.likeness, byteCount: glimpse.byteCount)
            }
            if spool.clock.bootMilliseconds >= end { return index == slots.count - 1 }
        }
        return true
    }

    /// - Returns: the likeness of the drop, and for a packed drop the size of the payload; `nil` when this machine
    ///   cannot open the drop now.
    private func glimpse(
        of entry: DropOrder.Entry, _ buffer: UnsafeMutableRawBufferPointer
    ) -> (likeness: CrashLikeness, byteCount: UInt64?)? {
        let name = droppedName(of: entry).bytes
        do throws(FileSystemError) {
            let file = try spool.files.openFile(entry.name, in: directory(of: entry.room))
            let count = try spool.files.read(file, into: buffer, at: 0)
            let head = Array(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            if let header = try DropHeader.read(of: file, beginning: head, size: entry.size, files: spool.files) {
                return (try header.likeness(of: file, files: spool.files), header.payloadByteCount)
            }
            let likeness = CrashLikeness(
                head: head[...], isWhole: UInt64(count) >= entry.size, name: name,
                inflate: { Inflater.gzipPrefix($0, limit: $1) })
            return (likeness, nil)
        } catch {
            return error.isPassing ? nil : (CrashLikeness(name: name), nil)
        }
    }

    /// The header of a packed drop; `nil` for any other drop, and for a drop that cannot be read.
    package func header(of drop: Drop) -> DropHeader? {
        guard let facts = drop.facts, facts.kind == .regular,
            let file = try? spool.files.openFileIfPresent(drop.entry, in: directory(of: drop.room))
        else { return nil }
        return (try? DropHeader.read(of: file, size: facts.size, files: spool.files)) ?? nil
    }

    private func droppedName(of entry: DropOrder.Entry) -> EntryName {
        entry.isTaken ? TakenName(entry.name, in: entry.room)?.dropped ?? entry.name : entry.name
    }
}
