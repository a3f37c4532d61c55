import Background
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct ComingAnewTests {
    @Test("A transfer that comes anew while its old bytes are being sent is sent again, after them and for itself")
    func comingAnew() async throws {
        try await withTemporaryDirectory { directory in
            let oldBytes = Gate()
            let wasBeside = Monitor(false)
            let harness = try QueueHarness(directory: directory) { sent in
                guard sent.name == "a" else { return .status(200) }
                if sent.index > 0 { wasBeside.withLock { $0 = !oldBytes.isOpen } }
                await oldBytes.wait()
                return .status(sent.index == 0 ? 400 : 200)
            }
            let queue = try harness.open()
            try await queue.add(["a"])
            let drive = Task { try await queue.drive(.whileDue, isExplicit: true) }
            await harness.transport.waitForSent(count: 1)
            try await queue.change { store in
                for name in ["a", "b"] {
                    let transfer = NewTransfer(
                        identifier: name, label: "crash", metadata: "{}", byteCount: 6, seenWall: 0)
                    if name == "a" { try store.revive(transfer) } else { try store.insert(transfer) }
                }
            }
            // The turn that claims one sees the other.
            await harness.transport.waitForSent(count: 2)
            oldBytes.open()
            try await drive.value
            #expect(!wasBeside.value)
            #expect(harness.transport.sent.count { $0.name == "a" } == 2)
            let record = try #require(try harness.record("a"))
            #expect(record.state == .delivered)
            #expect(record.attempts == 2)
            #expect(harness.client.commits.joined().map(\.verdict.state) == [.delivered, .delivered])
            try await queue.close()
        }
    }
}
