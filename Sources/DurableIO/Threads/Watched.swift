import Synchronization

/// A state that tasks wait for: it is changed under a lock, and each change lets the tasks go on whose condition it
/// fulfils.
///
/// A wait also ends when its task is cancelled. Nothing of this outlives the process, and nothing has to.
package final class Watched<State: Sendable>: Sendable {
    private struct Waiter {
        let isReady: @Sendable (State) -> Bool
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct Contents {
        var state: State
        var waiters: [Int: Waiter] = [:]
        var lastNumber = 0
    }
    private let contents: Mutex<Contents>

    package init(_ state: State) {
        contents = Mutex(Contents(state: state))
    }

    package var state: State { contents.withLock(\.state) }

    /// Never waits for a task.
    package func change(_ body: (inout State) -> Void) {
        let ready = contents.withLock { contents in
            body(&contents.state)
            let numbers = contents.waiters.filter { $0.value.isReady(contents.state) }.keys
            return numbers.compactMap { contents.waiters.removeValue(forKey: $0)?.continuation }
        }
        for continuation in ready { continuation.resume() }
    }

    /// Returns when the state fulfils the condition, or the task is cancelled.
    /// - Parameter isReady: the condition; asked under the lock.
    package func wait(until isReady: @escaping @Sendable (State) -> Bool) async {
        let number = contents.withLock { contents in
            contents.lastNumber += 1
            return contents.lastNumber
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = contents.withLock { contents in
                    // When the task was cancelled earlier, its cancellation handler has already run and found no
                    // waiter.
                    if isReady(contents.state) || Task.isCancelled { return true }
                    contents.waiters[number] = Waiter(isReady: isReady, continuation: continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            contents.withLock { $0.waiters.removeValue(forKey: number) }?.continuation.resume()
        }
    }

    /// Returns when the state fulfils the condition, a sleep has ended, or the task is cancelled.
    package func wait(
        until isReady: @escaping @Sendable (State) -> Bool, orUntilEndOf sleep: @escaping @Sendable () async -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(until: isReady) }
            group.addTask { await sleep() }
            await group.next()
            group.cancelAll()
        }
    }
}
