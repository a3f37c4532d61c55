import Background

/// What the ledger knows of destinations, from its sums and indexes.
extension SpoolInspector {
    /// Each destination that has reports or that the settings name, the reports without a destination, and each server
    /// to which reports with requests of their own go. Nothing without a ledger. The settings' names are `nil` where they
    /// name none.
    func destinations(named names: [String]?) throws -> [DestinationStanding] {
        guard let queries = reader?.queries else { return [] }
        let sums = Dictionary(grouping: try queries.laneSums().filter { $0.sum.count > 0 }, by: \.lane)
        let ends = try queries.lanes()
        let oldest = try queries.oldestLive()
        let next = try nextAttempts()
        let gates = Dictionary(try origins().map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let byRoute = try heldByRoute()
        let known = Set(sums.keys).subtracting((names ?? []).map { Lane($0) })
        let lanes = (names ?? []).map { Lane($0) } + known.sorted(by: Lane.areInOrder)
        return lanes.map { lane in
            let origin = lane.ownOrigin ?? ends[lane]
            let counts = Dictionary(
                (sums[lane] ?? []).map { ($0.state, SpoolStatus.Count($0.sum)) },
                uniquingKeysWith: { first, _ in first })
            return DestinationStanding(
                name: lane.destinationName, origin: origin, gate: origin.flatMap { gates[$0] },
                states: TransferState.allCases.map { ($0.rawValue, counts[$0] ?? SpoolStatus.Count()) },
                heldByRouteCount: byRoute[lane] ?? 0, oldestUndeliveredAt: oldest[lane], nextAttemptAt: next[lane],
                isInSettings: lane.destinationName.flatMap { name in names.map { $0.contains(name) } })
        }
    }

    /// The names of the destinations that have reports.
    package func destinationNames() throws -> [String] {
        let sums = try reader?.queries.laneSums().filter { $0.sum.count > 0 } ?? []
        return Set(sums.compactMap(\.lane.destinationName)).sorted()
    }

    /// How many reports are held because their destination does not take them.
    package func notTakenCount() throws -> Int {
        // What a route holds has no destination.
        try heldByRoute().filter { $0.key.destinationName != nil }.reduce(0) { $0 + $1.value }
    }

    /// One report for each destination and each reason for which its server refuses single reports, while others go on.
    package func refusedReports() throws -> [(destination: String, report: ReportView)] {
        guard let queries = reader?.queries else { return [] }
        return try queries.heldCounts().compactMap { held in
            guard held.reason.endsBy == .acceptance, !held.reason.closesOrigin, let name = held.lane.destinationName,
                let record = try queries.held(for: held.reason, in: held.lane)
            else { return nil }
            return (name, view(of: record))
        }
    }

    /// How many reports of each lane no route sends: a route holds them, or their destination does not take them.
    func heldByRoute() throws -> [Lane: Int] {
        let held = try reader?.queries.heldCounts().filter { $0.reason == .route } ?? []
        return Dictionary(held.map { ($0.lane, $0.count) }, uniquingKeysWith: { $0 + $1 })
    }

    /// When the first report of each lane is tried again that waits for a time, its own and its gate's.
    func nextAttempts() throws -> [Lane: Int64] {
        guard let reader else { return [:] }
        let now = spool.clock.wallMilliseconds
        var times: [Lane: Int64] = [:]
        for lane in try reader.queries.liveLanes() {
            guard let due = try reader.queries.nextDue(lane: lane) else { continue }
            times[lane] = max(now, reader.wall(of: due), gateOpensWall(lane) ?? 0)
        }
        return times
    }

    /// The gate that a report goes through; `nil` for a report that has no row, or whose server is not known.
    package func gate(ofReport id: String) throws -> SpoolStatus.Origin? {
        guard let queries = reader?.queries, let lane = try record(id)?.lane else { return nil }
        guard let origin = try lane.ownOrigin ?? queries.lanes()[lane] else { return nil }
        return try origins().first { $0.name == origin }
    }
}

extension Lane {
    /// The lanes of destinations come first, those of servers last.
    fileprivate static func areInOrder(_ first: Lane, _ second: Lane) -> Bool {
        (first.place, first.name) < (second.place, second.name)
    }

    private var place: Int { destinationName != nil ? 0 : ownOrigin == nil ? 1 : 2 }
}
