import Background
import Testing

/// Cancelling, suspects, probes, and whose turn it is.
@Suite
struct SendingPlanWishTests {
    // MARK: - Cancelling

    @Test("A row that is not in flight is the ledger's to cancel")
    func cancelUnknown() {
        var plan = Plan.driven()
        #expect(plan.cancelled(1) == .changeLedger)
        plan.turned(claiming: [1])
        plan.delivered(1)
        plan.turned()
        #expect(plan.cancelled(1) == .changeLedger)
        #expect(!plan.isCancelled(1))
    }

    @Test("A row that waits and is cancelled is never sent, is judged without an end, and lets the others go on")
    func cancelWaiting() {
        var plan = Plan.driven(window: 1)
        plan.turned(claiming: [1, 2, 3])
        #expect(plan.cancelled(2) == .wakeQueue)
        #expect(plan.delivered(1) == 3)
        let ends = plan.turn().ends
        #expect(ends.map(\.claim.id) == [2, 1])
        #expect(ends.map(\.end) == [nil, "delivered"])
        #expect(plan.isCancelled(2))
        plan.turned()
        #expect(Set(plan.transfers.keys) == [3])
    }

    @Test("A running row that is cancelled is told to end, also when its task does not exist yet")
    func cancelRunning() {
        var plan = Plan.driven()
        plan.turned(claiming: [1])
        #expect(plan.cancelled(1) == .endAttempt)
        #expect(plan.isCancelled(1), "so the attempt that begins later ends at once")
        #expect(plan.cancelled(1) == .endAttempt)
        plan.refused(1)
        #expect(plan.isCancelled(1), "until it is judged")
        plan.turned(claiming: [1])
        #expect(!plan.isCancelled(1), "claimed again, it is to be sent")
    }

    @Test("A row is alone at its end, or is not, whatever ended before it when all were told to end")
    func company() {
        var plan = Plan.driven()
        plan.turned(claiming: [1, 2])
        plan.turned(claiming: [3], at: Plan.b)
        plan.delivered(1)
        #expect(plan.turn().ends.map(\.wasAlone) == [false])
        plan.turned()
        plan.turned(claiming: [4])
        plan.driveStopped()
        for row in [2, 3] as [Int64] { plan.refused(row) }
        #expect(plan.turn().ends.map(\.wasAlone) == [false, true])
        plan.turned()
        plan.refused(4)
        #expect(plan.turn().ends.map(\.wasAlone) == [false], "though 2 ended before it")
    }

    @Test("A row that has ended and is cancelled before its judgement is judged as cancelled")
    func cancelEnded() {
        var plan = Plan.driven()
        plan.turned(claiming: [1])
        plan.delivered(1)
        #expect(plan.cancelled(1) == .none)
        #expect(plan.isCancelled(1))
        #expect(plan.ends == [1])
    }

    @Test("Who cancels between a failed commit and the next try is not forgotten")
    func cancelAfterFailedCommit() {
        var plan = Plan.driven()
        plan.turned(claiming: [1])
        plan.delivered(1)
        var failed = plan.turn()
        failed.judgeAll()
        #expect(plan.cancelled(1) == .none)
        #expect(plan.turn().plan.isCancelled(1))
    }

    @Test("A cancelled row that waits is judged, not given back, when the drive stops")
    func cancelThenStop() {
        var plan = Plan.driven(window: 1)
        plan.turned(claiming: [1, 2, 3])
        #expect(plan.cancelled(2) == .wakeQueue)
        plan.driveStopped()
        plan.delivered(1)
        let turn = plan.turned()
        #expect(turn.givenBack == [3])
        #expect(plan.isIdle)
    }

    // MARK: - Suspects

    @Test("While a suspect is in flight nothing may be claimed anywhere, until it has been judged")
    func suspectAlone() {
        var plan = Plan.driven()
        #expect(plan.turned(claiming: [1], isSuspect: true).started == [1])
        #expect(plan.allowance(of: Plan.a, at: 0) == 0)
        #expect(plan.allowance(of: Plan.b, at: 0) == 0)
        plan.delivered(1)
        #expect(plan.allowance(of: Plan.b, at: 0) == 0)
        plan.turned()
        #expect(plan.allowance(of: Plan.b, at: 0) == 4)
    }

    @Test("A suspect that comes further than ever before has others beside it")
    func suspectCleared() {
        var plan = Plan.driven()
        plan.turned(claiming: [1], isSuspect: true)
        #expect(plan.advanced(2) == .none)
        #expect(plan.advanced(1) == .now)
        #expect(plan.allowance(of: Plan.a, at: 0) == 3)
        #expect(plan.advanced(1) == .none)
    }

    @Test("A suspect that is given back at a stop stands in nobody's way in the next drive")
    func suspectGivenBack() {
        var plan = Plan.driven()
        var turn = plan.turn()
        _ = turn.claimed([1], isSuspect: true)
        plan.driveStopped()
        #expect(plan.committed(turn).isEmpty)
        #expect(plan.turned().givenBack == [1])
        _ = plan.driveBegan()
        #expect(plan.allowance(of: Plan.a, at: 0) == 4)
    }

    @Test("A suspect is asked for until it has been judged, and goes alone if its gate lets one through")
    func askedSuspect() {
        var plan = Plan.driven()
        plan.askedFor(suspect: 7)
        #expect(plan.schedule.asked == [7])
        #expect(plan.mayGoAlone(to: Plan.a, at: 0))
        plan.turned(claiming: [1])
        #expect(plan.mayGoAlone(to: Plan.a, at: 0), "what else is in flight is not the gate's affair")
        plan.delivered(1)
        plan.turned(claiming: [7], isSuspect: true)
        plan.refused(7)
        #expect(plan.schedule.asked == [7])
        var turn = plan.turn()
        turn.judgeAll()
        turn.change(Plan.a) { $0.gate.hold(.auth, at: 0) }
        _ = plan.committed(turn)
        #expect(plan.schedule.asked.isEmpty)
        #expect(!plan.mayGoAlone(to: Plan.a, at: 0))
    }

    // MARK: - Probes

    @Test("A row that was made due for a probe is known as one at its judgement, once, whenever it was made due")
    func probe() {
        var plan = Plan.driven()
        plan.madeDue(probe: 1)
        var first = plan.turn()
        first.madeDue(probe: 2)
        _ = first.claimed([1, 2, 3])
        _ = plan.committed(first)
        for row: Int64 in [1, 2, 3] { plan.delivered(row) }
        var turn = plan.turn()
        let wereProbes = [1, 2, 3].map { turn.judged($0) }
        #expect(wereProbes == [true, true, false])
        _ = plan.committed(turn)
        #expect(plan.schedule.probes.isEmpty)
    }

    @Test("A probe of an explicit drive is allowed once, and used up by the claim")
    func explicitProbe() {
        let closed = OriginRecord(name: Plan.a, gate: OriginGate(closure: .held(.auth, nextProbe: 1_000), window: 1))
        var plan = Plan(origins: [closed], maximumWindow: 16)
        _ = plan.driveBegan()
        #expect(plan.allowance(of: Plan.a, at: 0) == 0)
        plan.allowedProbes(at: [Plan.a, Plan.b])
        #expect(plan.allowance(of: Plan.a, at: 0) == 1)
        plan.turned(claiming: [1])
        plan.refused(1)
        plan.turned()
        #expect(plan.allowance(of: Plan.a, at: 0) == 0)
    }

    // MARK: - Lanes

    @Test("After each claim another lane is the first, and a turn without a claim changes no lane's place")
    func rotation() {
        var plan = Plan.driven(window: 16)
        let lanes = ["x", "y", "z"]
        #expect(plan.inTurn(lanes) == ["x", "y", "z"])
        plan.turned()
        #expect(plan.inTurn(lanes) == ["x", "y", "z"])
        plan.turned(claiming: [1])
        #expect(plan.inTurn(lanes) == ["y", "z", "x"])
        plan.turned(claiming: [2, 3])
        #expect(plan.inTurn(lanes) == ["z", "x", "y"])
        #expect(plan.inTurn(["x"]) == ["x"])
        #expect(plan.inTurn([String]()).isEmpty)
    }

    @Test("The claims of each lane are counted over all turns and drives")
    func claimCounts() {
        var plan = Plan.driven()
        var turn = plan.turn()
        for (count, lane) in [(3, Lane.main), (1, .main), (2, Lane("other"))] { turn.counted(count, in: lane) }
        _ = plan.committed(turn)
        plan.driveStopped()
        _ = plan.driveBegan()
        turn = plan.turn()
        #expect(turn.claimCount(of: .main) == 4)
        #expect(turn.claimCount(of: Lane("other")) == 2)
    }
}
