import CLinux
import Glibc
import Synchronization

/// Wakes tasks that sleep, and wakes the process for nothing else.
///
/// After the first `Task.sleep` of Swift 6.3 on Linux, Dispatch wakes the process once a second for as long as it lives.
/// So this package's own sleeps use this: one thread that waits for a timer of the kernel's, which also counts the time
/// that the machine is asleep. The thread starts with the first sleep and stays. All is lost with the process.
package final class SleepAlarm: Sendable {
    private static let shared = SleepAlarm()

    /// Returns after the time has passed, or throws `CancellationError`.
    package static func sleep(for time: Duration) async throws {
        let (seconds, attoseconds) = time.components
        let nanoseconds = min(max(0, seconds), longestSleep) * 1_000_000_000 + attoseconds / 1_000_000_000
        guard try await !shared.sleep(until: now + max(0, nanoseconds)) else { return }
        try await Task.sleep(for: time, clock: .continuous)
    }

    /// In seconds: a year.
    private static let longestSleep: Int64 = 31_536_000

    private struct Sleeper {
        /// On the boot clock, in nanoseconds.
        let wakesAt: Int64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        /// -1 before the first sleep.
        var timer: Int32 = -1
        var sleepers: [Int: Sleeper] = [:]
        var lastNumber = 0
        /// Cancelled before they slept.
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    /// Whether there is a timer and a thread. Without one, tasks have to sleep in another way.
    private func start() -> Bool {
        state.withLock { state in
            guard state.timer < 0 else { return true }
            let timer = clinux_open_boot_timer()
            guard timer >= 0 else { return false }
            let this = Unmanaged.passRetained(self)
            let error = clinux_start_thread(
                "reports-sleep",
                { argument in
                    guard let argument else { return }
                    Unmanaged<SleepAlarm>.fromOpaque(argument).takeRetainedValue().work()
                }, this.toOpaque())
            guard error == 0 else {
                this.release()
                close(timer)
                return false
            }
            state.timer = timer
            return true
        }
    }

    /// Returns at that time on the boot clock, in nanoseconds.
    /// - Returns: `false` at once where there is no timer to be had.
    /// - Throws: `CancellationError`.
    private func sleep(until wakesAt: Int64) async throws -> Bool {
        guard start() else { return false }
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled = state.withLock { state in
                    if state.cancelled.remove(number) != nil { return true }
                    state.sleepers[number] = Sleeper(wakesAt: wakesAt, continuation: continuation)
                    Self.set(state)
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: number)
                if sleeper == nil { state.cancelled.insert(number) }
                Self.set(state)
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
        // A task that was cancelled just after it woke left its mark.
        state.withLock { _ = $0.cancelled.remove(number) }
        return true
    }

    /// Sets the timer to the first sleeper's time, or stops it. The thread waits for the timer as it is set last.
    private static func set(_ state: State) {
        clinux_set_boot_timer(state.timer, state.sleepers.values.map(\.wakesAt).min() ?? 0)
    }

    private func work() {
        // The thread starts under the lock, and waits here until the timer is known.
        let timer = state.withLock(\.timer)
        var count: UInt64 = 0
        while true {
            _ = retryingInterrupted { read(timer, &count, 8) }
            let due = state.withLock { state in
                let now = Self.now
                let due = state.sleepers.filter { $0.value.wakesAt <= now }
                for number in due.keys { state.sleepers[number] = nil }
                Self.set(state)
                return due.values.map(\.continuation)
            }
            for continuation in due { continuation.resume() }
        }
    }

    /// On the boot clock, in nanoseconds.
    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
