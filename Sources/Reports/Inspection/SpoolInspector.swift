import Background
import DurableIO

/// Looks at a spool without changing anything in it, beside a working owner or without one.
///
/// Where the ledger is missing or damaged it tells from the files what they say of themselves, and says so.
package struct SpoolInspector {
    package let spool: ReportSpool
    let reader: LedgerReader?
    /// The gates that reports wait for, as they were when the ledger was opened.
    private let gates: LaneGates?
    /// Why the ledger cannot be read; `nil` when it can.
    package let ledgerProblem: String?

    /// Opens the ledger for looking; `isThorough` reads every page of it first, `isHasty` waits for another program's
    /// lock for half a second at most.
    /// - Throws: ``ReportsError`` when the ledger is of a newer version, or, for a hasty look, when it is locked.
    package init(spool: ReportSpool, isThorough: Bool = false, isHasty: Bool = false) throws(ReportsError) {
        self.spool = spool
        do {
            let reader = try LedgerReader(
                name: LedgerPlace.ledgerName, in: spool.root, files: spool.files, clock: spool.clock, isHasty: isHasty)
            if isThorough { try reader.checkSoundness() }
            gates = try LaneGates(reader.queries)
            self.reader = reader
            ledgerProblem = nil
        } catch LedgerError.missing {
            (reader, gates) = (nil, nil)
            let isEmpty = try? spool.files.isEmpty(spool.queued) && spool.files.isEmpty(spool.parked)
            ledgerProblem = isEmpty == true ? nil : "there is no ledger; the next submit rebuilds it"
        } catch LedgerError.unreleasedVersion(let version) {
            (reader, gates) = (nil, nil)
            ledgerProblem =
                "the ledger has version \(version), which was never released; the next submit carries it over"
        } catch let error as LedgerError {
            throw ReportsError(.spoolNotUsable, "\(error); nothing was touched", underlyingError: error)
        } catch let error as SQLiteError where error.isDamage {
            (reader, gates) = (nil, nil)
            ledgerProblem = Self.damagedWords
        } catch let error as SQLiteError where isHasty && error.isLock {
            throw Self.locked(error)
        } catch {
            (reader, gates) = (nil, nil)
            ledgerProblem = "the ledger cannot be read: \(error)"
        }
    }

    static let damagedWords = "the ledger is damaged; the next submit rebuilds it"

    static func locked(_ error: SQLiteError) -> ReportsError {
        ReportsError(
            .spoolNotUsable, "another program keeps the ledger locked: find it with 'fuser ledger.sqlite' in the spool",
            underlyingError: error)
    }

    /// Whether a full check of the ledger, indexes against rows, finds something wrong.
    var isLedgerDamaged: Bool { reader.map { !$0.isWhole } ?? (ledgerProblem != nil) }

    // MARK: - Listing

    /// What to list; `nil` is all.
    package struct Selection: Sendable {
        package var states: Set<String>?
        package var kind: String?
        package var limit: Int?

        package init(states: Set<String>? = nil, kind: String? = nil, limit: Int? = nil) {
            self.states = states
            self.kind = kind
            self.limit = limit
        }

        func admits(_ view: ReportView) -> Bool {
            (states?.contains(view.state) ?? true) && (kind == nil || view.kind == kind)
        }
    }

    /// Visits reports: drops first, then by time of collection, newest first.
    package func forEachReport(_ selection: Selection, _ body: (ReportView) throws -> Void) throws {
        do {
            try visitReports(selection, body)
        } catch let error as SQLiteError where error.isDamage {
            throw ReportsError(.spoolNotUsable, Self.damagedWords, underlyingError: error)
        }
    }

    private func visitReports(_ selection: Selection, _ body: (ReportView) throws -> Void) throws {
        var left = selection.limit ?? .max
        func visit(_ view: ReportView) throws {
            guard left > 0, selection.admits(view) else { return }
            left -= 1
            try body(view)
        }
        if selection.states?.contains("incoming") ?? true {
            for drop in try drops() { try visit(ReportView(drop)) }
        }
        // Few files lie outside the ledger while it works; without it, all do.
        var loose = try publishedReports().sorted { ($0.collectedAt ?? 0) > ($1.collectedAt ?? 0) }[...]
        for record in LedgerPages(reader: reader, selection: selection) {
            guard left > 0 else { break }
            let view = view(of: try record.get())
            while let first = loose.first, (first.collectedAt ?? 0) >= (view.collectedAt ?? 0) {
                try visit(loose.removeFirst())
            }
            try visit(view)
        }
        for view in loose { try visit(view) }
    }

    func view(of record: TransferRecord) -> ReportView {
        var view = ReportView(record) { reader?.wall(of: $0) ?? $0 }
        guard let opens = gateOpensWall(record.lane) else { return view }
        if let due = view.nextAttemptAt {
            view.nextAttemptAt = max(due, opens)
        } else if case .held(let reason) = record.reason, record.state == .held, reason.closesOrigin {
            view.nextAttemptAt = opens
        }
        return view
    }

    /// When the gate that a lane's reports go through opens; `nil` when it is open.
    func gateOpensWall(_ lane: Lane) -> Int64? {
        guard let reader else { return nil }
        return gates?.opensAt(lane).map(reader.wall)
    }

    /// Why the last owner left sources where they are.
    func leftReasons() throws -> [String: String] {
        try reader?.queries.memories(prefix: LeftSources.prefix) ?? [:]
    }

    /// Rooms that cannot be looked into, each with what to do.
    package func roomProblems() -> [(room: String, message: String)] {
        let zone = DropZone(spool: spool)
        var problems: [(room: String, message: String)] = []
        func tell(_ room: String, _ error: FileSystemError) {
            problems.append(
                (room: room, message: "cannot be listed: \(error.errno): check its permissions and its disk"))
        }
        if let name = zone.remoteName { problems.append((room: "incoming", message: DropZone.remote(name))) }
        for (title, room) in [
            ("incoming", spool.incoming), ("taken", spool.taken), ("collected", spool.collected),
            ("queued", spool.queued), ("parked", spool.parked),
        ] {
            do throws(FileSystemError) {
                _ = try spool.files.isEmpty(room)
            } catch {
                tell(title, error)
            }
        }
        for room in ((try? zone.dropRooms()) ?? []).map({ DropZone.Room.dropRoom($0) }) {
            do throws(FileSystemError) {
                if let directory = try zone.directoryIfPresent(of: room) { _ = try spool.files.isEmpty(directory) }
            } catch {
                tell(room.path, error)
            }
        }
        return problems
    }

    /// The ids of what was published and has not been enrolled yet.
    package func publishedIdentifiers() throws -> Set<String> {
        Set(try spool.files.entries(of: spool.collected).compactMap { StoredReport.id(in: $0)?.hex })
    }

    /// Reports of which only files tell: entries for the owner, and everything when there is no ledger.
    func publishedReports() throws -> [ReportView] {
        var views: [ReportView] = []
        var places: [String: Int] = [:]
        var rooms: [(Directory, TransferState, String?)] = [(spool.collected, .queued, nil)]
        if reader == nil {
            rooms += [(spool.queued, .queued, "no ledger"), (spool.parked, .rejected, "no ledger")]
        } else if try hasFilesWithoutRows() {
            rooms.append((spool.queued, .queued, nil))
        }
        let reasons = try leftReasons()
        for (room, state, reason) in rooms {
            for name in (try? spool.files.entries(of: room)) ?? [] {
                let report: StoredReport
                do {
                    // Gone meanwhile, or no report at all.
                    guard StoredReport.id(in: name) != nil, let found = try spool.stored(name, in: room) else {
                        continue
                    }
                    report = found
                } catch {
                    if let view = try unreadable(name, in: room, state, error) { views.append(view) }
                    continue
                }
                if let place = places[report.id.hex] {
                    views[place].occurrences += 1
                    continue
                }
                guard try reader?.queries.record(report.id.hex) == nil else { continue }
                places[report.id.hex] = views.count
                var view = ReportView(report, state: state, reason: reason)
                if room === spool.collected {
                    view.note = reasons[LeftSources.Key("collected/\(name)", nil).text]
                } else if reader != nil {
                    view.note =
                        "has no row in the ledger yet; the next submit adds it (if the disk is full, free space first)"
                }
                views.append(view)
            }
        }
        return views
    }

    /// How many reports that are to be sent only files tell of. Reads names and no file: there may be very many.
    func unrecordedCount() throws -> Int {
        var rooms = [spool.collected]
        if try reader == nil || hasFilesWithoutRows() { rooms.append(spool.queued) }
        let names = rooms.flatMap { (try? spool.files.entries(of: $0)) ?? [] }
        let identifiers = Set(names.compactMap { StoredReport.id(in: $0)?.hex })
        guard let reader, !identifiers.isEmpty else { return identifiers.count }
        return try reader.queries.together {
            try identifiers.count { try !reader.queries.isRecorded($0) }
        }
    }

    /// Whether an owner whose end was not orderly has left more files to be sent than rows, as on a full disk.
    private func hasFilesWithoutRows() throws -> Bool {
        guard let reader, !reader.endedInOrder else { return false }
        let tally = try reader.queries.tally()
        let files = ((try? spool.files.entries(of: spool.queued)) ?? []).count { StoredReport.id(in: $0) != nil }
        return files > (tally.waiting + tally.held).count
    }

    /// A file of which only the name tells; `nil` when a row tells of it, too.
    private func unreadable(
        _ name: EntryName, in room: Directory, _ state: TransferState, _ error: any Error
    ) throws -> ReportView? {
        guard let id = StoredReport.id(in: name), try reader?.queries.record(id.hex) == nil else { return nil }
        let note =
            switch error {
            case let error as FileSystemError: DropZone.unreadable(error)
            default: "is damaged: \(error)"
            }
        let size = (try? spool.files.metadata(of: name, in: room))?.size ?? 0
        return ReportView(unreadable: id, state: state, note: note, fileByteCount: size)
    }
}
