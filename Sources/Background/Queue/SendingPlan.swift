/// What is being sent, what is sent next and what has to wait: the state of the scheduler, as a value.
///
/// A row is in flight from its claim to its judgement, and goes through three stages:
///
/// 1. **waiting**: the claim is durable and waits for a slot of its origin;
/// 2. **running**: the attempt is under way;
/// 3. **ended**: the attempt is over, and the queue has yet to judge its end.
///
/// As many attempts run side by side at an origin as its window has slots. When a delivery ends one of them, the next
/// waiting claim gets the slot at once, and no slot is idle while a commit is on its way to the disk. After any other
/// end, and after a delivery whose answer asks to wait, no claim of that origin starts before the queue has judged it.
///
/// Everything that happens is an event: a mutating method that returns what is to be done. The queue and the tasks of
/// its attempts share the plan under a lock, tell it an event, and act when they have left the lock. The plan itself
/// does no I/O and has no clock, no chance and no log. It does not look into claims and ends, so that tests use
/// numbers.
///
/// A crash loses the plan and nothing with it: the ledger says which rows were claimed, and the next life gives them
/// back.
package struct SendingPlan<Claim: Identifiable<Int64> & Sendable, End: Sendable>: Sendable {
    /// A row in flight.
    package struct Transfer: Sendable {
        package let claim: Claim
        package let origin: String
        package internal(set) var stage = Stage.waiting
        /// Whether somebody wants the transfer taken out of the queue.
        package internal(set) var isCancelled = false
        /// Whether it alone was under way to its origin when it ended, or when the drive was told to end.
        package internal(set) var wasAlone = false
    }

    package enum Stage: Sendable {
        case waiting
        case running
        /// Without an end the attempt never began. A blocking one keeps the origin's waiting claims from starting.
        case ended(End?, isBlocking: Bool)
    }

    /// What the queue alone changes, in its turns and between them, and attempts never.
    package struct Schedule: Hashable, Sendable {
        /// The gates, and the last trouble of each origin.
        package internal(set) var origins: [String: OriginRecord]
        /// Origins at which more may have been due than the last turn claimed.
        package internal(set) var originsWithMore: Set<String> = []
        /// Rows sent to find out whether a reason that holds others still holds.
        package internal(set) var probes: Set<Int64> = []
        /// Suspects that somebody asks for.
        package internal(set) var asked: Set<Int64> = []
        /// The row in flight that may be what kills the process, while nothing goes beside it.
        package internal(set) var suspect: Int64?
        /// Whether the ledger says that nobody is to be blamed for this life's death.
        package internal(set) var blamesNobody = false
        /// How many rows each lane has claimed: it says when the row due longest goes before the first rank.
        package internal(set) var claimCounts: [Lane: Int] = [:]
        /// How often a lane has claimed: it says which lane is the next to claim first.
        package internal(set) var claimCount = 0

        mutating func change(_ origin: String, _ change: (inout OriginRecord) throws -> Void) rethrows {
            try change(&origins[origin, default: OriginRecord(name: origin, gate: OriginGate())])
        }
    }

    /// An attempt to be started, in a slot of its own.
    package struct Start: Sendable {
        package let claim: Claim
        package let origin: String
    }

    package internal(set) var transfers: [Int64: Transfer] = [:]
    package internal(set) var lines: [String: SendingLine] = [:]
    /// Rows whose ends are to be judged, in the order in which they ended.
    package internal(set) var endedRows: [Int64] = []
    package internal(set) var schedule: Schedule
    /// For whom others are stopped, which also the tasks that collect drops ask.
    package internal(set) var solitude = Solitude()
    /// Whether a turn is on its way to the disk, perhaps with claims.
    package internal(set) var isTurning = false
    /// Whether no claim may start: so it is between two drives, and once a drive has been told to end.
    package internal(set) var isStopped = true
    /// The most attempts that run side by side at one origin.
    package let maximumWindow: Int

    package init(origins: [OriginRecord] = [], maximumWindow: Int) {
        schedule = Schedule(
            origins: Dictionary(origins.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }))
        self.maximumWindow = maximumWindow
    }

    // MARK: - Questions

    /// Whether no row is in flight.
    package var isIdle: Bool { transfers.isEmpty }

    package func isCancelled(_ row: Int64) -> Bool {
        transfers[row]?.isCancelled ?? false
    }

    package func gate(of origin: String) -> OriginGate {
        schedule.origins[origin]?.gate ?? OriginGate()
    }

    /// How many more rows of an origin may be claimed now.
    ///
    /// Behind an open gate these are more than the origin has free slots: rows are claimed a little ahead of their
    /// attempts.
    package func allowance(of origin: String, at now: Int64) -> Int {
        // A suspect goes alone, so that its death says something.
        guard schedule.suspect == nil else { return 0 }
        let line = lines[origin] ?? SendingLine()
        let gate = gate(of: origin)
        let ahead = gate.closure == nil ? line.lookAhead(slots: slots(of: origin)) : 0
        return gate.allowance(at: now, inFlight: line.inFlightCount - ahead, maximum: maximumWindow)
    }

    /// Whether an origin's gate would let a row through if nothing else were in flight.
    package func mayGoAlone(to origin: String, at now: Int64) -> Bool {
        gate(of: origin).allowance(at: now, inFlight: 0, maximum: 1) > 0
    }

    /// Lanes in the order in which they may claim: after each claim another lane is the first, so that no lane of an
    /// origin keeps the others from its window.
    package func inTurn<Element>(_ lanes: [Element]) -> [Element] {
        guard lanes.count > 1 else { return lanes }
        let first = schedule.claimCount % lanes.count
        return Array(lanes[first...] + lanes[..<first])
    }

    /// How many attempts may run side by side at an origin: behind a closed gate one, its probe.
    func slots(of origin: String) -> Int {
        let gate = gate(of: origin)
        return gate.closure == nil ? min(gate.window, maximumWindow) : 1
    }
}

extension SendingPlan.Start: Equatable where Claim: Equatable {}
