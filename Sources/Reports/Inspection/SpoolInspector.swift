package import Background
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

    /// Opens the ledger for looking; `isThorough` reads every page of it first.
    /// - Throws: ``ReportsError`` when the ledger is of a newer version.
    package init(spool: ReportSpool, isThorough: Bool = false) throws(ReportsError) {
        self.spool = spool
        do {
            let reader = try LedgerReader(
                name: ReportSpool.ledgerName, in: spool.root, files: spool.files, clock: spool.clock)
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
            ledgerProblem = "the ledger is damaged; the next submit rebuilds it"
        } catch {
            (reader, gates) = (nil, nil)
            ledgerProblem = "the ledger cannot be read: \(error)"
        }
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
            throw ReportsError(
                .spoolNotUsable, "the ledger is damaged; the next submit rebuilds it", underlyingError: error)
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

    /// What was dropped and has not come in, with the reasons that only an owner's try could tell. A room that cannot be
    /// listed counts as empty; see ``roomProblems()``.
    func drops() throws -> [DropZone.Drop] {
        let zone = DropZone(spool: spool, user: try spool.files.metadata(of: spool.root).owner)
        let reasons = try leftReasons()
        return (((try? zone.drops()) ?? []) + ((try? zone.takenDrops()) ?? [])).map { drop in
            var drop = drop
            if drop.standing == .ready || drop.standing == .beingTaken,
                let reason = reasons[LeftSources.Key(drop.path, drop.facts).text]
            {
                drop.standing = .skipped(reason)
            }
            return drop
        }
    }

    /// Why the last owner left sources where they are.
    func leftReasons() throws -> [String: String] {
        try reader?.queries.memories(prefix: LeftSources.prefix) ?? [:]
    }

    /// Rooms that cannot be looked into, each with what to do.
    package func roomProblems() -> [(room: String, message: String)] {
        let zone = DropZone(spool: spool)
        var problems: [(room: String, message: String)] = []
        if let name = zone.remoteName { problems.append((room: "incoming", message: DropZone.remote(name))) }
        for (title, room) in [
            ("incoming", spool.incoming), ("taken", spool.taken), ("collected", spool.collected),
            ("queued", spool.queued), ("parked", spool.parked),
        ] {
            do throws(FileSystemError) {
                _ = try spool.files.isEmpty(room)
            } catch {
                problems.append(
                    (room: title, message: "cannot be listed: \(error.errno): see to its permissions and its disk"))
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
        if reader == nil { rooms += [(spool.queued, .queued, "no ledger"), (spool.parked, .rejected, "no ledger")] }
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
                if room === spool.collected { view.note = reasons[LeftSources.Key("collected/\(name)", nil).text] }
                views.append(view)
            }
        }
        return views
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

    // MARK: - One report

    /// The one id that begins with a prefix.
    /// - Throws: ``ReportsError``: `badIdentifier` for no hexadecimal prefix of 6 or more, or one that fits several;
    ///   `noSuchReport`.
    package func resolve(_ prefix: String) throws -> String {
        let digits = prefix.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        guard digits, (6...64).contains(prefix.utf8.count) else {
            throw ReportsError(
                .badIdentifier, "\"\(Printable.text(prefix))\" is no report id: give 6 to 64 of its digits 0-9 a-f")
        }
        var matches = try fileMatches(prefix, in: reader == nil ? everyRoom : [spool.collected])
        matches.formUnion(try reader?.queries.identifiers(prefix: prefix, limit: 3) ?? [])
        // While the owner enrols a report its file has left `collected/` and its row is yet to come.
        if matches.isEmpty, reader != nil { matches = try fileMatches(prefix, in: everyRoom) }
        guard let match = matches.first else {
            throw ReportsError(.noSuchReport, "there is no report \(prefix)")
        }
        guard matches.count == 1 else {
            throw ReportsError(.badIdentifier, "\(prefix) fits more than one report: give more digits")
        }
        return match
    }

    private var everyRoom: [Directory] { [spool.collected, spool.queued, spool.parked] }

    private func fileMatches(_ prefix: String, in rooms: [Directory]) throws -> Set<String> {
        var matches: Set<String> = []
        for room in rooms {
            for name in (try? spool.files.entries(of: room)) ?? [] {
                if let id = StoredReport.id(in: name)?.hex, id.hasPrefix(prefix) { matches.insert(id) }
            }
        }
        return matches
    }

    package func record(_ id: String) throws -> TransferRecord? {
        try reader?.queries.record(id)
    }

    /// Whether the same bytes were handed in before and are, or were, on their way.
    package func isKnown(_ id: String) -> Bool {
        guard let record = try? record(id) else { return false }
        return record.state != .evicted && record.state != .removed
    }

    /// - Throws: ``ReportsError`` `noSuchReport` when a report has no bytes that could be sent again, or deleted.
    package func requireBytes(_ id: String, for action: OwnerRequest.Action) throws {
        guard let record = try record(id) else { return }
        let isRetry = action == .retry
        switch record.state {
        case .delivered:
            let outcome =
                isRetry ? "there is nothing to send" : "there is nothing to delete, and its record stays 90 days"
            throw ReportsError(.noSuchReport, "\(id) is delivered: \(outcome)")
        case .evicted, .removed:
            // What was handed in again since is on its way to be a report again.
            if try publishedIdentifiers().contains(id) { return }
            let outcome = isRetry ? "are gone, add them again" : "are gone already, and its record stays 90 days"
            throw ReportsError(.noSuchReport, "\(id) is \(record.state.rawValue): its bytes \(outcome)")
        case .queued, .sending, .waiting, .held, .rejected, .exhausted: return
        }
    }

    /// A report by its full id.
    package func report(_ id: String) throws -> ReportView {
        if let record = try record(id) { return view(of: record) }
        if let view = try publishedReports().first(where: { $0.id == id }) { return view }
        if let hash = ContentHash(hex: id),
            let report = try? spool.stored(StoredReport.name(of: hash), in: spool.queued)
        {
            return ReportView(report, state: .queued, reason: nil)
        }
        // Between the two looks it may have got its row and gone on.
        if let record = try record(id) { return view(of: record) }
        throw ReportsError(.noSuchReport, "there is no report \(id)")
    }

    /// Everything `show` tells besides the report itself.
    package func details(_ id: String) throws -> JSONObject {
        var object = JSONObject()
        let record = try record(id)
        let attempts = try record.map { try reader?.queries.attempts(of: $0) ?? [] } ?? []
        object["history"] = .array(attempts.map { .object($0.json) })
        object["charged"] = JSONValue(record?.charged ?? 0)
        object["receipt"] = record?.receipt.flatMap { try? JSONValue.parse(Array($0.utf8)) } ?? .null
        return object
    }
}

extension AttemptRecord {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object["started_at"] = .string(RFC3339.string(milliseconds: startedWall))
        object["ended_at"] = JSONValue(endedWall.map(RFC3339.string))
        object["status"] = JSONValue(status)
        object["error"] = JSONValue(error)
        object["bytes_sent"] = JSONValue(bytesSent)
        object["retry_after"] = JSONValue(retryAfter.map { ($0 + 999) / 1_000 })
        return object
    }
}

/// The ledger's rows in listing order, a page at a time, each page a transaction of its own.
private struct LedgerPages: Sequence, IteratorProtocol {
    private let reader: LedgerReader?
    private let states: [TransferState]
    private let kind: String?
    private var heads: [[TransferRecord]]
    private var cursors: [LedgerQueries.Cursor?]
    private var isExhausted: [Bool]
    private let pageSize: Int

    init(reader: LedgerReader?, selection: SpoolInspector.Selection) {
        self.reader = reader
        // One state is an index walk; several, or all, are merged from a walk each.
        states = selection.states.map { words in words.compactMap(TransferState.init) } ?? TransferState.allCases
        kind = selection.kind
        pageSize = Swift.min(selection.limit ?? 500, 500)
        heads = Array(repeating: [], count: states.count)
        cursors = Array(repeating: nil, count: states.count)
        isExhausted = Array(repeating: reader == nil, count: states.count)
    }

    mutating func next() -> Result<TransferRecord, any Error>? {
        do {
            for walk in states.indices where heads[walk].isEmpty && !isExhausted[walk] { try fill(walk) }
        } catch {
            isExhausted = isExhausted.map { _ in true }
            return .failure(error)
        }
        let candidates = states.indices.filter { !heads[$0].isEmpty }
        let newest = candidates.max { left, right in
            let (a, b) = (heads[left][0], heads[right][0])
            return (a.firstSeenWall, a.rowID) < (b.firstSeenWall, b.rowID)
        }
        return newest.map { .success(heads[$0].removeFirst()) }
    }

    private mutating func fill(_ walk: Int) throws {
        guard let reader else { return }
        let page = try reader.queries.page(
            state: states[walk], label: kind, after: cursors[walk], limit: pageSize)
        heads[walk] = page
        cursors[walk] = page.last.map { LedgerQueries.Cursor(after: $0) }
        isExhausted[walk] = page.count < pageSize
    }
}
