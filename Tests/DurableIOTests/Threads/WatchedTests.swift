import DurableIO
import Testing

@Suite("States that tasks wait for", .timeLimit(.minutes(1)))
struct WatchedTests {
    @Test("a wait ends at the change that fulfils its condition, and not before")
    func conditions() async {
        let number = Watched(0)
        await withTaskGroup(of: Int.self) { group in
            for least in 1...100 {
                group.addTask {
                    await number.wait { $0 >= least }
                    return number.state - least
                }
            }
            for _ in 1...100 {
                await Task.yield()
                number.change { $0 += 1 }
            }
            for await surplus in group { #expect(surplus >= 0) }
        }
        await number.wait { $0 == 100 }
    }

    @Test("a cancelled task waits for nothing, whether it is cancelled before its wait or in it")
    func cancelled() async {
        let never = Watched(false)
        for yields in 0..<20 {
            let task = Task { await never.wait { $0 } }
            for _ in 0..<yields { await Task.yield() }
            task.cancel()
            await task.value
        }
        // Nothing of theirs is left to be resumed once more.
        never.change { $0 = true }
        await never.wait { $0 }
    }

    @Test("a wait ends with its sleep, and the sleep with the wait")
    func sleeps() async {
        let flag = Watched(false)
        await flag.wait {
            $0
        } orUntilEndOf: {
        }
        #expect(!flag.state)
        let wasCancelled = Watched(false)
        async let wait: Void = flag.wait {
            $0
        } orUntilEndOf: {
            // Longer than the test may take.
            do { try await Task.sleep(for: .seconds(3_600)) } catch { wasCancelled.change { $0 = true } }
        }
        flag.change { $0 = true }
        await wait
        #expect(wasCancelled.state)
    }
}
