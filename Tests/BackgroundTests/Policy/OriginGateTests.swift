import Background
import TestSupport
import Testing

struct OriginGateTests {
    private static func failed(_ gate: inout OriginGate, at now: Int64, sentBytes: Bool = false) {
        gate.failed(startedAt: now, at: now, sentBytes: sentBytes) { 1_000 << Int64($0) }
    }

    @Test("An open gate lets through what its window has room for")
    func window() {
        let gate = OriginGate()
        #expect(gate.allowance(at: 0, inFlight: 0, maximum: 16) == OriginGate.initialWindow)
        #expect(gate.allowance(at: 0, inFlight: 3, maximum: 16) == 1)
        #expect(gate.allowance(at: 0, inFlight: 9, maximum: 16) == 0)
        #expect(gate.allowance(at: 0, inFlight: 0, maximum: 2) == 2)
    }

    @Test("The window grows with each success up to its maximum")
    func growth() {
        var gate = OriginGate()
        for count in 1...30 {
            _ = gate.acceptedOne(at: 0, maximumWindow: 16)
            #expect(gate.window == min(16, OriginGate.initialWindow + count))
        }
        #expect(gate.accepted == 30)
    }

    @Test("A failure closes the gate until its time; then one probe may go, and its success opens it")
    func backingOff() {
        var gate = OriginGate()
        Self.failed(&gate, at: 100)
        #expect(gate.closure == .backingOff(until: 2_100))
        #expect(gate.allowance(at: 2_099, inFlight: 0, maximum: 16) == 0)
        #expect(gate.allowance(at: 2_100, inFlight: 0, maximum: 16) == 1)
        #expect(gate.allowance(at: 2_100, inFlight: 1, maximum: 16) == 0)
        gate.started(at: 2_100)
        let hasOpened = gate.acceptedOne(at: 2_200, maximumWindow: 16)
        #expect(hasOpened)
        #expect(gate.closure == nil)
        #expect(gate.failures == 0)
        #expect(gate.window == 2)
    }

    @Test("A rest that a server wishes closes the gate until then, and nothing opens it earlier")
    func rest() {
        var gate = OriginGate(window: 9)
        #expect(gate.rest(until: 5_000, at: 100) == 5_000)
        // A later wish for less does not shorten it.
        #expect(gate.rest(until: 3_000, at: 200) == 5_000)
        gate.allowExplicitProbe()
        #expect(gate.allowance(at: 4_999, inFlight: 0, maximum: 16) == 0)
        #expect(gate.allowance(at: 5_000, inFlight: 0, maximum: 16) == 1)
        let hasOpened = gate.acceptedOne(at: 5_000, maximumWindow: 16)
        #expect(hasOpened)
        #expect(gate.window == 9 && gate.failures == 0)
    }

    @Test("Attempts that were under way when the gate closed are the same failure")
    func sameFailure() {
        var gate = OriginGate()
        for _ in 0..<4 { gate.failed(startedAt: 50, at: 100, sentBytes: false) { 1_000 << Int64($0) } }
        #expect(gate.failures == 1)
        #expect(gate.opensAt == 2_100)
    }

    @Test("A transfer that failed after its bytes left gets one second opinion, by another that is due")
    func secondOpinion() {
        var gate = OriginGate()
        Self.failed(&gate, at: 0, sentBytes: true)
        #expect(gate.allowance(at: 1, inFlight: 0, maximum: 16) == 1)
        #expect(!gate.mayProbeWithOthers(at: 1))
        gate.started(at: 1)
        #expect(gate.allowance(at: 1, inFlight: 0, maximum: 16) == 0)
        gate.failed(startedAt: 1, at: 1, sentBytes: true) { _ in 10_000 }
        #expect(gate.allowance(at: 2, inFlight: 0, maximum: 16) == 0, "only after the first failure")
    }

    @Test("Somebody who asks gets one probe of a gate closed by failure or for a reason, none of one the server closed")
    func explicitProbe() {
        var failing = OriginGate()
        Self.failed(&failing, at: 0)
        var held = OriginGate()
        held.hold(.auth, at: 0)
        var asked = OriginGate()
        _ = asked.asked(startedAt: 0, at: 0) { _ in 60_000 }
        for (gate, count) in [(failing, 1), (held, 1), (asked, 0)] {
            var gate = gate
            #expect(gate.allowance(at: 1, inFlight: 0, maximum: 16) == 0)
            gate.allowExplicitProbe()
            #expect(gate.allowance(at: 1, inFlight: 0, maximum: 16) == count)
            gate.started(at: 1)
            #expect(gate.allowance(at: 1, inFlight: 0, maximum: 16) == 0)
        }
    }

    @Test("A held gate is probed each hour")
    func hourly() {
        var gate = OriginGate()
        gate.hold(.tls, at: 0)
        for hour in 1...3 as ClosedRange<Int64> {
            let now = hour * OriginGate.probeInterval
            #expect(gate.allowance(at: now - 1, inFlight: 0, maximum: 16) == 0)
            #expect(gate.allowance(at: now, inFlight: 0, maximum: 16) == 1)
            gate.started(at: now)
        }
    }

    @Test("A failure after the server's time has passed closes the gate anew")
    func failureAfterAsked() {
        var gate = OriginGate()
        _ = gate.asked(startedAt: 0, at: 0) { _ in 1_000 }
        gate.failed(startedAt: 0, at: 500, sentBytes: false) { _ in 5_000 }
        #expect(gate.opensAt == 1_000, "a time the server named stands")
        gate.failed(startedAt: 1_000, at: 1_001, sentBytes: false) { _ in 5_000 }
        #expect(gate.opensAt == 6_001)
    }

    @Test("An early success does not take back the time the server named")
    func successWhileAsked() {
        var gate = OriginGate()
        _ = gate.asked(startedAt: 0, at: 0) { _ in 1_000 }
        let opensEarly = gate.acceptedOne(at: 500, maximumWindow: 16)
        #expect(!opensEarly)
        #expect(gate.allowance(at: 999, inFlight: 0, maximum: 16) == 0)
        let opens = gate.acceptedOne(at: 1_000, maximumWindow: 16)
        #expect(opens)
    }

    @Test("Of several times the server named the last one counts")
    func latestTime() {
        var gate = OriginGate()
        var times = [gate.asked(startedAt: 0, at: 0) { _ in 10_000 }]
        times.append(gate.asked(startedAt: 0, at: 5) { _ in 1_000 })
        times.append(gate.asked(startedAt: 0, at: 9) { _ in 20_000 })
        #expect(times == [10_000, 10_000, 20_009])
    }

    @Test(
        "Under random events a gate never overtakes its window, its times or its limits",
        arguments: 0..<50 as Range<UInt64>)
    func properties(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var gate = OriginGate()
        var now: Int64 = 0
        var askedUntil: Int64 = 0
        for _ in 0..<400 {
            now += Int64.random(in: 0...3_000, using: &generator)
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: _ = gate.acceptedOne(at: now, maximumWindow: 16)
            case 1: gate.failed(startedAt: now, at: now, sentBytes: .random(using: &generator)) { _ in 4_000 }
            case 2: askedUntil = gate.asked(startedAt: now, at: now) { _ in 6_000 }
            case 3: gate.hold(.auth, at: now)
            case 4: _ = gate.rejectedOne(at: now)
            case 5: gate.refusedOne(.forbidden, at: now)
            case 6: gate.allowExplicitProbe()
            default: gate.started(at: now)
            }
            let inFlight = Int.random(in: 0...20, using: &generator)
            let allowance = gate.allowance(at: now, inFlight: inFlight, maximum: 16)
            #expect((1...16).contains(gate.window))
            #expect(allowance >= 0 && allowance + inFlight <= max(16, inFlight))
            if now < askedUntil { #expect(allowance == 0, "never earlier than asked") }
            if gate.closure != nil { #expect(allowance <= 1) }
        }
    }
}
