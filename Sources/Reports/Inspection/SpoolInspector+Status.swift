import Background
package import Diagnosis
package import DurableIO

/// How a spool stands as a whole.
package struct SpoolStatus: Sendable {
    package struct Count: Hashable, Sendable {
        package var count = 0
        /// Compressed, except for drops, in bytes.
        package var byteCount: UInt64 = 0

        package init() {}

        init(_ sum: Tally.Sum) {
            count = sum.count
            byteCount = UInt64(clamping: sum.byteCount)
        }
    }

    /// An origin and why it is closed, if it is.
    package struct Origin: Sendable {
        package var name: String
        package var isOpen: Bool
        package var reason: String?
        /// Milliseconds since the epoch.
        package var opensAt: Int64?
        package var failures: Int
        package var lastStatus: Int?
        package var lastError: String?
        /// Whether it is closed until a time that the server named or made us wait for. Nothing is sent earlier.
        package var namedTheTime: Bool
        /// Whether the spool's destination leads there, or an undelivered report with a request of its own does.
        package var isLedTo: Bool
    }

    /// Something that does not go on by itself, or not in such runs as there are.
    package struct Notice: Hashable, Sendable {
        /// A report's id, or the name that a drop was dropped under.
        package let subject: String
        /// `poison` or `unfinished` for a drop, `deadline` for a report.
        package let reason: String
        /// What happened and what to do, in a sentence.
        package let message: String

        fileprivate var json: JSONObject {
            var object = JSONObject()
            object["subject"] = .string(subject)
            object["reason"] = .string(reason)
            object["message"] = .string(message)
            return object
        }
    }

    /// A signature of which reports were left out to keep the limit of a signature.
    package struct Braked: Hashable, Sendable {
        package let signature: String
        /// How many reports were left out within the time of the limit.
        package let count: Int
        package let summary: String?

        fileprivate var json: JSONObject {
            var object = JSONObject()
            object["signature"] = .string(signature)
            object["count"] = JSONValue(count)
            object["summary"] = JSONValue(summary)
            return object
        }
    }

    /// In the order of a report's life.
    package var states: [(name: String, count: Count)]
    package var origins: [Origin]
    package var hasOwner: Bool
    /// `nil` when there is none, or its lock does not say who it is.
    package var owner: LockHolder?
    /// When the oldest report was seen first that is neither delivered nor parked, nor held by a route, in milliseconds
    /// since the epoch.
    package var oldestUndeliveredAt: Int64?
    /// How many reports each limit has cost since the ledger was made.
    package var evictions: [(limit: String, count: Int)]
    /// Milliseconds since the epoch.
    package var nextAttemptAt: Int64?
    package var ledgerProblem: String?
    /// The first ten about drops, and the first ten about reports.
    package var notices: [Notice] = []
    /// The signatures that the limit of a signature brakes now, at most five, the worst first.
    package var braked: [Braked] = []
    /// How many signatures it brakes now in all.
    package var brakedSignatureCount = 0
    /// Each destination, then each server to which reports with requests of their own go.
    package var destinations: [DestinationStanding] = []
    /// How many of the held reports no route sends: a route holds them, or their destination does not take them.
    package var heldByRouteCount: Int { destinations.reduce(0) { $0 + $1.heldByRouteCount } }
    /// How many of these their destination does not take.
    package var notTakenCount: Int { destinations.reduce(0) { $0 + $1.notTakenCount } }

    package static let stateNames = ["incoming"] + TransferState.allCases.map(\.rawValue)

    /// What `status` prints for a spool that is not there.
    package static var empty: SpoolStatus {
        SpoolStatus(
            states: stateNames.map { ($0, Count()) }, origins: [], hasOwner: false, owner: nil,
            oldestUndeliveredAt: nil, evictions: [], nextAttemptAt: nil, ledgerProblem: nil)
    }

    package func json(spool: String) -> JSONObject {
        var object = JSONObject()
        object["spool"] = .string(spool)
        object["states"] = .object(Self.json(of: states))
        object["origins"] = .array(origins.map { .object($0.json) })
        object["owner"] = .bool(hasOwner)
        object["owner_pid"] = JSONValue(owner.map { Int($0.processID) })
        object["owner_since"] = JSONValue(owner.map { RFC3339.string(milliseconds: $0.sinceMilliseconds) })
        object["oldest_undelivered_at"] = JSONValue(oldestUndeliveredAt.map(RFC3339.string))
        object["evictions"] = .object(JSONObject(evictions.map { .init(key: $0.limit, value: JSONValue($0.count)) }))
        object["next_attempt_at"] = JSONValue(nextAttemptAt.map(RFC3339.string))
        object["ledger_problem"] = JSONValue(ledgerProblem)
        object["notices"] = .array(notices.map { .object($0.json) })
        object["braked"] = .array(braked.map { .object($0.json) })
        object["braked_signatures"] = JSONValue(brakedSignatureCount)
        object["destinations"] = .array(destinations.map { .object($0.json) })
        object["held_by_route"] = JSONValue(heldByRouteCount)
        return object
    }

    static func json(of states: [(name: String, count: Count)]) -> JSONObject {
        var byState = JSONObject()
        for (name, count) in states {
            var one = JSONObject()
            one["count"] = JSONValue(count.count)
            one["bytes"] = JSONValue(count.byteCount)
            byState[name] = .object(one)
        }
        return byState
    }
}

extension SpoolStatus.Origin {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object["origin"] = .string(name)
        object["open"] = .bool(isOpen)
        object["reason"] = JSONValue(reason)
        object["opens_at"] = JSONValue(opensAt.map(RFC3339.string))
        object["failures"] = JSONValue(failures)
        object["last_status"] = JSONValue(lastStatus)
        object["last_error"] = JSONValue(lastError)
        return object
    }

    init(_ record: OriginRecord, isLedTo: Bool, wall: (Int64) -> Int64) {
        name = record.name
        self.isLedTo = isLedTo
        namedTheTime = if case .asked = record.gate.closure { true } else { false }
        failures = record.gate.failures
        lastStatus = record.lastStatus
        lastError = record.lastError
        opensAt = record.gate.opensAt.map(wall)
        isOpen = record.gate.closure == nil
        reason =
            switch record.gate.closure {
            case nil: nil
            case .backingOff: "backing off"
            case .asked: "the server asked to wait"
            case .held(let hold, _): hold.rawValue
            }
    }
}

extension SpoolStatus.Notice {
    /// - Returns: `nil` for a drop of whose tries nobody need know.
    init?(ofDrop view: ReportView) {
        guard view.state == "incoming", let note = view.note else { return nil }
        subject = view.name.map(Printable.text) ?? ""
        reason = view.reason == "poison" ? "poison" : "unfinished"
        message = note
    }

    init(ofSlow view: ReportView) {
        subject = view.id ?? ""
        reason = view.reason ?? ""
        message = view.explanation ?? ""
    }
}

extension SpoolInspector {
    /// How the spool stands, with the destinations that the settings name; `nil` where they name none.
    package func status(destinations names: [String]? = nil) throws -> SpoolStatus {
        var counts = Dictionary(uniqueKeysWithValues: SpoolStatus.stateNames.map { ($0, SpoolStatus.Count()) })
        if let tally = try reader?.queries.tally() {
            for state in TransferState.allCases {
                counts[state.rawValue] = SpoolStatus.Count(tally[state])
            }
        }
        let outside = Selection(states: reader == nil ? nil : ["incoming"])
        var notices: [SpoolStatus.Notice] = []
        try forEachReport(outside) { view in
            if notices.count < Self.noticeCount { notices += SpoolStatus.Notice(ofDrop: view).map { [$0] } ?? [] }
            counts[view.state]?.count += 1
            counts[view.state]?.byteCount += view.compressedSize ?? view.size
        }
        notices += try slowReports(limit: Self.noticeCount).map(SpoolStatus.Notice.init(ofSlow:))
        let published = reader == nil ? [] : try publishedReports()
        for view in published {
            counts[view.state]?.count += 1
            counts[view.state]?.byteCount += view.compressedSize ?? 0
        }
        let destinations = try destinations(named: names)
        return SpoolStatus(
            states: SpoolStatus.stateNames.map { ($0, counts[$0] ?? SpoolStatus.Count()) },
            origins: try origins(),
            hasOwner: OwnerLock.isHeld(LedgerPlace.lockName, in: spool.root),
            owner: OwnerLock.holder(LedgerPlace.lockName, in: spool.root, clock: spool.clock),
            oldestUndeliveredAt: (destinations.map(\.oldestUndeliveredAt) + published.map(\.collectedAt))
                .compactMap(\.self).min(),
            evictions: try evictions(), nextAttemptAt: try nextAttempt(), ledgerProblem: ledgerProblem,
            notices: notices, braked: try brakedSignatures(), brakedSignatureCount: try brakedSignatureCount(),
            destinations: destinations)
    }

    private static let noticeCount = 10
    private static let brakedCount = 5

    /// The signatures of which reports were left out within the time of the limit in force.
    private func brakedSignatures() throws -> [SpoolStatus.Braked] {
        guard let reader, let limit = spool.options.limits.maximumPerSignature else { return [] }
        let since = reader.now - limit.periodMilliseconds
        return try reader.queries.brakedSignatures(since: since, limit: Self.brakedCount).map { found in
            SpoolStatus.Braked(
                signature: found.signature, count: found.count, summary: found.newest.flatMap { view(of: $0).summary })
        }
    }

    private func brakedSignatureCount() throws -> Int {
        guard let reader, let limit = spool.options.limits.maximumPerSignature else { return 0 }
        return try reader.queries.brakedCounts(since: reader.now - limit.periodMilliseconds).signatures
    }

    /// Reports that need longer than the deadline of the runs they were tried in, at most so many, the one tried next
    /// first.
    package func slowReports(limit: Int) throws -> [ReportView] {
        try reader?.queries.slowRows(limit: limit).map(view) ?? []
    }

    /// The servers' standing, without a look at the reports.
    package func origins() throws -> [SpoolStatus.Origin] {
        guard let reader else { return [] }
        let ends = Set(try reader.queries.lanes().values)
            .union(try reader.queries.liveLanes().compactMap(\.ownOrigin))
        return try reader.queries.origins().map {
            SpoolStatus.Origin($0, isLedTo: ends.contains($0.name), wall: reader.wall)
        }
    }

    /// Whether the ledger knows a server of any destination: some submit has had an endpoint.
    package var knowsServer: Bool { (try? reader?.queries.lanes())?.isEmpty == false }

    /// When the first report is tried again that waits for a time, its own and its gate's.
    func nextAttempt() throws -> Int64? {
        try nextAttempts().values.min()
    }

    /// How many reports each limit has cost since the ledger was made.
    private func evictions() throws -> [(limit: String, count: Int)] {
        var counts: [EndReason: Int] = [:]
        for found in try reader?.queries.events() ?? [] where found.event == .evicted {
            if let reason = found.reason { counts[reason, default: 0] += found.sum.count }
        }
        return counts.map { (limit: $0.rawValue, count: $1) }.sorted { $0.limit < $1.limit }
    }
}
