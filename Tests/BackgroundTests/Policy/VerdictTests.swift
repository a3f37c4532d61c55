import Background
import TestSupport
import Testing

struct VerdictTests {
    private static let tooLarge = "too large for the server (413): raise the limit there, then retry it"
    /// An answer's status, what becomes of the transfer, its reason, whether it is charged, and whether the gate
    /// closes.
    private static let answers: [(Int, TransferState, String?, Bool, Bool)] = [
        (200, .delivered, nil, false, false), (204, .delivered, nil, false, false),
        (226, .delivered, nil, false, false),
        (301, .held, "redirect", false, true), (307, .held, "redirect", false, true),
        (400, .rejected, "rejected by the server", false, false), (401, .held, "auth", false, true),
        (403, .held, "forbidden", false, false), (404, .rejected, "rejected by the server", false, false),
        (407, .held, "auth", false, true), (408, .waiting, "unreachable", false, true),
        (409, .waiting, "failing", true, false), (413, .rejected, tooLarge, false, false),
        (415, .held, "encoding", false, true), (422, .rejected, "rejected by the server", false, false),
        (425, .waiting, "unreachable", false, true), (429, .waiting, "retry-after", false, true),
        (500, .waiting, "unreachable", false, true), (501, .rejected, "rejected by the server", false, false),
        (502, .waiting, "unreachable", false, true), (503, .waiting, "retry-after", false, true),
        (504, .waiting, "unreachable", false, true), (505, .rejected, "rejected by the server", false, false),
        (507, .waiting, "unreachable", false, true), (509, .waiting, "unreachable", false, true),
        (511, .held, "portal", false, true), (525, .waiting, "unreachable", false, true),
        (599, .waiting, "unreachable", false, true), (600, .rejected, "rejected by the server", false, false),
    ]

    private static func answer(_ status: Int, retryAfter: Int64? = nil) -> AttemptOutcome {
        var answer = TransferAnswer(
            status: status, fields: [:], body: [], bytesSent: 5, isWholeBodySent: true, isLoopback: false)
        if let retryAfter { answer.fields[.retryAfter] = String(retryAfter / 1_000) }
        return .answer(.http(answer, isSecure: true, at: 0))
    }

    private static func failure(sentBytes: Bool) -> AttemptOutcome {
        .noAnswer(.failure(TransportFailure("it broke", didConnect: sentBytes, bytesSent: 0)))
    }

    private static func facts(
        now: Int64 = 1_000, charged: Int = 0, failures: Int = 0, mark: Int64 = 0
    ) -> AttemptFacts {
        AttemptFacts(
            startedAt: now - 10, now: now, enrolledAt: 0, charged: charged, failures: failures, acceptedMark: mark)
    }

    private static func verdict(
        _ outcome: AttemptOutcome, _ facts: AttemptFacts = facts(), gate: inout OriginGate, seed: UInt64 = 1
    ) -> Verdict {
        var generator = SeededGenerator(seed: seed)
        return RetryPolicy().verdict(on: outcome, facts, gate: &gate, using: &generator)
    }

    @Test("Each answer of an origin without history", arguments: answers)
    func table(status: Int, state: TransferState, reason: String?, isCharged: Bool, closes: Bool) {
        var gate = OriginGate()
        let verdict = Self.verdict(Self.answer(status), gate: &gate)
        #expect(verdict.state == state)
        #expect(verdict.reason?.rawValue == reason)
        #expect(verdict.isCharged == isCharged)
        #expect((gate.closure != nil) == closes)
    }

    @Test("Every status leads to a state that a ledger can hold, and none but a 2xx to delivery", arguments: 100...999)
    func everyStatus(status: Int) {
        for retryAfter in [nil, 0, 5_000] as [Int64?] {
            var gate = OriginGate()
            let verdict = Self.verdict(Self.answer(status, retryAfter: retryAfter), gate: &gate)
            #expect((verdict.state == .delivered) == (status / 100 == 2))
            if verdict.state == .waiting { #expect((verdict.due ?? 0) > 1_000) }
            if !verdict.state.isLive { #expect(verdict.due == nil) }
        }
    }

    @Test("Retry-After is kept by any answer that means not now", arguments: [408, 425, 429, 500, 502, 503, 504, 507])
    func retryAfter(status: Int) {
        for seed in 0..<50 as Range<UInt64> {
            var gate = OriginGate()
            let verdict = Self.verdict(Self.answer(status, retryAfter: 60_000), gate: &gate, seed: seed)
            #expect((61_000...91_000).contains(verdict.due ?? 0))
            #expect(gate.opensAt == verdict.due)
            #expect(!verdict.isCharged)
        }
    }

    @Test("A failure is the origin's while nothing else gets through, the transfer's once something does")
    func charging() {
        for outcome in [Self.answer(500), Self.failure(sentBytes: true), Self.failure(sentBytes: false)] {
            var gate = OriginGate(accepted: 7)
            let origins = Self.verdict(outcome, Self.facts(mark: 7), gate: &gate)
            #expect(!origins.isCharged)
            #expect(gate.closure != nil)

            gate = OriginGate(accepted: 8)
            let own = Self.verdict(outcome, Self.facts(failures: 2, mark: 7), gate: &gate)
            #expect(own.isCharged)
            #expect(own.failures == 3)
            #expect(own.reason == .waiting(.failing))
            #expect(gate.closure == nil)
        }
    }

    @Test("The twelfth charge exhausts, and no number of uncharged failures does")
    func exhaustion() {
        for charged in 0..<12 {
            var gate = OriginGate(accepted: 1)
            let verdict = Self.verdict(Self.answer(500), Self.facts(charged: charged), gate: &gate)
            #expect(verdict.state == (charged == 11 ? .exhausted : .waiting))
        }
        var gate = OriginGate()
        let verdict = Self.verdict(Self.answer(503), Self.facts(charged: 11), gate: &gate)
        #expect(verdict.state == .waiting)
    }

    @Test(
        "Thirty days exhaust what fails, and neither what is held nor what is delivered",
        arguments: [
            (500, TransferState.exhausted), (503, .exhausted), (409, .exhausted), (401, .held), (200, .delivered),
        ])
    func age(status: Int, state: TransferState) {
        var gate = OriginGate()
        let day: Int64 = 86_400_000
        #expect(Self.verdict(Self.answer(status), Self.facts(now: 30 * day), gate: &gate).state == state)
        gate = OriginGate()
        let younger = Self.verdict(Self.answer(status), Self.facts(now: 30 * day - 1), gate: &gate).state
        #expect(younger != .exhausted)
    }

    @Test("What the engine itself stopped is due at once and leaves no trace")
    func interrupted() {
        var gate = OriginGate()
        let verdict = Self.verdict(.noAnswer(.interrupted), gate: &gate)
        #expect(verdict == Verdict(.waiting, reason: .waiting(.interrupted), due: 1_000))
        #expect(gate == OriginGate())
    }

    @Test("A body that cannot be sent, or a request nobody knows, is not the origin's fault")
    func ownFaults() {
        var gate = OriginGate()
        #expect(Self.verdict(.noAnswer(.unsendable("changed")), gate: &gate).state == .rejected)
        let withheld = Self.verdict(.noAnswer(.withheld("nobody knows it")), gate: &gate)
        #expect(withheld == Verdict(.held, reason: .held(.caller)))
        #expect(gate == OriginGate())
    }

    @Test("A 2xx that names a time is a delivery, and nothing more goes there before then", arguments: [200, 202, 204])
    func deliveredWithATime(status: Int) {
        for seed in 0..<50 as Range<UInt64> {
            var gate = OriginGate(failures: 4)
            let verdict = Self.verdict(Self.answer(status, retryAfter: 60_000), gate: &gate, seed: seed)
            #expect(verdict == Verdict(.delivered))
            #expect((61_000...91_000).contains(gate.opensAt ?? 0))
            // The server is well: it has failed nothing, and is sent to as before afterwards.
            #expect(gate.failures == 0)
            #expect(gate.window == OriginGate.initialWindow + 1)
        }
        var gate = OriginGate()
        #expect(Self.verdict(Self.answer(status, retryAfter: 0), gate: &gate).state == .delivered)
        #expect(gate.closure == nil)
        // What the server asked for is kept by a later answer that asks for less.
        gate = OriginGate(closure: .asked(until: 500_000))
        #expect(Self.verdict(Self.answer(status, retryAfter: 1_000), gate: &gate).state == .delivered)
        #expect(gate.closure == .asked(until: 500_000))
    }

    @Test("A part that was taken with a wish to wait leaves the transfer waiting, uncharged, and the origin at rest")
    func postponed() {
        var gate = OriginGate()
        for _ in 0..<20 {
            let verdict = Self.verdict(.postponed(status: 202, retryAfter: 10_000), gate: &gate)
            #expect(verdict.state == .waiting && verdict.reason == .waiting(.retryAfter))
            #expect(!verdict.isCharged && gate.failures == 0)
            // However often: a part that was taken is no failure, and the waits do not grow.
            #expect((11_000...12_000).contains(verdict.due ?? 0))
            #expect(gate.opensAt == verdict.due)
            gate = OriginGate(failures: gate.failures)
        }
    }

    @Test(
        "This machine's own trouble is charged to nobody, and is waited for longer each time",
        arguments: [
            (NoAnswer.localTrouble("too many open files"), TransferReason.waiting(.local)),
            (.unprepared("the headers could not be had"), .waiting(.headers)),
        ])
    func ownTrouble(trouble: NoAnswer, reason: TransferReason) {
        var gate = OriginGate(accepted: 9)
        for failures in 0..<40 {
            // Neither the age nor what others were accepted meanwhile makes it the transfer's fault.
            let facts = Self.facts(now: 90 * 86_400_000, charged: 11, failures: failures, mark: 3)
            let verdict = Self.verdict(.noAnswer(trouble), facts, gate: &gate, seed: UInt64(failures))
            let longest = min(3_600_000, Int64(5_000) << Int64(min(failures, 20)))
            #expect(verdict.state == .waiting && verdict.reason == reason && !verdict.isCharged)
            #expect(verdict.note == trouble.text)
            #expect(verdict.failures == failures + 1)
            #expect((longest / 2...longest).contains((verdict.due ?? 0) - facts.now))
        }
        #expect(gate == OriginGate(accepted: 9))
    }

    @Test("A read that fails is tried again, at the transfer's own charge, and not for ever")
    func failedReads() {
        var gate = OriginGate()
        let first = Self.verdict(.noAnswer(.failedRead("input/output error")), gate: &gate)
        #expect(first.state == .waiting)
        #expect(first.isCharged)
        let last = Self.verdict(.noAnswer(.failedRead("input/output error")), Self.facts(charged: 11), gate: &gate)
        #expect(last.state == .exhausted)
        #expect(last.note == "failed 12 times to be read")
        #expect(gate == OriginGate())
    }

    @Test("A success opens a closed gate and says so")
    func reopening() {
        var gate = OriginGate()
        gate.hold(.auth, at: 0)
        #expect(Self.verdict(Self.answer(200), gate: &gate).reopensOrigin)
        #expect(gate.closure == nil)
        #expect(!Self.verdict(Self.answer(200), gate: &gate).reopensOrigin)
    }

    @Test("A transfer that may have arrived rests, whatever else is accepted, and is charged to nobody")
    func unanswered() {
        for hasAccepted in [false, true] {
            var gate = OriginGate(accepted: hasAccepted ? 1 : 0)
            var failure = TransportFailure("no answer in time", didConnect: true, bytesSent: 5)
            let plain = Self.verdict(.noAnswer(.failure(failure)), gate: &gate)
            #expect((plain.due ?? 0) < 60_000)
            gate = OriginGate(accepted: hasAccepted ? 1 : 0)
            failure.rest = 60_000
            let resting = Self.verdict(.noAnswer(.failure(failure)), gate: &gate)
            #expect(resting.state == .waiting)
            #expect(resting.due == 61_000)
            // Only what waits as unreachable is woken by another delivery.
            #expect(resting.reason == .waiting(hasAccepted ? .failing : .unanswered))
            #expect(resting.isCharged == hasAccepted)
            #expect((gate.opensAt ?? 0) < 60_000, "the others need not wait as long")
        }
    }

    @Test("A rest that an answer leaves behind counts for what waits and what is held, and for nothing else")
    func restAfterAnswers() {
        let day: Int64 = 86_400_000
        func verdict(_ status: Int, _ disposition: ResponseDisposition? = nil, rest: Int64?) -> Verdict {
            guard case .answer(var judgement) = Self.answer(status) else { return Verdict(.removed) }
            judgement.disposition = disposition ?? judgement.disposition
            judgement.rest = rest
            var gate = OriginGate()
            return Self.verdict(.answer(judgement), gate: &gate)
        }
        let held = verdict(200, .hold(.acknowledgement), rest: day)
        #expect(held.reason == .held(.acknowledgement))
        #expect(held.due == 1_000 + day + 2 * OriginGate.probeInterval)
        #expect(verdict(200, .hold(.acknowledgement), rest: nil).due == 1_000 + OriginGate.probeInterval)
        let lost = verdict(504, rest: 60_000)
        #expect(lost.reason == .waiting(.unanswered) && lost.due == 61_000 && !lost.isCharged)
        #expect(verdict(200, rest: day) == verdict(200, rest: nil))
        #expect(verdict(404, .rejected, rest: day) == verdict(404, .rejected, rest: nil))
        // A closed gate says by itself when it is probed.
        #expect(verdict(401, rest: day).due == nil)
    }

    @Test("An attempt that was stopped when all had been sent is nobody's failure, and rests")
    func stoppedLate() {
        var gate = OriginGate()
        var failure = TransportFailure("interrupted", didConnect: true, bytesSent: 5)
        failure.rest = 60_000
        failure.isInterruption = true
        let verdict = Self.verdict(.noAnswer(.failure(failure)), gate: &gate)
        #expect(verdict.reason == .waiting(.unanswered) && verdict.due == 61_000 && !verdict.isCharged)
        #expect(gate == OriginGate())
        #expect(!NoAnswer.failure(failure).concernsOrigin)
    }

    @Test("A rest is no reason to go on with a transfer that is too old, and the longer wait counts")
    func unansweredForLong() {
        var gate = OriginGate(failures: 12)
        var failure = TransportFailure("no answer in time", didConnect: true, bytesSent: 5)
        failure.rest = 60_000
        let resting = Self.verdict(.noAnswer(.failure(failure)), gate: &gate)
        #expect((resting.due ?? 0) > 1_000_000)
        #expect(resting.reason == .waiting(.unanswered))
        gate = OriginGate()
        let month: Int64 = 30 * 86_400_000
        #expect(Self.verdict(.noAnswer(.failure(failure)), Self.facts(now: month), gate: &gate).state == .exhausted)
    }
}
