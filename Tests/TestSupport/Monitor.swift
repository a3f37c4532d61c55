import Glibc

/// A value that threads and tasks share, change under a lock and wait for, without polling.
///
/// - Safety: `state` and `waiters` are touched only between locking and unlocking `mutex`.
package final class Monitor<State: Sendable>: @unchecked Sendable {
    private struct Waiter {
        let condition: @Sendable (State) -> Bool
        let continuation: CheckedContinuation<Void, Never>
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state: State
    private var waiters: [Int: Waiter] = [:]
    private var nextWaiter = 0

    package init(_ state: State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// The value as it is now.
    package var value: State { withLock { $0 } }

    /// Runs `body` on the value; everyone who waits looks again afterwards.
    @discardableResult
    package func withLock<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer {
            let ready = waiters.filter { $0.value.condition(state) }
            for id in ready.keys { waiters[id] = nil }
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(mutex)
            for waiter in ready.values { waiter.continuation.resume() }
        }
        return try body(&state)
    }

    /// Suspends the task until the condition holds, or until the task is cancelled.
    package func wait(until condition: @escaping @Sendable (State) -> Bool) async {
        let id = withLock { _ in
            nextWaiter += 1
            return nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                pthread_mutex_lock(mutex)
                // A task cancelled before this line shows it here; one cancelled after it finds the waiter below.
                let goesOn = condition(state) || Task.isCancelled
                if !goesOn { waiters[id] = Waiter(condition: condition, continuation: continuation) }
                pthread_mutex_unlock(mutex)
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            pthread_mutex_lock(mutex)
            let waiter = waiters.removeValue(forKey: id)
            pthread_mutex_unlock(mutex)
            waiter?.continuation.resume()
        }
    }

    /// Blocks the thread until the condition holds. For threads of one's own, never for a task.
    package func block(until condition: (State) -> Bool) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !condition(state) { pthread_cond_wait(changed, mutex) }
    }

    /// Blocks the thread until the condition holds or the time is over.
    ///
    /// - Parameters:
    ///   - milliseconds: the longest wait, on CLOCK_MONOTONIC.
    ///   - condition: what to wait for.
    /// - Returns: whether the condition holds.
    package func block(milliseconds: Int, until condition: (State) -> Bool) -> Bool {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let nanoseconds = deadline.tv_nsec + milliseconds % 1_000 * 1_000_000
        deadline.tv_sec += milliseconds / 1_000 + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000

        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !condition(state) {
            guard pthread_cond_timedwait(changed, mutex, &deadline) == 0 else { return condition(state) }
        }
        return true
    }
}

/// Runs `body` on a new thread of its own, which may block as long as it likes.
///
/// - Returns: whether the thread could be made; if not, `body` does not run.
@discardableResult
package func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let work = Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    let status = pthread_create(
        &thread, nil,
        { pointer in
            guard let pointer else { return nil }
            Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body()
            return nil
        }, work.toOpaque())
    guard status == 0 else {
        work.release()
        return false
    }
    pthread_detach(thread)
    return true
}
