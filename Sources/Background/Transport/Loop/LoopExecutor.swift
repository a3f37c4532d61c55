import NIOCore
import Synchronization

/// Runs tasks on an event loop's thread.
///
/// A request that is one buffer has nothing to do between its steps but wait for the loop: on the loop itself each step
/// follows the last one, without another thread to be woken.
final class LoopExecutor: TaskExecutor {
    let loop: any EventLoop
    private let isClosed = Mutex(false)

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // A loop takes jobs between its last turn and its end, and after it, and never runs them: whoever waits for such
        // a task would wait for ever. What comes too late is done elsewhere.
        let isAccepted = isClosed.withLock { isClosed in
            guard !isClosed else { return false }
            loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
            return true
        }
        if !isAccepted { globalConcurrentExecutor.enqueue(ExecutorJob(job)) }
    }

    /// From now on jobs go elsewhere. To be called before the loop is told to end: it still runs what it has.
    func close() {
        isClosed.withLock { $0 = true }
    }

    /// Runs a body on the loop and cancels it when its time is over, by a timer of the loop's: thousands of them are
    /// started in a second, and hardly one ever comes to its end.
    /// - Returns: what the body returns; `nil` when it threw because its time was over.
    func run<Result: Sendable>(
        forAtMost time: TimeAmount, _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result? {
        let task = Task(executorPreference: self) { try await body() }
        let timer = loop.scheduleTask(in: time) { task.cancel() }
        defer { timer.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            guard task.isCancelled, !Task.isCancelled else { throw error }
            return nil
        }
    }
}
