import Background
import TestSupport
import Testing

/// The plan at the hands of chance: whatever comes in whatever order, no row is lost and none is sent twice at a time.
@Suite
struct SendingPlanWalkTests {
    @Test("Nothing is forgotten, nothing is sent twice at a time, and no window is exceeded", arguments: 0..<40)
    func walk(seed: UInt64) {
        var walk = PlanWalk(seed: seed)
        for _ in 0..<1_500 { walk.step() }
        walk.finish()
        #expect(walk.rows.values.allSatisfy { $0 == .delivered || $0 == .removed }, "\(walk.rows)")
        #expect(walk.plan.isIdle)
        // The walk has been everywhere.
        #expect(walk.rows.values.contains(.removed) && walk.failedCommits > 5 && walk.givenBack > 5)
        #expect(walk.stops > 0 && walk.dropStops > 0)
    }
}

/// A queue with a ledger that is a dictionary, and attempts that end when chance says so.
private struct PlanWalk {
    enum State: Hashable { case due, claimed, delivered, removed }

    /// A turn whose commit is on its way to the disk.
    private struct Pending {
        var turn: Plan.Turn
        var rows: [Int64: State]
        var givenBack = 0
    }

    private(set) var plan: Plan
    /// What the ledger says.
    private(set) var rows: [Int64: State]
    private(set) var failedCommits = 0
    private(set) var givenBack = 0
    /// How often a suspect had the process to itself.
    private(set) var stops = 0
    /// How often a suspect drop had claims stopped for it.
    private(set) var dropStops = 0
    private var pending: Pending?
    private var running: Set<Int64> = []
    private var now: Int64 = 0
    private var generator: SeededGenerator
    private static let origins = ["a", "b", "c"]

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        plan = Plan.driven(maximumWindow: 8, origins: Self.origins)
        rows = Dictionary(uniqueKeysWithValues: (0..<120).map { ($0, State.due) })
    }

    private static func isSuspect(_ row: Int64) -> Bool { row % 11 == 0 }
    private static func origin(of row: Int64) -> String { origins[Int(row) % origins.count] }

    private mutating func chance(_ share: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < share }

    mutating func step() {
        now += Int64.random(in: 0...2_000, using: &generator)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<5: endOne()
        case 5..<8 where pending == nil: beginTurn()
        case 5..<8: endTurn(isCommitted: chance(75))
        // Tasks that collect come and go at any time.
        case 9 where chance(50): collect()
        case 9 where chance(30): bringDrop()
        // All that follows is the queue's, which does nothing while its commit is under way.
        case _ where pending != nil: break
        case 8: cancelOne()
        default: stopOrBegin()
        }
        check()
    }

    /// Lets all that is left be sent.
    mutating func finish() {
        if pending != nil { endTurn(isCommitted: true) }
        while plan.solitude.collectingCount > 0 { _ = plan.collectingEnded() }
        plan.stopEnded(for: .drop, at: now)
        if plan.isStopped { note(plan.driveBegan()) }
        for _ in 0..<10_000 where rows.values.contains(where: { $0 == .due || $0 == .claimed }) {
            now += 10_000
            beginTurn()
            endTurn(isCommitted: true)
            while let row = running.min() { end(row, isDelivered: true) }
            check()
        }
        beginTurn()
        endTurn(isCommitted: true)
    }

    // MARK: - Attempts

    private mutating func endOne() {
        guard let row = running.sorted().randomElement(using: &generator) else { return }
        end(row, isDelivered: chance(80))
    }

    private mutating func end(_ row: Int64, isDelivered: Bool) {
        running.remove(row)
        let end = isDelivered ? "delivered" : "refused"
        let succession = plan.ended(row, with: end, letsNextGo: isDelivered, after: .milliseconds(10))
        #expect(isDelivered || succession.next == nil)
        if let next = succession.next { noteStart(of: next.id) }
    }

    private mutating func note(_ starts: [Plan.Start]) {
        for start in starts {
            #expect(start.origin == Self.origin(of: start.claim.id))
            noteStart(of: start.claim.id)
        }
    }

    private mutating func noteStart(of row: Int64) {
        let isNew = running.insert(row).inserted
        #expect(isNew, "sent twice at a time")
        #expect(rows[row] == .claimed, "sent before its claim was durable")
        #expect(!plan.isCancelled(row), "sent though it was cancelled")
        #expect(!plan.isStopped)
        let origin = Self.origin(of: row)
        let gate = plan.gate(of: origin)
        #expect(running.count { Self.origin(of: $0) == origin } <= (gate.closure == nil ? min(gate.window, 8) : 1))
    }

    // MARK: - The queue

    private mutating func beginTurn() {
        var next = Pending(turn: plan.turn(at: now), rows: rows)
        for ended in next.turn.ends {
            let row = ended.claim.id
            let isDelivered = ended.end == "delivered"
            if isDelivered {
                next.rows[row] = .delivered
            } else {
                next.rows[row] = next.turn.plan.isCancelled(row) ? .removed : .due
            }
            next.turn.change(ended.origin) {
                if isDelivered { _ = $0.gate.acceptedOne(at: now, maximumWindow: 8) }
                if ended.end == "refused" { $0.gate.failed(startedAt: now, at: now, sentBytes: true) { _ in 3_000 } }
            }
            _ = next.turn.judged(row)
        }
        for claim in next.turn.lapsedClaims() {
            next.rows[claim.id] = .due
            next.givenBack += 1
        }
        if !plan.isStopped { fillAll(&next) }
        pending = next
    }

    /// As the queue does.
    private mutating func fillAll(_ next: inout Pending) {
        if let stop = next.turn.plan.solitude.stop(at: now) {
            #expect(now - stop.begun < Solitude.longestStop)
            if stop.party == .row, next.turn.plan.schedule.suspect == nil { goAlone(&next) }
            return
        }
        let isOver = next.turn.plan.solitude.lapsedRowStop(at: now) != nil
        if isOver {
            next.turn.othersGoOn()
        } else if chance(20), firstSuspect(next) != nil, plan.suspectWanted(at: now, isForced: true) {
            return goAlone(&next)
        }
        for origin in next.turn.plan.inTurn(Self.origins) { fill(origin, &next) }
        if !isOver, next.turn.plan.isIdle, firstSuspect(next) != nil, plan.suspectWanted(at: now, isForced: false) {
            goAlone(&next)
        }
    }

    private func firstSuspect(_ next: Pending) -> Int64? {
        next.rows.filter { $0.value == .due && Self.isSuspect($0.key) }.keys.sorted().first {
            next.turn.plan.mayGoAlone(to: Self.origin(of: $0), at: now)
        }
    }

    private mutating func goAlone(_ next: inout Pending) {
        guard let row = firstSuspect(next) else { return next.turn.stopIsVain() }
        guard next.turn.plan.isIdle, plan.solitude.collectingCount == 0 else { return }
        next.turn.suspectGoesAlone()
        next.rows[row] = .claimed
        let repeated = next.turn.claimed([row], at: Self.origin(of: row), isSuspect: true)
        #expect(repeated.isEmpty)
        stops += 1
    }

    private mutating func collect() {
        if plan.solitude.collectingCount > 0, chance(70) {
            _ = plan.collectingEnded()
        } else if let wait = plan.collectingWanted(at: now, insists: false) {
            #expect(wait <= Solitude.longestStop)
        } else {
            let isAlone = plan.schedule.suspect != nil && plan.solitude.stop(at: now) != nil
            #expect(!isAlone, "collecting beside a suspect")
        }
    }

    /// A task with a suspect drop comes, or its drop is done.
    private mutating func bringDrop() {
        if plan.solitude.stop?.party == .drop, chance(50) {
            plan.stopEnded(for: .drop, at: now)
        } else if let wait = plan.aloneWanted(at: now) {
            #expect(wait > 0 && wait <= 2 * Solitude.longestStop)
        } else {
            dropStops += 1
        }
    }

    private func fill(_ origin: String, _ next: inout Pending) {
        let limit = next.turn.plan.allowance(of: origin, at: now)
        let due = next.rows.filter {
            $0.value == .due && Self.origin(of: $0.key) == origin && !Self.isSuspect($0.key)
        }.keys.sorted()
        let claims = due.prefix(limit).map(Row.init)
        if claims.count < due.count { next.turn.leftMore(at: origin) }
        for claim in claims { next.rows[claim.id] = .claimed }
        #expect(next.turn.claimed(claims, at: origin, isSuspect: false, now: now).isEmpty)
    }

    private mutating func endTurn(isCommitted: Bool) {
        guard let done = pending else { return }
        pending = nil
        guard isCommitted else {
            failedCommits += 1
            return
        }
        rows = done.rows
        givenBack += done.givenBack
        note(plan.committed(done.turn))
    }

    private mutating func cancelOne() {
        let live = rows.filter { $0.value == .due || $0.value == .claimed }.keys.sorted()
        guard chance(30), let row = live.randomElement(using: &generator) else { return }
        switch plan.cancelled(row) {
        case .changeLedger:
            #expect(rows[row] == .due)
            rows[row] = .removed
        case .endAttempt:
            #expect(running.contains(row))
            if chance(80) { end(row, isDelivered: false) }
        case .wakeQueue, .none:
            #expect(rows[row] == .claimed && !running.contains(row))
        }
    }

    private mutating func stopOrBegin() {
        if plan.isStopped {
            note(plan.driveBegan())
        } else if chance(20) {
            plan.driveStopped()
        }
    }

    // MARK: - What must hold at all times

    private func check() {
        #expect(plan.running == running)
        if let suspect = plan.schedule.suspect {
            #expect(plan.solitude.stop?.party == .row, "a suspect that nobody lets the others go on beside")
            let isAlone = plan.solitude.stop(at: now) == nil || Set(plan.transfers.keys) == [suspect]
            #expect(isAlone, "something beside a suspect")
        }
        // A row is in flight exactly when the ledger says that it is claimed.
        #expect(Set(plan.transfers.keys) == Set(rows.filter { $0.value == .claimed }.keys))
        #expect(plan.ends.count == Set(plan.ends).count)
        for origin in Self.origins {
            guard let line = plan.lines[origin] else { continue }
            let own = plan.transfers.filter { $0.value.origin == origin }
            let ended = plan.ends.filter { own[$0] != nil }
            #expect(line.runningCount == running.count { own[$0] != nil })
            #expect(line.endedCount == ended.count)
            #expect(line.inFlightCount == own.count)
            #expect(line.blockingCount == plan.turn().ends.count { $0.origin == origin && $0.end == "refused" })
        }
    }
}
