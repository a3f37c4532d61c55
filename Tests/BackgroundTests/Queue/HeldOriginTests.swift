import Background
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct HeldOriginTests {
    @Test("Wrong credentials cost one probe per explicit drive, park nothing, and a success releases all")
    func unauthorized() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(401) }
            let queue = try harness.open()
            try await queue.add(names(1_000))
            try await queue.drive(.whileDue, isExplicit: true)
            let first = harness.transport.sent.count
            #expect((1...OriginGate.initialWindow).contains(first))
            #expect(try harness.gate().holdReason == .auth)
            #expect(try harness.records().allSatisfy { $0.state.isLive && $0.charged == 0 })

            for drive in 1...3 {
                try await queue.drive(.whileDue, isExplicit: true)
                #expect(harness.transport.sent.count == first + drive)
            }
            try await queue.drive(.whileDue, isExplicit: false)
            #expect(harness.transport.sent.count == first + 3)

            harness.transport.answer { _ in .status(204) }
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(try harness.count(.delivered) == 1_000)
            #expect(harness.transport.sent.count == first + 3 + 1_000)
        }
    }

    @Test("A held gate is probed hourly, also when nothing but held transfers lie behind it", arguments: [1, 20])
    func hourlyProbe(count: Int) async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(401) }
            let queue = try harness.open()
            try await queue.add(names(count))
            let start = harness.clock.bootMilliseconds
            let drive = Task { try await queue.drive(.waiting(until: nil), isExplicit: true) }
            await harness.clock.waitForSleeper(until: start + 3_600_000)
            let sent = harness.transport.sent.count
            harness.transport.answer { _ in .status(200) }
            harness.clock.advance(by: 3_600_000)
            await harness.transport.waitForSent(count: sent + count)
            drive.cancel()
            try? await drive.value
            #expect(harness.transport.sent.dropFirst(sent).first?.boot == start + 3_600_000)
        }
    }

    @Test(
        "What only a person can mend holds the transfer and closes the gate",
        arguments: [
            (301, "redirect"), (308, "redirect"), (401, "auth"), (407, "auth"), (415, "encoding"), (511, "portal"),
        ])
    func reasons(status: Int, reason: String) async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(status) }
            let queue = try harness.open()
            try await queue.add(["a"])
            try await queue.drive(.whileDue, isExplicit: true)
            let record = try #require(try harness.record("a"))
            #expect(record.state == .held)
            #expect(record.reason?.rawValue == reason)
            #expect(try harness.gate().holdReason?.rawValue == reason)
        }
    }

    @Test("A login page in the way is not a delivery")
    func portal() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in
                guard case .answer(var answer) = TransportResult.status(200, headers: [("Content-Type", "text/html")])
                else { return .refused }
                answer.isLoopback = false
                return .answer(answer)
            }
            let queue = try harness.open()
            try await queue.add(["a"])
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(try harness.record("a")?.reason == .held(.portal))
        }
    }

    @Test("A certificate that cannot be verified holds the transfer and closes the gate")
    func untrusted() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in
                .noAnswer(.untrusted("the certificate has expired"))
            }
            let queue = try harness.open()
            try await queue.add(names(10))
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(harness.transport.sent.count <= OriginGate.initialWindow)
            #expect(try harness.gate().holdReason == .tls)
            #expect(try harness.count(.rejected) == 0)
        }
    }

    @Test("A rejection parks the one transfer with what the server said")
    func rejected() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { sent in
                sent.name == "t1" ? .status(400, text: "no such field") : .status(200)
            }
            let queue = try harness.open()
            try await queue.add(names(10))
            try await queue.drive(.whileDue, isExplicit: true)
            let record = try #require(try harness.record("t1"))
            #expect(record.state == .rejected)
            #expect(record.receipt == "no such field")
            #expect(record.lastStatus == 400)
            #expect(try harness.count(.delivered) == 9)
        }
    }

    @Test("Five rejections in a row without a success close the gate, and park no more")
    func rejecting() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { _ in .status(404) }
            let queue = try harness.open { $0.policy.maximumWindow = 1 }
            try await queue.add(names(100))
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(try harness.count(.rejected) == 5)
            #expect(try harness.gate().holdReason == .rejecting)
            #expect(harness.transport.sent.count == 5)

            try await queue.drive(.whileDue, isExplicit: true)
            #expect(harness.transport.sent.count == 6)
            #expect(try harness.count(.rejected) == 5, "a probe that is rejected is held, not parked")

            harness.transport.answer { _ in .status(200) }
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(try harness.count(.delivered) == 95)
        }
    }

    @Test("403 holds the one transfer; five in a row close the gate")
    func forbidden() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { $0.name == "t1" ? .status(403) : .status(200) }
            let queue = try harness.open { $0.policy.maximumWindow = 1 }
            try await queue.add(names(10))
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(try harness.record("t1")?.reason == .held(.forbidden))
            #expect(try harness.gate().closure == nil)
            #expect(try harness.count(.delivered) == 9)

            harness.transport.answer { _ in .status(403) }
            try await queue.add((0..<20).map { "later\($0)" })
            let before = harness.transport.sent.count
            try await queue.drive(.whileDue, isExplicit: false)
            #expect(harness.transport.sent.count - before == 5)
            #expect(try harness.gate().holdReason == .forbidden)
            #expect(try harness.count(.rejected) == 0)
        }
    }

    @Test("409 makes the transfer wait and leaves its origin alone")
    func conflict() async throws {
        try await withTemporaryDirectory { directory in
            let harness = try QueueHarness(directory: directory) { sent in
                sent.name == "t0" ? .status(409) : .status(200)
            }
            let queue = try harness.open()
            try await queue.add(names(10))
            try await queue.drive(.whileDue, isExplicit: true)
            #expect(try harness.record("t0")?.state == .waiting)
            #expect(try harness.gate().closure == nil)
            #expect(try harness.count(.delivered) == 9)
            harness.transport.answer { _ in .status(200) }
            try await queue.work(until: .max, harness.clock)
            #expect(try harness.count(.delivered) == 10)
        }
    }

    @Test("A time the server named is not forgotten because another answer holds the gate")
    func askedBeatsHeld() {
        var gate = OriginGate()
        _ = gate.asked(startedAt: 0, at: 0) { _ in 10_000 }
        gate.hold(.auth, at: 1)
        gate.allowExplicitProbe()
        #expect(gate.allowance(at: 9_999, inFlight: 0, maximum: 16) == 0)
        #expect(gate.allowance(at: 10_000, inFlight: 0, maximum: 16) == 1)
    }
}
