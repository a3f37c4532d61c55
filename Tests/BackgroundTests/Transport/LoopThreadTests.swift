import DurableIO
import Testing

@testable import Background

@Suite("The event-loop thread of a run", .timeLimit(.minutes(2)))
struct LoopThreadTests {
    @Test("a task that comes to the thread after its end runs elsewhere, so that nobody waits for it for ever")
    func lateTask() async throws {
        let thread = LoopThread()
        let executor = try #require(thread.executor)
        let isOnLoop = Watched<Bool?>(nil)
        Task(executorPreference: executor) { isOnLoop.change { $0 = executor.loop.inEventLoop } }
        await Self.wait(for: isOnLoop)
        #expect(isOnLoop.state == true)

        await thread.shutdown()
        #expect(thread.executor == nil)
        let isLateOnLoop = Watched<Bool?>(nil)
        Task(executorPreference: executor) { isLateOnLoop.change { $0 = executor.loop.inEventLoop } }
        await Self.wait(for: isLateOnLoop)
        #expect(isLateOnLoop.state == false)
    }

    private static func wait(for value: Watched<Bool?>) async {
        await value.wait {
            $0 != nil
        } orUntilEndOf: {
            try? await Task.sleep(for: .seconds(60), clock: .continuous)
        }
    }
}
