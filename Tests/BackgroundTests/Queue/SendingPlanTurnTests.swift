import Background
import Testing

/// Turns of the queue, and what attempts report while one of them is on its way to the disk.
@Suite
struct SendingPlanTurnTests {
    @Test("An end that comes while a turn is under way is judged by the next one", arguments: [true, false])
    func endDuringTurn(isCommitted: Bool) {
        var plan = Plan.driven(window: 2)
        plan.turned(claiming: [1, 2])
        plan.delivered(1)
        var turn = plan.turn()
        #expect(turn.ends.map(\.claim.id) == [1])
        turn.judgeAll()
        plan.delivered(2)
        if isCommitted { _ = plan.committed(turn) }
        #expect(plan.ends == (isCommitted ? [2] : [1, 2]))
        plan.turned()
        #expect(plan.isIdle)
    }

    @Test("A slot is handed over while a turn is under way, whatever becomes of the turn", arguments: [true, false])
    func handoverDuringTurn(isCommitted: Bool) {
        var plan = Plan.driven(window: 1)
        plan.turned(claiming: [1, 2, 3])
        plan.delivered(1)
        var turn = plan.turn()
        turn.judgeAll()
        _ = turn.claimed([4])
        #expect(plan.delivered(2) == 3)
        #expect(isCommitted ? plan.committed(turn).isEmpty : true)
        #expect(plan.running == [3])
        #expect(plan.waiting() == (isCommitted ? [4] : []))
        #expect(plan.ends == (isCommitted ? [2] : [1, 2]))
    }

    @Test("A claim does not start before its commit is durable, however free the slots are")
    func claimsWaitForCommit() {
        var plan = Plan.driven(window: 2)
        plan.turned(claiming: [1])
        var turn = plan.turn()
        _ = turn.claimed([2])
        #expect(plan.delivered(1) == nil)
        #expect(plan.transfers[2] == nil)
        #expect(plan.committed(turn).map(\.claim.id) == [2])
    }

    @Test("A turn whose commit fails has changed nothing, and the next one decides the same anew")
    func failedCommit() {
        var plan = Plan.driven(window: 2)
        plan.turned(claiming: [1, 2, 3])
        plan.refused(1)
        let (schedule, waiting, running) = (plan.schedule, plan.waiting(), plan.running)
        for _ in 1...3 {
            var turn = plan.turn()
            #expect(turn.ends.map(\.end) == ["refused"])
            turn.change(Plan.a) { $0.gate.hold(.auth, at: 0) }
            turn.judgeAll()
            #expect(turn.lapsedClaims().rows == [3])
            #expect(turn.claimCount(of: .main) == 0, "what an earlier try did is forgotten")
            turn.counted(2, in: .main)
            turn.madeDue(probe: 9)
            #expect(turn.claimed([3, 9], at: Plan.b).isEmpty)
            #expect(plan.schedule == schedule)
            #expect((plan.ends, plan.waiting(), plan.running) == ([1], waiting, running))
        }
    }

    @Test("Claims of a turn whose commit fails are never started, though attempts end meanwhile")
    func failedClaims() {
        var plan = Plan.driven(window: 1)
        plan.turned(claiming: [1])
        var turn = plan.turn()
        _ = turn.claimed([2])
        #expect(plan.delivered(1) == nil)
        #expect(plan.turned().started.isEmpty)
        #expect(plan.isIdle)
    }

    @Test("A refusal while claims are on their way to the disk keeps them from starting, and they are given back")
    func refusalDuringClaims() {
        var plan = Plan.driven(window: 2)
        plan.turned(claiming: [1])
        var turn = plan.turn()
        _ = turn.claimed([2, 3])
        plan.refused(1)
        #expect(plan.committed(turn).isEmpty)
        #expect(plan.waiting() == [2, 3])
        let next = plan.turned()
        #expect(next.givenBack == [2, 3])
        #expect(plan.isIdle)
    }

    @Test("What a turn gives back cannot start while its commit is on the way")
    func lapsedStaysPut() {
        var plan = Plan.driven(window: 2)
        plan.turned(claiming: [1, 2, 3])
        plan.refused(1)
        var turn = plan.turn()
        turn.judgeAll()
        #expect(turn.lapsedClaims().rows == [3])
        #expect(plan.delivered(2) == nil)
        #expect(plan.committed(turn).isEmpty)
        #expect(plan.transfers[3] == nil)
    }

    @Test("An origin stays closed to its claims until the last end that lets nothing follow is judged")
    func secondRefusalDuringTurn() {
        var plan = Plan.driven(window: 3)
        plan.turned(claiming: [1, 2])
        plan.refused(1)
        var turn = plan.turn()
        turn.judgeAll()
        _ = turn.claimed([3])
        plan.refused(2)
        #expect(plan.committed(turn).isEmpty)
        let next = plan.turned(claiming: [3])
        #expect(next.givenBack == [3] && next.started == [3])
    }

    @Test("A turn saves the origins that it changed, and no others")
    func changedOrigins() {
        var plan = Plan.driven()
        plan.turned(claiming: [1])
        var turn = plan.turn()
        #expect(turn.changedOrigins.isEmpty)
        turn.change(Plan.b) { $0.lastStatus = 503 }
        turn.change("https://new.example:443") { $0.lastStatus = 500 }
        #expect(Set(turn.changedOrigins.map(\.name)) == [Plan.b, "https://new.example:443"])
    }

    @Test("Without ends and lapsed claims there is nothing that a turn would have to write")
    func needsTurn() {
        var plan = Plan.driven(window: 1)
        #expect(!plan.needsTurn)
        plan.turned(claiming: [1, 2])
        #expect(!plan.needsTurn)
        plan.delivered(1)
        #expect(plan.needsTurn)
        plan.turned()
        #expect(!plan.needsTurn)
        plan.turned(claiming: [3])
        plan.driveStopped()
        #expect(plan.needsTurn, "3 will not start")
    }

    @Test("A row that comes anew while its attempt is under way is given back, and claimed when that has been judged")
    func anew() {
        var plan = Plan.driven()
        plan.turned(claiming: [1])
        let turn = plan.turned(claiming: [1, 2])
        #expect(turn.started == [2] && turn.givenBack == [1])
        plan.delivered(1)
        #expect(plan.ends == [1])
        let next = plan.turned(claiming: [1])
        #expect(next.started == [1] && next.givenBack.isEmpty)
    }

    // MARK: - Drives

    @Test("After a stop nothing starts, and what waits is given back while what runs ends in peace")
    func stop() {
        var plan = Plan.driven(window: 1)
        plan.turned(claiming: [1, 2, 3])
        plan.driveStopped()
        #expect(plan.delivered(1) == nil)
        let turn = plan.turned()
        #expect(turn.givenBack == [2, 3] && turn.started.isEmpty)
        #expect(plan.isIdle)
    }

    @Test("What waits when a drive ends with an error starts with the next drive")
    func nextDrive() {
        var plan = Plan.driven(window: 1)
        plan.turned(claiming: [1, 2])
        plan.driveStopped()
        plan.refused(1)
        #expect(plan.driveBegan().isEmpty, "the end before it is not judged")
        let turn = plan.turned(claiming: [2])
        #expect(turn.givenBack == [2] && turn.started == [2])

        plan.turned(claiming: [3])
        plan.driveStopped()
        plan.delivered(2)
        #expect(plan.driveBegan().map(\.claim.id) == [3])
        #expect(plan.ends == [2], "it is judged by the first turn")
    }
}
