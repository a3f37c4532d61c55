import DurableIO
import TestSupport
import Testing

@Suite("Slots for payloads", .timeLimit(.minutes(5)))
struct PayloadSlotsTests {
    private static let large: UInt64 = 1 << 30

    /// A second payload would have to wait: its wait ends with its task.
    private func expectOneFree(_ slots: PayloadSlots) async throws {
        let one = try await slots.slot(for: Self.large)
        let other = Task {
            let slot = try await slots.slot(for: Self.large)
            slot.pause()
        }
        other.cancel()
        await #expect(throws: CancellationError.self) { try await other.value }
        one.pause()
    }

    @Test("no more payloads are worked on at once than there are slots")
    func bound() async throws {
        let slots = PayloadSlots(count: 2)
        let working = Monitor((now: 0, most: 0))
        try await withThrowingTaskGroup { group in
            for _ in 0..<50 {
                group.addTask {
                    let slot = try await slots.slot(for: Self.large)
                    working.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                    await Task.yield()
                    working.withLock { $0.now -= 1 }
                    slot.pause()
                }
            }
            try await group.waitForAll()
        }
        #expect(working.value.most <= 2)
    }

    @Test("a small payload goes between two blocks of a large one, which then goes on")
    func smallOneFirst() async throws {
        let slots = PayloadSlots(count: 1)
        let isDone = Monitor(false)
        do {
            let slot = try await slots.slot(for: Self.large)
            let small = Task {
                let slot = try await slots.slot(for: 4_096)
                isDone.withLock { $0 = true }
                slot.pause()
            }
            // A pause blocks its thread, which must not be one of those that the other tests need.
            await OwnThreads.run {
                while !isDone.value {
                    await Task.yield()
                    slot.pause()
                }
            }
            try await small.value
        }
        // It had its slot back, and has given it back.
        let next = try await slots.slot(for: Self.large)
        next.pause()
    }

    @Test("where there is one thread for both, the large payload goes on, and no slot comes of it")
    func singleThread() async throws {
        let threads = OwnThreads(limit: 1)
        let slots = PayloadSlots(count: 1)
        let isDone = Monitor(false)
        let small = Task(executorPreference: threads) {
            try await withTaskExecutorPreference(threads) {
                let slot = try await slots.slot(for: Self.large)
                let small = Task(executorPreference: threads) {
                    let slot = try await slots.slot(for: 4_096)
                    isDone.withLock { $0 = true }
                    slot.pause()
                }
                while !isDone.value {
                    await Task.yield()
                    slot.pause()
                }
                return small
            }
        }
        try await small.value.value
        try await expectOneFree(slots)
    }

    @Test("while the slots stand still, a payload that waits goes on without one, and no slot comes of it")
    func stillStanding() async throws {
        let slots = PayloadSlots(count: 1)
        do {
            let stalled = try await slots.slot(for: Self.large)
            // Nothing pauses: the first payload waits for its disk.
            let other = try await slots.slot(for: Self.large)
            let third = try await slots.slot(for: 4_096)
            third.pause()
            other.pause()
            stalled.pause()
        }
        try await expectOneFree(slots)
    }

    @Test("an owner's drop goes between two blocks of another large payload")
    func ownerFirst() async throws {
        let slots = PayloadSlots(count: 1)
        let isDone = Monitor(false)
        let slot = try await slots.slot(for: Self.large)
        let drop = Task {
            let slot = try await slots.slot(for: Self.large, goesFirst: true)
            isDone.withLock { $0 = true }
            slot.pause()
        }
        await OwnThreads.run {
            while !isDone.value {
                await Task.yield()
                slot.pause()
            }
        }
        try await drop.value
    }

    @Test("a wait ends with its task, but for that of a small payload")
    func cancellation() async throws {
        let slots = PayloadSlots(count: 1)
        let small: Task<Void, any Error>
        do {
            let slot = try await slots.slot(for: nil)
            small = Task {
                let slot = try await slots.slot(for: 4_096)
                slot.pause()
            }
            let large = Task {
                let slot = try await slots.slot(for: nil)
                slot.pause()
            }
            large.cancel()
            small.cancel()
            await #expect(throws: CancellationError.self) { try await large.value }
            await OwnThreads.run { slot.pause() }
        }
        try await small.value
    }
}
