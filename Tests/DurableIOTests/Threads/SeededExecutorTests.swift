import DurableIO
import TestSupport
import Testing

@Suite("An executor of tests that a seed drives")
struct SeededExecutorTests {
    /// The steps of three tasks, in the order in which a seed lets them go on. Each gives way in the middle of a
    /// function.
    private func order(seed: UInt64) async -> [String] {
        let steps = Monitor<[String]>([])
        let executor = SeededExecutor(seed: seed) { false }
        await interleaving(on: executor) {
            await withTaskGroup(of: Void.self) { group in
                for task in ["a", "b", "c"] {
                    group.addTask { [steps] in
                        for number in 0..<4 {
                            steps.withLock { $0.append("\(task)\(number)") }
                            executor.giveWay()
                        }
                    }
                }
            }
        }
        return steps.value
    }

    @Test("the same seed gives the same order, and others give others")
    func seeds() async {
        var orders: Set<[String]> = []
        for seed in 0..<8 as Range<UInt64> {
            let order = await order(seed: seed)
            #expect(order.count == 12)
            #expect(await self.order(seed: seed) == order)
            orders.insert(order)
        }
        #expect(orders.count > 4)
    }

    @Test("when nothing can go on, time passes, and one thing runs at a time")
    func time() async throws {
        let clock = ManualClock()
        let inside = Monitor(0)
        let most = Monitor(0)
        let executor = SeededExecutor(seed: 1) {
            guard let wake = clock.nextWake else { return false }
            clock.advance(by: wake - clock.bootMilliseconds)
            return true
        }
        let start = clock.bootMilliseconds
        try await interleaving(on: executor) {
            try await withThrowingDiscardingTaskGroup { group in
                for number in 1...3 {
                    group.addTask {
                        try await clock.sleep(milliseconds: Int64(number) * 1_000)
                        let count = inside.withLock { inside in
                            inside += 1
                            return inside
                        }
                        most.withLock { $0 = max($0, count) }
                        inside.withLock { $0 -= 1 }
                    }
                }
            }
        }
        #expect(clock.bootMilliseconds == start + 3_000)
        #expect(most.value == 1)
    }

    @Test("it stands in for the package's own threads")
    func standsIn() async {
        let executor = SeededExecutor(seed: 1) { false }
        #expect(OwnThreads.current == nil)
        await interleaving(on: executor) {
            #expect(OwnThreads.current != nil)
            let thread = await OwnThreads.run { ThreadLog.current }
            #expect(thread != OwnThreads.name)
            let turns = executor.turnCount
            await Task(executorPreference: OwnThreads.current) {}.value
            #expect(executor.turnCount > turns)
        }
        #expect(OwnThreads.current == nil)
    }
}
