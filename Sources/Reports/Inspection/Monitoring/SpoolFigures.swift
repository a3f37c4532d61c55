package import Background

/// What monitoring needs to know of a spool at one moment, gathered without a look at single reports.
///
/// Times are milliseconds since the epoch, sizes are bytes as stored.
package struct SpoolFigures: Sendable {
    /// How many reports lie somewhere, and what they take.
    package struct Sum: Hashable, Sendable {
        package var count = 0
        package var byteCount: UInt64 = 0

        package init(count: Int = 0, byteCount: UInt64 = 0) {
            self.count = count
            self.byteCount = byteCount
        }

        init(_ sum: Tally.Sum) {
            self.init(count: max(0, sum.count), byteCount: UInt64(clamping: sum.byteCount))
        }

        static func += (left: inout Sum, right: Sum) {
            left.count += right.count
            left.byteCount += right.byteCount
        }
    }

    /// The reports of one destination that are in one state.
    package struct StateSum: Hashable, Sendable {
        package var state: TransferState
        /// A destination's name, or `@` and an origin; empty for reports that have no row in the ledger yet.
        package var destination: String
        package var sum: Sum

        package init(state: TransferState, destination: String, sum: Sum) {
            self.state = state
            self.destination = destination
            self.sum = sum
        }
    }

    /// The reports of one destination that are held for one reason.
    package struct Held: Hashable, Sendable {
        package var reason: HoldReason
        package var destination: String
        package var count: Int

        package init(reason: HoldReason, destination: String, count: Int) {
            self.reason = reason
            self.destination = destination
            self.count = count
        }
    }

    /// The gate of one server.
    package struct Gate: Hashable, Sendable {
        package var origin: String
        /// Why the gate is closed: `backing-off`, `asked`, or a reason for which reports are held; `nil` when it is
        /// open.
        package var closure: String?
        package var opensAt: Int64?
        /// Failures in a row.
        package var failures: Int
        package var lastStatus: Int?
        package var lastError: String?
        /// Undelivered reports that are bound for this server. What a route holds does not count.
        package var waitingCount: Int

        package init(
            origin: String, closure: String? = nil, opensAt: Int64? = nil, failures: Int = 0, lastStatus: Int? = nil,
            lastError: String? = nil, waitingCount: Int = 0
        ) {
            self.origin = origin
            self.closure = closure
            self.opensAt = opensAt
            self.failures = failures
            self.lastStatus = lastStatus
            self.lastError = lastError
            self.waitingCount = waitingCount
        }
    }

    /// A drop that no submit takes as it is.
    package struct LeftDrop: Hashable, Sendable {
        package var path: String
        package var reason: String

        package init(path: String, reason: String) {
            self.path = path
            self.reason = reason
        }
    }

    /// How often something happened to reports of one destination since the ledger was made.
    package struct Event: Hashable, Sendable {
        package var event: EventCount.Event
        package var destination: String
        /// The limit that an eviction kept, as settings name it; `nil` for a delivery.
        package var limit: String?
        package var sum: Sum

        package init(event: EventCount.Event, destination: String, limit: String?, sum: Sum) {
            self.event = event
            self.destination = destination
            self.limit = limit
            self.sum = sum
        }
    }

    /// A destination, or a server to which reports with requests of their own go.
    package struct Destination: Hashable, Sendable {
        /// A destination's name, or `@` and an origin.
        package var name: String
        /// The server to which its last run led, as ``Gate/origin`` has it; `nil` where no run has had it.
        package var origin: String?
        /// When the oldest of its undelivered reports was seen first; `nil` when it has none. What a route holds does
        /// not count.
        package var oldest: Int64?
        package var undeliveredCount: Int
        package var nextAttempt: Int64?

        package init(
            name: String, origin: String? = nil, oldest: Int64? = nil, undeliveredCount: Int = 0,
            nextAttempt: Int64? = nil
        ) {
            self.name = name
            self.origin = origin
            self.oldest = oldest
            self.undeliveredCount = undeliveredCount
            self.nextAttempt = nextAttempt
        }
    }

    /// Where the oldest undelivered report lies.
    package enum Place: Hashable, Sendable {
        /// In `incoming/` or `taken/`: no submit has taken it.
        case drop
        /// In `collected/`: no submit has enrolled it.
        case entry
        /// In the ledger.
        case row
    }

    package struct Oldest: Hashable, Sendable {
        package var since: Int64
        package var place: Place

        package init(since: Int64, place: Place) {
            self.since = since
            self.place = place
        }
    }

    /// When they were gathered.
    package var time: Int64
    package var states: [StateSum] = []
    /// What lies in `incoming/` and `taken/`.
    package var drops = Sum()
    /// Drops whose producer says, by name or mode, that they are not finished yet.
    package var unfinishedDropCount = 0
    package var leftDropCount = 0
    /// The first few.
    package var leftDrops: [LeftDrop] = []
    package var held: [Held] = []
    package var gates: [Gate] = []
    /// Those that have or had reports, and `main`.
    package var destinations: [Destination] = []
    /// The destinations that the settings name; `nil` where they name none.
    package var namedDestinations: [String]?
    /// Of those that are neither delivered nor parked nor held by a route, drops included; `nil` when there is none.
    package var oldest: Oldest?
    package var events: [Event] = []
    /// Within the time that was asked about, without braked reports.
    package var recentEvictionCount = 0
    /// The reports that were evicted to keep the limit of a signature, and how many signatures they have.
    package struct BrakedCount: Hashable, Sendable {
        package var reports = 0
        package var signatures = 0

        package init(reports: Int = 0, signatures: Int = 0) {
            self.reports = reports
            self.signatures = signatures
        }
    }

    /// Within the time that was asked about.
    package var recentlyBraked = BrakedCount()
    /// Within the time of the limit.
    package var brakedNow = BrakedCount()
    package var lastDelivery: Int64?
    /// Braked reports do not count.
    package var lastEviction: Int64?
    package var lastBraked: Int64?
    package var nextAttempt: Int64?
    package var limits = SpoolLimits()
    /// Of the file system that the spool lies on; `nil` where there is no spool.
    package var space: (available: UInt64, total: UInt64)?
    package var hasOwner = false
    package var ownerSince: Int64?
    package var ledgerProblem: String?
    /// Rooms that cannot be listed, or whose drops are left alone as a whole.
    package var roomProblems: [String] = []
    /// Why the settings in force cannot be used.
    package var settingsProblem: String?
    /// Whether the ledger knows a server of any destination: some submit has had an endpoint.
    package var knowsServer = false
    /// What else the settings lack; `nil` if they lack nothing.
    package var lack: SettingsLack?

    /// Those of a spool that nothing has made yet.
    package init(time: Int64) {
        self.time = time
    }
}

extension SpoolFigures {
    package func sum(where isMeant: (TransferState) -> Bool) -> Sum {
        states.reduce(Sum()) { sum, one in
            guard isMeant(one.state) else { return sum }
            return Sum(count: sum.count + one.sum.count, byteCount: sum.byteCount + one.sum.byteCount)
        }
    }

    /// Reports that are neither delivered nor parked nor held by a route, with the drops that a submit will take.
    package var undeliveredCount: Int {
        sum(where: \.isLive).count - heldByRouteCount + drops.count - leftDropCount - unfinishedDropCount
    }
    /// Reports that are kept and not sent, because the routes say so.
    package var heldByRouteCount: Int { held.filter { $0.reason == .route }.reduce(0) { $0 + $1.count } }
    /// Those of them that go to an endpoint, and not where a program has asked for each of them.
    package var undeliveredToEndpointCount: Int {
        let ownCount = states.filter { $0.state.isLive && Lane($0.destination).ownOrigin != nil }
            .reduce(0) { $0 + $1.sum.count }
        return undeliveredCount - ownCount
    }
    package var parkedCount: Int { sum(where: \.isParked).count }
    /// All whose bytes are kept, which is what the spool's limits count.
    package var stored: Sum { sum { $0.isLive || $0.isParked } }
    package var maximumByteCount: UInt64? { space.map { limits.total(ofTotal: $0.total) } }
    package var freeFloor: UInt64? { space.map { limits.floor(ofTotal: $0.total, forReportOf: 0) } }
    /// How long the oldest undelivered report has waited, in milliseconds.
    package var undeliveredAge: Int64? { oldest.map { max(0, time - $0.since) } }
}

extension EndReason {
    /// The setting whose limit an evicted transfer fell to; `nil` for another end.
    package var limitName: String? {
        switch self {
        case .countLimit: Setting.maximumCount.rawValue
        case .byteLimit: Setting.maximumTotalSize.rawValue
        case .ageLimit: Setting.maximumAge.rawValue
        case .signatureLimit: Setting.maximumPerSignature.rawValue
        default: nil
        }
    }
}

extension SpoolFigures {
    /// Adds reports to those of the same destination in the same state.
    mutating func add(_ one: StateSum) {
        if let index = states.firstIndex(where: { $0.state == one.state && $0.destination == one.destination }) {
            states[index].sum += one.sum
        } else {
            states.append(one)
        }
    }
}
