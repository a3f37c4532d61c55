import Background
import Testing

/// The scheduler's state, driven by events alone: no network, no ledger, no clock.
@Suite
struct SendingPlanTests {
    // MARK: - Slots

    @Test(
        "As many attempts start as the window has slots, and the rest waits in its order",
        arguments: [(window: 1, maximum: 16, started: 1), (4, 16, 4), (9, 16, 6), (4, 2, 2), (16, 1, 1)])
    func fillsSlots(window: Int, maximum: Int, started: Int) {
        var plan = Plan.driven(window: window, maximumWindow: maximum)
        let rows: [Int64] = [1, 2, 3, 4, 5, 6]
        #expect(plan.turned(claiming: rows).started == Array(rows.prefix(started)))
        #expect(plan.waiting() == Array(rows.dropFirst(started)))
    }

    @Test("A delivery hands its slot to the claim that has waited longest")
    func handsOver() {
        var plan = Plan.driven(window: 2)
        plan.turned(claiming: [1, 2, 3, 4])
        #expect(plan.delivered(2) == 3)
        #expect(plan.delivered(1) == 4)
        #expect(plan.delivered(3) == nil)
        #expect(plan.running == [4])
        #expect(plan.ends == [2, 1, 3])
    }

    @Test("After an end that is not judged nothing of its origin starts, and deliveries beside it hand nothing over")
    func refusalBlocks() {
        var plan = Plan.driven(window: 2)
        plan.turned(claiming: [1, 2, 3, 4])
        #expect(plan.refused(1) == nil)
        #expect(plan.delivered(2) == nil)
        #expect(plan.waiting() == [3, 4])
        #expect(plan.running.isEmpty)
    }

    @Test("A refusal at one origin does not keep another origin's claims from starting")
    func otherOriginGoesOn() {
        var plan = Plan.driven(window: 1)
        plan.turned(claiming: [1, 2], at: Plan.a)
        plan.turned(claiming: [11, 12], at: Plan.b)
        plan.refused(1)
        #expect(plan.delivered(11) == 12)
        #expect(plan.waiting(at: Plan.a) == [2])
    }

    @Test("What was claimed before a refusal is given back by the turn that judges it, and may be claimed anew")
    func lapses() {
        var plan = Plan.driven(window: 2)
        plan.turned(claiming: [1, 2, 3, 4])
        plan.refused(1)
        let turn = plan.turned(claiming: [3])
        #expect(turn.givenBack == [3, 4])
        #expect(turn.started == [3])
        #expect(plan.running == [2, 3])
        #expect(Set(plan.transfers.keys) == [2, 3])
    }

    @Test("The end of a row that is not running means nothing", arguments: [7, 2, 3])
    func strangeEnd(row: Int64) {
        var plan = Plan.driven(window: 2)
        plan.turned(claiming: [1, 2, 3])
        plan.delivered(2)
        plan.turned()
        // 7 is unknown, 2 is judged already, 3 has taken over its slot.
        if row == 3 { plan.refused(3) }
        let before = (plan.ends, plan.running, plan.waiting())
        let succession = plan.ended(row, with: "again", letsNextGo: true, after: .zero)
        #expect(succession.next == nil && succession.wake == .none)
        #expect((plan.ends, plan.running, plan.waiting()) == before)
    }

    @Test("The end of a claim that still waits means nothing: it is sent when its turn comes")
    func endOfWaiting() {
        var plan = Plan.driven(window: 1)
        plan.turned(claiming: [1, 2])
        plan.delivered(2)
        #expect(plan.ends.isEmpty)
        #expect(plan.delivered(1) == 2)
    }

    // MARK: - The window

    @Test("When the window shrinks, what runs runs on, and no slot is filled before enough have ended")
    func shrinks() {
        var plan = Plan.driven(window: 4)
        plan.turned(claiming: [1, 2, 3, 4])
        plan.refused(1)
        var turn = plan.turn()
        turn.judgeAll()
        turn.change(Plan.a) { $0.gate = OriginGate(window: 2) }
        _ = turn.claimed([5, 6])
        #expect(plan.committed(turn).isEmpty)
        #expect(plan.running == [2, 3, 4])
        #expect(plan.delivered(2) == nil)
        #expect(plan.delivered(3) == 5)
        #expect(plan.delivered(4) == 6)
    }

    @Test("When the window grows, waiting claims start at the commit")
    func grows() {
        var plan = Plan.driven(window: 1)
        plan.turned(claiming: [1, 2, 3, 4])
        plan.delivered(1)
        var turn = plan.turn()
        turn.judgeAll()
        turn.change(Plan.a) { $0.gate = OriginGate(window: 3) }
        #expect(plan.committed(turn).map(\.claim.id) == [3, 4])
    }

    @Test("Behind a closed gate there is one slot, the probe's")
    func closedGate() {
        var plan = Plan.driven()
        var turn = plan.turn()
        turn.change(Plan.a) { $0.gate = OriginGate(closure: .backingOff(until: 5), window: 4) }
        _ = turn.claimed([1, 2])
        #expect(plan.committed(turn).map(\.claim.id) == [1])
        #expect(plan.allowance(of: Plan.a, at: 5) == 0)
        #expect(plan.allowance(of: Plan.b, at: 5) == 4)
    }

    @Test("All rows in flight count against the window until they are judged")
    func allowance() {
        var plan = Plan.driven(window: 3)
        #expect(plan.allowance(of: Plan.a, at: 0) == 3)
        plan.turned(claiming: [1, 2])
        #expect(plan.allowance(of: Plan.a, at: 0) == 1)
        plan.refused(1)
        #expect(plan.allowance(of: Plan.a, at: 0) == 1)
        plan.turned()
        #expect(plan.allowance(of: Plan.a, at: 0) == 2)
    }

    @Test("Behind a closed gate nothing is claimed ahead of the probe, however fast the origin was")
    func closedGateAhead() {
        var plan = Plan.driven()
        plan.turned(claiming: [1])
        plan.delivered(1, after: .milliseconds(25))
        var turn = plan.turn()
        turn.judgeAll()
        turn.change(Plan.a) { $0.gate = OriginGate(closure: .backingOff(until: 5)) }
        _ = turn.claimed([2])
        _ = plan.committed(turn)
        #expect(plan.allowance(of: Plan.a, at: 5) == 0)
    }

    @Test("Lanes of one origin share its window also within a turn")
    func sharedWindow() {
        let plan = Plan.driven(window: 4)
        var turn = plan.turn()
        _ = turn.claimed([1, 2, 3])
        #expect(turn.plan.allowance(of: Plan.a, at: 0) == 1)
        #expect(turn.plan.allowance(of: Plan.b, at: 0) == 4)
    }

    // MARK: - Ahead

    @Test(
        "Rows are claimed ahead as far as the slots send in 25 milliseconds, and 112 at most",
        arguments: [(milliseconds: 1_000, ahead: 0), (25, 4), (10, 10), (1, 100), (0, 112)])
    func lookAhead(milliseconds: Int, ahead: Int) {
        var plan = Plan.driven(window: 4)
        plan.turned(claiming: [1])
        #expect(plan.allowance(of: Plan.a, at: 0) == 3, "nothing is known before the first delivery")
        plan.delivered(1, after: .milliseconds(milliseconds))
        plan.turned()
        #expect(plan.allowance(of: Plan.a, at: 0) == 4 + ahead)
    }

    @Test("After trouble an origin has to show anew how fast it is")
    func paceAfterTrouble() {
        var plan = Plan.driven(window: 4)
        plan.turned(claiming: [1, 2])
        plan.delivered(1, after: .milliseconds(1))
        plan.refused(2)
        plan.turned()
        #expect(plan.allowance(of: Plan.a, at: 0) == 4)
    }

    @Test("An end calls the queue at once when slots would run dry, and else lets it gather more")
    func hunger() {
        var plan = Plan.driven(window: 4)
        plan.turned(claiming: [1, 2, 3, 4, 5, 6, 7, 8])
        // Nothing more is due: the queue need not hurry before all is sent.
        let rows: [Int64] = [1, 2, 3, 4, 5, 6, 7]
        let wakes = rows.map { plan.ended($0, with: "", letsNextGo: true, after: .seconds(1)).wake }
        #expect(wakes == Array(repeating: .soon, count: 7))
        #expect(plan.ended(8, with: "", letsNextGo: true, after: .seconds(1)).wake == .now)
    }

    @Test("An end calls the queue at once when more is due and less than half of the slots' next claims wait")
    func hungerForMore() {
        var plan = Plan.driven(window: 4)
        var turn = plan.turn()
        _ = turn.claimed([1, 2, 3, 4, 5, 6, 7])
        turn.leftMore(at: Plan.a)
        _ = plan.committed(turn)
        let wakes = [1, 2].map { plan.ended($0, with: "", letsNextGo: true, after: .seconds(1)).wake }
        #expect(wakes == [.soon, .now])
        // A turn that finds no more due takes back what an earlier one said.
        plan.turned(claiming: [8])
        #expect(plan.ended(3, with: "", letsNextGo: true, after: .seconds(1)).wake == .soon)
    }

    @Test("An end that lets nothing follow calls the queue at once")
    func urgentRefusal() {
        var plan = Plan.driven()
        plan.turned(claiming: [1, 2])
        #expect(plan.ended(1, with: "", letsNextGo: false, after: .zero).wake == .now)
    }
}
