import Background
import CaptureRun
package import Diagnosis
import DurableIO

/// Examines a spool file by file and row by row, and names what is not as it should be.
package struct Doctor {
    /// Something worth knowing.
    package struct Finding: Hashable, Sendable {
        package enum Level: String, Sendable {
            /// Something is lost, damaged or exposed.
            case error
            /// Something a person may want to know, as a drop that is not taken.
            case note
        }

        package let level: Level
        /// A report's id, or a path in the spool.
        package let subject: String
        package let message: String

        package init(level: Level, subject: String, message: String) {
            self.level = level
            self.subject = subject
            self.message = message
        }

        package var json: JSONObject {
            var object = JSONObject()
            object["level"] = .string(level.rawValue)
            object["subject"] = .string(subject)
            object["message"] = .string(message)
            return object
        }
    }

    let spool: ReportSpool
    let inspector: SpoolInspector
    /// The destinations that the settings name; `nil` where they name none.
    let namedDestinations: [String]?

    package init(spool: ReportSpool, namedDestinations: [String]? = nil) throws(ReportsError) {
        self.spool = spool
        self.namedDestinations = namedDestinations
        inspector = try SpoolInspector(spool: spool, isThorough: true)
    }

    /// Examines everything and changes nothing.
    package func examine(_ report: (Finding) throws -> Void) throws {
        if let problem = inspector.ledgerProblem {
            try report(Finding(level: .error, subject: "ledger.sqlite", message: problem))
        } else if inspector.isLedgerDamaged {
            let message = "its rows and indexes disagree; --repair rebuilds it"
            try report(Finding(level: .error, subject: "ledger.sqlite", message: message))
        }
        try examineSpace(report)
        try examinePermissions(report)
        try examineRooms(report)
        try examineFiles(in: spool.queued, "queued", report)
        try examineFiles(in: spool.parked, "parked", report)
        try examineFiles(in: spool.collected, "collected", report)
        try examineOrders(report)
        try examineRows(report)
        try examineDestinations(report)
        try examineDrops(report)
    }

    // MARK: - Files

    private func examineFiles(
        in room: Directory, _ roomName: String, _ report: (Finding) throws -> Void
    ) throws {
        let reasons = try inspector.leftReasons()
        // A room that cannot be listed has a finding of its own.
        for name in (try? spool.files.entries(of: room)) ?? [] where !Order.isOrder(name) {
            let subject = "\(roomName)/\(name)"
            if let reason = reasons[LeftSources.Key(subject, nil).text] {
                try report(Finding(level: .note, subject: subject, message: "left where it is: \(reason)"))
            }
            do {
                // Gone since it was listed: the owner is at work.
                guard let stored = try spool.stored(name, in: room) else { continue }
                guard try spool.isWhole(stored, named: name, in: room),
                    try inspector.holdsPayload(stored, named: name, in: room)
                else { throw DamagedReport(description: "its bytes are not what was stored") }
                try examineStanding(stored.id, isParked: room === spool.parked, subject, report)
            } catch let error as DamagedReport {
                let isKnown = try StoredReport.id(in: name).map { try isKnownDamaged($0) } ?? false
                try report(Finding(level: isKnown ? .note : .error, subject: subject, message: "damaged: \(error)"))
            } catch let error as FileSystemError {
                // Gone meanwhile.
                if error.errno == .noSuchFileOrDirectory { continue }
                try report(Finding(level: .error, subject: subject, message: "\(error)"))
            }
        }
    }

    /// Orders that this program's owner leaves where they are.
    private func examineOrders(_ report: (Finding) throws -> Void) throws {
        for name in (try? spool.files.entries(of: spool.collected)) ?? [] where Order.isOrder(name) {
            do throws(Order.Problem) {
                _ = try Order.read(name, in: spool)
            } catch {
                let isForAnother = if case .unknownAction = error { true } else { false }
                try report(
                    Finding(level: isForAnother ? .note : .error, subject: "collected/\(name)", message: "\(error)"))
            }
        }
    }

    /// Damage that the ledger knows of is a person's to decide, and no news.
    private func isKnownDamaged(_ id: ContentHash) throws -> Bool {
        try inspector.record(id.hex)?.state.isParked ?? false
    }

    /// Whether the row agrees with where the file lies.
    private func examineStanding(
        _ id: ContentHash, isParked: Bool, _ subject: String, _ report: (Finding) throws -> Void
    ) throws {
        guard inspector.reader != nil, !subject.hasPrefix("collected/") else { return }
        guard let record = try inspector.record(id.hex) else {
            // An owner at work places a file before it commits the row.
            guard OwnerLock.isHeld(LedgerPlace.lockName, in: spool.root) else {
                return try report(Finding(level: .error, subject: subject, message: "no row in the ledger"))
            }
            guard try hasLain(id, in: isParked ? spool.parked : spool.queued) else { return }
            let message = "no row in the ledger yet: its owner had no space for it, and makes it when there is space"
            return try report(Finding(level: .error, subject: subject, message: message))
        }
        let belongs = isParked ? record.state.isParked : record.state.isLive
        // Between a commit and the move that follows it this is no fault.
        if !belongs, !OwnerLock.isHeld(LedgerPlace.lockName, in: spool.root) {
            try report(
                Finding(
                    level: .error, subject: subject,
                    message:
                        "the ledger says \(record.state.rawValue): 'reports doctor --repair' puts it right"
                ))
        }
    }

    /// Whether a report's file has been where it is for longer than an owner at work takes to commit its row: a minute.
    private func hasLain(_ id: ContentHash, in room: Directory) throws -> Bool {
        guard let facts = try spool.files.metadata(of: StoredReport.name(of: id), in: room) else { return false }
        return spool.clock.wallMilliseconds - facts.changed / 1_000_000 > 60_000
    }

    private func examineRows(_ report: (Finding) throws -> Void) throws {
        let states = Set(TransferState.allCases.filter { $0.isLive || $0.isParked }.map(\.rawValue))
        try inspector.forEachReport(SpoolInspector.Selection(states: states)) { view in
            guard let id = view.id.flatMap({ ContentHash(hex: $0) }), try !hasBytes(id) else { return }
            // Delivered and unlinked since the row was read.
            guard let record = try inspector.record(id.hex), states.contains(record.state.rawValue) else { return }
            // What the ledger says itself is no news.
            let level: Finding.Level = record.reason == .ended(.bytesMissing) ? .note : .error
            try report(Finding(level: level, subject: id.hex, message: "its bytes are missing"))
        }
        try inspector.forEachReport(SpoolInspector.Selection(states: ["removed"])) { view in
            guard view.reason == EndReason.bytesMissing.rawValue else { return }
            try report(Finding(level: .note, subject: view.id ?? "", message: "removed: its bytes were missing"))
        }
    }

    private func hasBytes(_ id: ContentHash) throws -> Bool {
        let name = StoredReport.name(of: id)
        for room in [spool.queued, spool.parked] where try spool.files.metadata(of: name, in: room) != nil {
            return true
        }
        return ((try? spool.files.entries(of: spool.collected)) ?? []).contains { StoredReport.id(in: $0) == id }
    }

    // MARK: - Drops and permissions

    private func examineDrops(_ report: (Finding) throws -> Void) throws {
        // An owner at work is about to collect what it has taken.
        let hasOwner = OwnerLock.isHeld(LedgerPlace.lockName, in: spool.root)
        let zone = DropZone(spool: spool)
        for seen in try inspector.drops() where zone.isWorthTelling(seen.drop) {
            let drop = seen.drop
            if let note = seen.note {
                try report(Finding(level: .note, subject: drop.path, message: note))
            }
            if let suspicion = seen.begun?.suspicion {
                try report(Finding(level: .note, subject: drop.path, message: suspicion))
            }
            // What was said of its tries says more than that it lies there.
            if seen.isPoisonous { continue }
            switch drop.readiness {
            case .skipped(let why):
                let verb = drop.isTaken ? "left where it is" : "not taken"
                try report(Finding(level: .note, subject: drop.path, message: "\(verb): \(why)"))
            case .beingTaken where !hasOwner && seen.begun?.suspicion == nil:
                let problem = readProblem(of: drop)
                let message = problem.map { "left where it is: \($0)" } ?? "taken, and collected by the next submit"
                try report(Finding(level: .note, subject: drop.path, message: message))
            case .beingWritten:
                let message = "not taken: is still being written, and is taken once its writer closes it"
                try report(Finding(level: .note, subject: drop.path, message: message))
            case .beingTaken, .ready, .young: break
            }
        }
    }

    /// Why a taken drop cannot be read to its end.
    private func readProblem(of drop: DropZone.Drop) -> String? {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { buffer.deallocate() }
        do throws(FileSystemError) {
            let room = try DropZone(spool: spool).directory(of: drop.room)
            guard let file = try spool.files.openFileIfPresent(drop.entry, in: room) else { return nil }
            while try spool.files.read(file, into: buffer, at: nil) > 0 {}
            return nil
        } catch {
            return DropZone.unreadable(error)
        }
    }

    /// Rooms that cannot be looked into: all that is in them is hidden.
    private func examineRooms(_ report: (Finding) throws -> Void) throws {
        for (path, reason) in LeftRuns.remains(in: spool.root, files: spool.files) {
            try report(Finding(level: .note, subject: path, message: reason))
        }
        let foreignCount = LeftRuns.foreignCount(in: spool.root, files: spool.files)
        if foreignCount > 0 {
            let message =
                "\(foreignCount) of root's: of one whose 'reports run' was killed, only root can tell, and does so with "
                + "'reports submit' or the next 'reports run'"
            try report(Finding(level: .note, subject: "runs", message: message))
        }
        for problem in inspector.roomProblems() {
            try report(Finding(level: .error, subject: problem.room, message: problem.message))
        }
    }

    private func examineSpace(_ report: (Finding) throws -> Void) throws {
        let space = try spool.files.space(on: spool.root)
        let floor = spool.options.limits.floor(ofTotal: space.total, forReportOf: 0)
        guard space.available < floor else { return }
        let hasReserve = try spool.files.metadata(of: LedgerPlace.reserveName, in: spool.root) != nil
        let delivery = hasReserve ? "" : ", and delivery may stop, because there is no ledger.reserve"
        try report(
            Finding(
                level: .note, subject: ".",
                message: "less than the \(floor) bytes that must stay free are free: nothing is taken in\(delivery); "
                    + "free some space, or lower min_free_space"))
    }

    private func examinePermissions(_ report: (Finding) throws -> Void) throws {
        for exposed in try exposures() {
            try report(
                Finding(
                    level: .error, subject: exposed.subject,
                    message: "has mode \(String(exposed.found, radix: 8)), \(exposed.danger): "
                        + "should be \(String(exposed.wanted, radix: 8))"))
        }
    }

    struct Exposure {
        let subject: String
        /// `nil` for the room itself.
        let name: EntryName?
        let room: Directory
        let found: UInt32
        let wanted: UInt32
        var danger = "others may read it"
    }

    /// What group or others may do more than they should.
    func exposures() throws -> [Exposure] {
        var exposures: [Exposure] = []
        func look(_ name: EntryName, in room: Directory, _ subject: String, wanted: UInt32) throws {
            guard let facts = (try? spool.files.metadata(of: name, in: room)) ?? nil, facts.kind != .symbolicLink,
                facts.permissions & ~wanted & 0o077 != 0
            else { return }
            exposures.append(
                Exposure(subject: subject, name: name, room: room, found: facts.permissions, wanted: wanted))
        }
        let root = try spool.files.metadata(of: spool.root).permissions
        let wanted: UInt32 = spool.options.isShared ? SharedSpoolMode.root : 0o700
        if root & ~wanted & 0o077 != 0 {
            var exposure = Exposure(subject: ".", name: nil, room: spool.root, found: root, wanted: wanted)
            if root == SharedSpoolMode.root {
                exposure.danger = "as that of a shared spool, but incoming/ is not open ('submit --shared' opens it)"
            }
            exposures.append(exposure)
        }
        let dropMode = try spool.files.metadata(of: spool.incoming).permissions
        if spool.options.isShared, dropMode & 0o1000 == 0 {
            exposures.append(
                Exposure(
                    subject: "incoming", name: "incoming", room: spool.root, found: dropMode,
                    wanted: SharedSpoolMode.incoming, danger: "others may move each other's files"))
        }
        if spool.options.isShared { exposures += openRooms() }
        // Who may read the configuration is for its writer to say; who may write to it is looked at when it is read.
        for name in try spool.files.entries(of: spool.root) where name != Settings.fileName {
            let isRoom = try spool.files.metadata(of: name, in: spool.root)?.kind == .directory
            let isDropZone = name == "incoming" && spool.options.isShared
            let wanted = isDropZone ? SharedSpoolMode.incoming : isRoom ? 0o700 : 0o600
            try look(name, in: spool.root, name.description, wanted: wanted)
        }
        for (room, title) in [(spool.queued, "queued"), (spool.parked, "parked"), (spool.collected, "collected")] {
            for name in (try? spool.files.entries(of: room)) ?? [] {
                try look(name, in: room, "\(title)/\(name)", wanted: 0o600)
            }
        }
        return exposures
    }

    /// Drop rooms in which users may move each other's files.
    private func openRooms() -> [Exposure] {
        let zone = DropZone(spool: spool)
        return ((try? zone.dropRooms()) ?? []).compactMap { room in
            guard let facts = (try? spool.files.metadata(of: room.name, in: spool.incoming)) ?? nil,
                zone.speaks(facts), facts.permissions & 0o022 != 0, facts.permissions & 0o1000 == 0
            else { return nil }
            return Exposure(
                subject: "incoming/\(room.name)", name: room.name, room: spool.incoming, found: facts.permissions,
                wanted: facts.permissions | 0o1000, danger: "others may move each other's files")
        }
    }
}
