import DurableIO
import Synchronization

/// How soon the queue has to take its next turn.
package enum Wake: Comparable, Sendable {
    case none
    /// After further events or after a few milliseconds, so that one commit serves several ended attempts.
    case soon
    case now
}

/// A signal from the tasks that make attempts to the one task that drives the queue.
///
/// A drive is one call of ``TransferQueue/drive(_:isExplicit:until:deadline:)``. Raising the signal never waits. A
/// raised signal stays raised until the drive lowers it. The drive does so at the beginning of each turn, before it
/// reads the plan.
final class DriveSignal: Sendable {
    private struct State {
        var wake = Wake.none
        var waiter: (least: Wake, continuation: CheckedContinuation<Void, Never>)?
    }
    private let state = Mutex(State())

    func raise(_ wake: Wake) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.wake = max(state.wake, wake)
            guard let waiter = state.waiter, state.wake >= waiter.least else { return nil }
            state.waiter = nil
            return waiter.continuation
        }
        waiter?.resume()
    }

    func lower() {
        state.withLock { $0.wake = .none }
    }

    /// Returns when the signal has been raised since ``lower()``, or the task is cancelled.
    func wait() async {
        await wait(for: .soon)
    }

    /// Returns when the signal has been raised, the time has passed, or the task is cancelled.
    func wait(atMost milliseconds: Int64, clock: any SystemClock) async {
        await wait(for: .soon) { try? await clock.sleep(milliseconds: milliseconds) }
    }

    /// Waits for further events, until the signal asks for a turn now or the time has passed.
    ///
    /// The time is real time, also in tests that inject a clock.
    func gather(atMost time: Duration) async {
        guard time > .zero, state.withLock({ $0.wake }) == .soon else { return }
        await wait(for: .now) { try? await Task.sleep(for: time, clock: .continuous) }
    }

    private func wait(for least: Wake, orUntilEndOf sleep: @escaping @Sendable () async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(for: least) }
            group.addTask { await sleep() }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait(for least: Wake) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.wake >= least || Task.isCancelled { return true }
                    state.waiter = (least, continuation)
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            // A cancelled wait leaves the signal as it is, so that the next wait does not end because of it.
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.continuation.resume()
        }
    }
}
