import NIOCore

/// Runs tasks on an event loop's thread.
///
/// A request that is one buffer has nothing to do between its steps but wait for the loop: on the loop itself each step
/// follows the last one, without another thread to be woken.
final class LoopExecutor: TaskExecutor {
    let loop: any EventLoop

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
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
