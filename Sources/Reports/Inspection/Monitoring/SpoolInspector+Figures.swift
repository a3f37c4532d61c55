import Background
import DurableIO

/// Gathers what monitoring needs, from the ledger's sums and the names of files.
extension SpoolInspector {
    /// So many drops, and so many files of each room, are looked at; the others are counted.
    private static let lookCount = 10_000
    private static let namedDropCount = 3

    /// Gathers the figures. A ledger that turns out to be damaged is told of in them.
    /// - Parameter time: for how long back evictions are counted, in milliseconds; `nil` counts none.
    /// - Returns: the figures of now.
    /// - Throws: ``ReportsError`` when another program keeps the ledger locked.
    package func figures(evictedWithin time: Int64?) throws -> SpoolFigures {
        var figures = SpoolFigures(time: spool.clock.wallMilliseconds)
        figures.limits = spool.options.limits
        figures.space = try spool.files.space(on: spool.root)
        figures.hasOwner = OwnerLock.isHeld(LedgerPlace.lockName, in: spool.root)
        figures.ownerSince =
            OwnerLock.holder(LedgerPlace.lockName, in: spool.root, clock: spool.clock)?.sinceMilliseconds
        figures.ledgerProblem = ledgerProblem
        figures.roomProblems = roomProblems().map { "\($0.room) \($0.message)" }
        do {
            if let reader {
                // In the direction in which an owner moves reports on: what comes in meanwhile counts twice, not never.
                try addDrops(to: &figures)
                try addEntries(of: reader, to: &figures)
                let outside = figures
                figures = try reader.queries.together {
                    var figures = outside
                    try addRows(of: reader, evictedWithin: time, to: &figures)
                    return figures
                }
            } else {
                try addFilesAlone(to: &figures)
            }
        } catch let error as SQLiteError where error.isDamage {
            figures.ledgerProblem = Self.damagedWords
        } catch let error as SQLiteError where error.isLock {
            throw Self.locked(error)
        }
        return figures
    }

    // MARK: - The ledger

    private func addRows(
        of reader: LedgerReader, evictedWithin time: Int64?, to figures: inout SpoolFigures
    ) throws {
        let queries = reader.queries
        let sums = try queries.laneSums()
        for one in Self.states(sums) {
            // Only entries were counted before, which have no destination. There may be very many lanes.
            if one.destination == Lane.undecided.name { figures.add(one) } else { figures.states.append(one) }
        }
        figures.held = try queries.heldCounts().map {
            SpoolFigures.Held(reason: $0.reason, destination: $0.lane.name, count: $0.count)
        }
        figures.knowsServer = knowsServer
        let (oldest, next) = (try queries.oldestLive(), try nextAttempts())
        for time in oldest.values { figures.note(time, in: .row) }
        figures.nextAttempt = next.values.min()
        figures.destinations = Self.destinations(figures, try queries.lanes(), oldest, next)
        figures.gates = try gates(of: queries, figures.destinations)
        figures.events = Self.events(try queries.events(), lanes: Self.lanes(sums))
        figures.lastDelivery = try queries.lastSettled(as: .delivered).map(reader.wall)
        try addEvictions(of: reader, within: time, to: &figures)
    }

    private static func destinations(
        _ figures: SpoolFigures, _ ends: [Lane: String], _ oldest: [Lane: Int64], _ next: [Lane: Int64]
    ) -> [SpoolFigures.Destination] {
        var counts: [String: Int] = [:]
        for one in figures.states where one.state.isLive { counts[one.destination, default: 0] += one.sum.count }
        for held in figures.held where held.reason == .route { counts[held.destination, default: 0] -= held.count }
        let names = Set(figures.states.map(\.destination)).subtracting([Lane.undecided.name])
        return names.sorted().map { name in
            let lane = Lane(name)
            return SpoolFigures.Destination(
                name: name, origin: lane.ownOrigin ?? ends[lane], oldest: oldest[lane],
                undeliveredCount: counts[name] ?? 0, nextAttempt: next[lane])
        }
    }

    private func addEvictions(
        of reader: LedgerReader, within time: Int64?, to figures: inout SpoolFigures
    ) throws {
        let queries = reader.queries
        for limit in EndReason.limits where limit != .signatureLimit {
            guard let last = try queries.lastEviction(for: limit) else { continue }
            figures.lastEviction = max(figures.lastEviction ?? .min, reader.wall(of: last))
            guard let time else { continue }
            figures.recentEvictionCount += try queries.evictionCount(for: limit, since: reader.now - time)
        }
        guard let last = try queries.lastEviction(for: .signatureLimit) else { return }
        figures.lastBraked = reader.wall(of: last)
        func count(within time: Int64) throws -> SpoolFigures.BrakedCount {
            let counts = try queries.brakedCounts(since: reader.now - time)
            return SpoolFigures.BrakedCount(reports: counts.transfers, signatures: counts.signatures)
        }
        if let time { figures.recentlyBraked = try count(within: time) }
        if let limit = figures.limits.maximumPerSignature {
            figures.brakedNow = try count(within: limit.periodMilliseconds)
        }
    }

    /// All states of all lanes, so that a state which becomes empty has the sum 0 and does not vanish.
    private static func states(_ sums: [LedgerQueries.LaneSum]) -> [SpoolFigures.StateSum] {
        let known = Dictionary(sums.map { ([$0.lane.name, $0.state.rawValue], $0.sum) }, uniquingKeysWith: { $1 })
        return lanes(sums).flatMap { lane in
            TransferState.allCases.map { state in
                SpoolFigures.StateSum(
                    state: state, destination: lane,
                    sum: SpoolFigures.Sum(known[[lane, state.rawValue]] ?? Tally.Sum()))
            }
        }
    }

    private static func lanes(_ sums: [LedgerQueries.LaneSum]) -> [String] {
        Set(sums.map(\.lane.name) + [Lane.main.name]).sorted()
    }

    /// All events that there can be, so that the first of a kind is seen as a step from 0.
    private static func events(_ counts: [EventCount], lanes: [String]) -> [SpoolFigures.Event] {
        let lanes = Set(lanes + counts.map(\.lane.name)).sorted()
        let limits = EndReason.allCases.compactMap(\.limitName)
        let kinds = [(EventCount.Event.delivered, String?.none)] + limits.map { (.evicted, $0) }
        return lanes.flatMap { lane in
            kinds.map { event, limit in
                let sum = counts.filter { $0.lane.name == lane && $0.event == event && $0.reason?.limitName == limit }
                    .reduce(Tally.Sum()) { $0 + $1.sum }
                return SpoolFigures.Event(
                    event: event, destination: lane, limit: limit, sum: SpoolFigures.Sum(sum))
            }
        }
    }

    private func gates(
        of queries: LedgerQueries, _ destinations: [SpoolFigures.Destination]
    ) throws -> [SpoolFigures.Gate] {
        var counts: [String: Int] = [:]
        for one in destinations { one.origin.map { counts[$0, default: 0] += one.undeliveredCount } }
        return try queries.origins().map { record in
            let gate = record.gate
            return SpoolFigures.Gate(
                origin: record.name, closure: gate.closure.map(Self.word), opensAt: gate.opensAt.map(wall),
                failures: gate.failures, lastStatus: record.lastStatus, lastError: record.lastError,
                waitingCount: counts[record.name] ?? 0)
        }
    }

    private func wall(_ time: Int64) -> Int64 { reader?.wall(of: time) ?? time }

    private static func word(_ closure: OriginGate.Closure) -> String {
        switch closure {
        case .backingOff: "backing-off"
        case .asked: "asked"
        case .held(let reason, _): reason.rawValue
        }
    }

    // MARK: - Files

    /// Reports that have a file and no row yet: entries in `collected/`, and files in `queued/` that an owner has left
    /// whose end was not orderly.
    private func addEntries(of reader: LedgerReader, to figures: inout SpoolFigures) throws {
        var entries = look(into: spool.collected)
        let known = try reader.queries.together {
            try entries.identifiers.count { try reader.queries.isRecorded($0) }
        }
        entries.sum.count -= known
        if !reader.endedInOrder {
            let rows = try reader.queries.tally()
            entries.sum.count += max(0, look(into: spool.queued).sum.count - (rows.waiting + rows.held).count)
        }
        figures.add(SpoolFigures.StateSum(state: .queued, destination: Lane.undecided.name, sum: entries.sum))
        figures.note(entries.oldest, in: .entry)
    }

    private func addDrops(to figures: inout SpoolFigures) throws {
        let drops = try drops(atMost: Self.lookCount, isProbing: false)
        let zone = DropZone(spool: spool)
        let rooms = [.incoming] + ((try? zone.dropRooms()) ?? []).map { DropZone.Room.dropRoom($0) }
        let names = rooms.reduce(0) { $0 + ((try? spool.files.entries(of: zone.directory(of: $1)).count) ?? 0) }
        figures.drops = SpoolFigures.Sum(
            count: drops.count + max(0, names - Self.lookCount),
            byteCount: drops.reduce(0) { $0 + ($1.drop.facts?.size ?? 0) })
        for seen in drops {
            guard !seen.isMarkedUnfinished else {
                figures.unfinishedDropCount += 1
                continue
            }
            if let reason = seen.obstacle {
                figures.leftDropCount += 1
                guard figures.leftDrops.count < Self.namedDropCount else { continue }
                figures.leftDrops.append(SpoolFigures.LeftDrop(path: seen.drop.path, reason: reason))
            } else if let changed = seen.drop.facts?.changed {
                figures.note(changed / 1_000_000, in: .drop)
            }
        }
    }

    /// What the files tell where there is no ledger.
    private func addFilesAlone(to figures: inout SpoolFigures) throws {
        let (queued, entries) = (look(into: spool.queued), look(into: spool.collected))
        let parked = look(into: spool.parked)
        figures.states = [
            SpoolFigures.StateSum(state: .queued, destination: Lane.main.name, sum: queued.sum),
            SpoolFigures.StateSum(state: .queued, destination: "", sum: entries.sum),
            SpoolFigures.StateSum(state: .rejected, destination: Lane.main.name, sum: parked.sum),
        ]
        figures.note(queued.oldest, in: .row)
        figures.note(entries.oldest, in: .entry)
        try addDrops(to: &figures)
    }

    /// What a look into a room of reports tells.
    private struct RoomLook {
        var sum = SpoolFigures.Sum()
        /// When the oldest report came into the room.
        var oldest: Int64?
        /// Of the reports that were looked at, each once.
        var identifiers: Set<String> = []
    }

    private func look(into room: Directory) -> RoomLook {
        var look = RoomLook()
        // A room that cannot be listed has a problem of its own.
        try? spool.files.forEachEntry(in: room) { name in
            guard look.sum.count < Self.lookCount else {
                if name.hasSuffix(StoredReport.suffix) { look.sum.count += 1 }
                return true
            }
            // Several entries of the same bytes are one report.
            guard let id = StoredReport.id(in: name), look.identifiers.insert(id.hex).inserted else { return true }
            look.sum.count += 1
            guard let facts = (try? spool.files.metadata(of: name, in: room)) ?? nil else { return true }
            look.sum.byteCount += facts.size
            look.oldest = min(look.oldest ?? .max, facts.changed / 1_000_000)
            return true
        }
        return look
    }
}

extension SpoolFigures {
    fileprivate mutating func note(_ since: Int64?, in place: Place) {
        guard let since, since < oldest?.since ?? .max else { return }
        oldest = Oldest(since: since, place: place)
    }
}

extension SpoolInspector.SeenDrop {
    /// Whether its producer says that it is not finished yet: nobody expects it to be taken.
    fileprivate var isMarkedUnfinished: Bool {
        drop.name.isHidden || Sidecar.isName(drop.name)
            || DropZone.unfinishedSuffixes.contains(where: drop.name.hasSuffix)
            || drop.facts.map { $0.permissions & 0o777 == 0 } ?? false
    }

    /// What keeps it from coming in.
    fileprivate var obstacle: String? {
        if let note { return note }
        guard case .skipped(let reason) = drop.readiness else { return nil }
        return reason
    }
}
