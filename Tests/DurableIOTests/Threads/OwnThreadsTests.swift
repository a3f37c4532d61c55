import Dispatch
import DurableIO
import TestSupport
import Testing

@Suite("The package's own threads", .timeLimit(.minutes(5)))
struct OwnThreadsTests {
    @Test("none is started before there is work, and each ends when there has been none for a while")
    func lifetime() async {
        let threads = OwnThreads(limit: 2, idleSeconds: 0)
        #expect(threads.count == 0)
        let count = await withTaskExecutorPreference(threads) { threads.count }
        #expect(count == 1)
        while threads.count > 0 { await Task.yield() }
    }

    @Test("a job that blocks its thread does not keep the next one waiting")
    func blocking() async {
        let threads = OwnThreads(limit: 2)
        let (first, second) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        await withTaskGroup { group in
            group.addTask(executorPreference: threads) { Self.meet(opening: first, waitingFor: second) }
            group.addTask(executorPreference: threads) { Self.meet(opening: second, waitingFor: first) }
        }
        #expect(threads.count == 2)
    }

    private static func meet(opening mine: DispatchSemaphore, waitingFor other: DispatchSemaphore) {
        mine.signal()
        other.wait()
    }

    @Test("there are never more of them than the limit")
    func limit() async {
        let threads = OwnThreads(limit: 3)
        await withTaskGroup { group in
            for _ in 0..<1_000 { group.addTask(executorPreference: threads) { await Task.yield() } }
        }
        #expect((1...3).contains(threads.count))
    }

    @Test("child tasks and actors follow a task onto them; a task of its own does when it names the current ones")
    func following() async {
        actor Counter {
            var thread: String { ThreadLog.current }
        }
        #expect(OwnThreads.current == nil)
        let counter = Counter()
        await OwnThreads.run {
            #expect(OwnThreads.current != nil)
            #expect(ThreadLog.current == OwnThreads.name)
            #expect(await counter.thread == OwnThreads.name)
            async let child = ThreadLog.current
            #expect(await child == OwnThreads.name)
            #expect(await Task(executorPreference: OwnThreads.current) { ThreadLog.current }.value == OwnThreads.name)
        }
        #expect(ThreadLog.current != OwnThreads.name)
    }
}
