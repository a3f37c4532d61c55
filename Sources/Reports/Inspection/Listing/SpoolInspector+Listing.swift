import Background
import DurableIO

/// Listing reports, those in the ledger and those of which only files tell.
extension SpoolInspector {
    /// Visits reports: drops first, then by time of collection, newest first.
    package func forEachReport(_ selection: Selection, _ body: (ReportView) throws -> Void) throws {
        try tellingDamage { try visitReports(selection, body) }
    }

    /// A ledger whose damage shows while it is read is no error of SQLite to people.
    func tellingDamage(_ body: () throws -> Void) throws {
        do {
            try body()
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
        for drop in try seenDrops(selection) { try visit(drop) }
        // Few files lie outside the ledger while it works; without it, all do.
        var loose = try publishedReports().sorted { ($0.collectedAt ?? 0) > ($1.collectedAt ?? 0) }[...]
        if let reader {
            for record in try LedgerPages(reader.queries, selection: selection) {
                guard left > 0 else { break }
                let view = view(of: try record.get())
                while let first = loose.first, (first.collectedAt ?? 0) >= (view.collectedAt ?? 0) {
                    try visit(loose.removeFirst())
                }
                try visit(view)
            }
        }
        for view in loose { try visit(view) }
    }

    /// The drops that have not come in, if they are asked for.
    func seenDrops(_ selection: Selection) throws -> [ReportView] {
        selection.admits(state: "incoming") ? try drops().map { ReportView($0) } : []
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
        let facts = try? spool.files.metadata(of: name, in: room)
        return ReportView(unreadable: id, state: state, note: note, facts)
    }
}
