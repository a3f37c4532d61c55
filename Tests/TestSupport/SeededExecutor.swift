import Dispatch
import DurableIO
import Glibc
import Synchronization

/// An executor on which one job runs at a time, and a seed says which one goes on.
///
/// A job goes on until it ends, suspends its task, or calls ``giveWay()``, which it may do in the middle of a function
/// that is not asynchronous. So each seed is an interleaving of everything that runs here, as threads of a busy machine
/// might give. Each job has a thread for as long as it runs. A job that gives way must not hold a lock that another one
/// wants.
package final class SeededExecutor: TaskExecutor, @unchecked Sendable {
    /// A thread that runs jobs. Its job is set and taken by those whose turn it is.
    private final class Hand: @unchecked Sendable {
        let turn = DispatchSemaphore(value: 0)
        var thread: pthread_t?
        var job: UnownedJob?
    }

    private struct State {
        var generator: SeededGenerator
        var ready: [UnownedJob] = []
        /// In the middle of a job.
        var paused: [Hand] = []
        /// Without a job.
        var idle: [Hand] = []
        /// Whose turn it is; `nil` while there is nothing to do.
        var current: Hand?
        var turnCount = 0
        var isOver = false
    }

    private let state: Mutex<State>
    private let onIdle: @Sendable () -> Bool

    /// - Parameters:
    ///   - seed: says who goes on.
    ///   - onIdle: called when nothing can go on, to let time pass; says whether it did anything.
    package init(seed: UInt64, onIdle: @escaping @Sendable () -> Bool) {
        state = Mutex(State(generator: SeededGenerator(seed: seed)))
        self.onIdle = onIdle
    }

    /// How often a turn has begun so far.
    package var turnCount: Int { state.withLock(\.turnCount) }

    /// Ends its threads. To be called when nothing runs here any more.
    package func stop() {
        let idle = state.withLock { state in
            state.isOver = true
            defer { state.idle = [] }
            return state.idle
        }
        for hand in idle { hand.turn.signal() }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isFree = state.withLock { state in
            state.ready.append(job)
            return state.current == nil
        }
        if isFree { passOn(from: nil) }
    }

    /// Lets another go on, or goes on itself, as the seed says. Does nothing outside of this executor.
    package func giveWay() {
        let own = state.withLock { state -> Hand? in
            guard let current = state.current, let thread = current.thread, pthread_equal(thread, pthread_self()) != 0
            else { return nil }
            state.paused.append(current)
            return current
        }
        guard let own else { return }
        passOn(from: own)
        own.turn.wait()
    }

    /// Gives the turn to the next one.
    private func passOn(from own: Hand?) {
        while true {
            let (next, isNew, isFree) = state.withLock { state -> (Hand?, Bool, Bool) in
                // Somebody came first.
                if state.current !== own { return (nil, false, true) }
                return choose(&state)
            }
            if let next {
                if isNew { startThread { self.work(next) } }
                next.turn.signal()
                return
            }
            if isFree { return }
            // Still this one's turn: nobody else moves the time.
            if onIdle() { continue }
            let isOver = state.withLock { state in
                guard state.ready.isEmpty else { return false }
                state.current = nil
                return true
            }
            if isOver { return }
        }
    }

    private func choose(_ state: inout State) -> (Hand?, isNew: Bool, isFree: Bool) {
        let count = state.ready.count + state.paused.count
        guard count > 0 else { return (nil, false, state.current == nil) }
        state.turnCount += 1
        let index = Int.random(in: 0..<count, using: &state.generator)
        if index >= state.ready.count {
            let hand = state.paused.remove(at: index - state.ready.count)
            state.current = hand
            return (hand, false, false)
        }
        let idle = state.idle.popLast()
        let hand = idle ?? Hand()
        hand.job = state.ready.remove(at: index)
        state.current = hand
        return (hand, idle == nil, false)
    }

    private func work(_ hand: Hand) {
        state.withLock { _ in hand.thread = pthread_self() }
        while true {
            hand.turn.wait()
            guard let job = hand.job else { return }
            hand.job = nil
            job.runSynchronously(on: asUnownedTaskExecutor())
            state.withLock { $0.idle.append(hand) }
            passOn(from: hand)
            if state.withLock({ $0.isOver && $0.current == nil }) { return }
        }
    }
}

/// Runs `body`, its child tasks and all that it calls on an executor of its own; see ``SeededExecutor``.
package func interleaving<Result: Sendable>(
    on executor: SeededExecutor, _ body: @Sendable () async throws -> Result
) async rethrows -> Result {
    defer { executor.stop() }
    return try await OwnThreads.$standIn.withValue(executor) {
        try await withTaskExecutorPreference(executor) { try await body() }
    }
}
