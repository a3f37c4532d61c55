/// The state of the scheduler as a value: which rows are being sent, which are next, and which have to wait.
///
/// A row is in flight from its claim to its judgement, and goes through three stages:
///
/// 1. **waiting**: the claim is durable, and the row waits for a slot of its origin;
/// 2. **running**: the attempt is under way;
/// 3. **ended**: the attempt is over, and the queue has not judged it yet.
///
/// The window of an origin's gate is the number of attempts that may run to that origin at the same time. The origin
/// has that many *slots*, and each slot runs one attempt. When a delivery ends an attempt, the next waiting claim gets
/// the slot immediately, so that no slot is idle during a commit. After any other end, and after a delivery whose
/// answer asks to wait, no claim of that origin starts before the queue has judged the end.
///
/// The queue *gives a claim back* when the attempt must not start. The ledger then makes the row due again, or puts the
/// row off as before, and does not count the attempt.
///
/// Everything that happens is an event: a mutating method that returns what the caller has to do. The queue and the
/// tasks of its attempts share the plan under a lock. They report an event under the lock, and act after they have
/// released the lock. The plan does no I/O, and has no clock, no random numbers and no log. The plan does not look into
/// claims and ends, so tests can use numbers for claims and ends.
///
/// A crash loses the plan, but no transfer: the ledger says which rows were claimed, and the next queue on that ledger
/// makes these rows due again.
package struct SendingPlan<Claim: Identifiable<Int64> & Sendable, End: Sendable>: Sendable {
    /// A row in flight.
    package struct Transfer: Sendable {
        package let claim: Claim
        package let origin: String
        package internal(set) var stage = Stage.waiting
        /// Whether the transfer is to be taken out of the queue.
        package internal(set) var isCancelled = false
        /// Whether no other transfer was under way to its origin when its attempt ended, or when the drive was told to
        /// end.
        package internal(set) var wasAlone = false
    }

    package enum Stage: Sendable {
        case waiting
        case running
        /// The attempt is over; the end is `nil` when the attempt never began. A blocking end keeps the origin's
        /// waiting claims from starting.
        case ended(End?, isBlocking: Bool)
    }

    /// The part of the plan that only the queue changes, in its turns and between them. Attempts never change it.
    package struct Schedule: Hashable, Sendable {
        /// The gate and the last trouble of each origin, by the origin's name.
        package internal(set) var origins: [String: OriginRecord]
        /// Origins at which more rows may have been due than the last turn claimed.
        package internal(set) var originsWithMore: Set<String> = []
        /// Probes: rows that the queue made due, and sends to find out whether an origin accepts again, or whether the
        /// reason is over for which other rows are held.
        package internal(set) var probes: Set<Int64> = []
        /// Suspect rows (``Solitude``) that a caller asked for by name.
        package internal(set) var asked: Set<Int64> = []
        /// The suspect row that is in flight alone; `nil` when there is none. If the process dies now, the next queue
        /// blames this row.
        package internal(set) var suspect: Int64?
        /// Whether the ledger says that no row is to be blamed if this process dies now.
        package internal(set) var blamesNobody = false
        /// How many rows each lane has claimed. Every fourth row that a lane claims is the row due longest instead of a
        /// row of rank 0 (``ClaimOrder``), and this number says when that is.
        package internal(set) var claimCounts: [Lane: Int] = [:]
        /// How many times any lane has claimed. The number says which lane claims first in the next turn.
        package internal(set) var claimCount = 0

        mutating func change(_ origin: String, _ change: (inout OriginRecord) throws -> Void) rethrows {
            try change(&origins[origin, default: OriginRecord(name: origin, gate: OriginGate())])
        }
    }

    /// An attempt to be started in a free slot.
    package struct Start: Sendable {
        package let claim: Claim
        package let origin: String
    }

    package internal(set) var transfers: [Int64: Transfer] = [:]
    package internal(set) var lines: [String: SendingLine] = [:]
    /// Rows to be judged, in the order in which their attempts ended.
    package internal(set) var endedRows: [Int64] = []
    package internal(set) var schedule: Schedule
    /// Whether other work is stopped for a suspect row or drop. The tasks that collect drops read and change this
    /// value, too.
    package internal(set) var solitude = Solitude()
    /// Whether a turn is being committed, perhaps with claims.
    package internal(set) var isTurning = false
    /// Whether no claim may start: between two drives, and from the time at which a drive is told to end.
    package internal(set) var isStopped = true
    /// The largest number of attempts that run side by side at one origin.
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
    /// Behind an open gate this number may be larger than the number of free slots, because rows are claimed a little
    /// ahead of their attempts.
    package func allowance(of origin: String, at now: Int64) -> Int {
        // A suspect is sent alone, so that a death of the process says something about the suspect.
        guard schedule.suspect == nil else { return 0 }
        let line = lines[origin] ?? SendingLine()
        let gate = gate(of: origin)
        let ahead = gate.closure == nil ? line.lookAhead(slots: slots(of: origin)) : 0
        return gate.allowance(at: now, inFlight: line.inFlightCount - ahead, maximum: maximumWindow)
    }

    /// Whether an origin's gate would let a row through if no other row were in flight.
    package func mayGoAlone(to origin: String, at now: Int64) -> Bool {
        gate(of: origin).allowance(at: now, inFlight: 0, maximum: 1) > 0
    }

    /// Lanes in the order in which they may claim.
    ///
    /// After each claim another lane comes first, so that lanes which lead to the same origin share its slots.
    package func inTurn<Element>(_ lanes: [Element]) -> [Element] {
        guard lanes.count > 1 else { return lanes }
        let first = schedule.claimCount % lanes.count
        return Array(lanes[first...] + lanes[..<first])
    }

    /// How many attempts may run side by side at an origin. Behind a closed gate this is one: the probe.
    func slots(of origin: String) -> Int {
        let gate = gate(of: origin)
        return gate.closure == nil ? min(gate.window, maximumWindow) : 1
    }
}

extension SendingPlan.Start: Equatable where Claim: Equatable {}
