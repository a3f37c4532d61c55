import DurableIO
import Synchronization

/// Events for the one task that decides, posted by the tasks that work.
///
/// Posting never waits. The reader takes all that has come since it last looked, so that one commit serves them all.
final class Mailbox<Event: Sendable>: Sendable {
    private enum Signal: Comparable {
        case none
        case posted
        case urgent
    }

    private struct State {
        var events: [Event] = []
        var signal = Signal.none
        var waiter: (least: Signal, continuation: CheckedContinuation<Void, Never>)?
    }
    private let state = Mutex(State())

    /// One that is urgent says that the reader had better not wait for more.
    func post(_ event: Event, isUrgent: Bool) {
        signal(isUrgent ? .urgent : .posted) { $0.events.append(event) }
    }

    /// Gives back, in their old place, events that could not be dealt with.
    func giveBack(_ events: [Event]) {
        state.withLock { $0.events = events + $0.events }
    }

    /// Ends a wait without an event.
    func wake() {
        signal(.urgent) { _ in }
    }

    /// All events, and what was signalled with them.
    func take() -> [Event] {
        state.withLock { state in
            defer { (state.events, state.signal) = ([], .none) }
            return state.events
        }
    }

    /// Returns when something has been posted since the last ``take()``, or the task is cancelled.
    func wait() async {
        await wait(for: .posted)
    }

    /// Returns when something has been posted or the time has passed.
    func wait(atMost milliseconds: Int64, clock: any SystemClock) async {
        await wait(for: .posted) { try? await clock.sleep(milliseconds: milliseconds) }
    }

    /// Lets more come, until something is urgent or the time has passed, which is never that of a clock of tests.
    func gather(atMost time: Duration) async {
        guard state.withLock({ $0.signal }) == .posted else { return }
        await wait(for: .urgent) { try? await Task.sleep(for: time, clock: .continuous) }
    }

    private func wait(for least: Signal, orUntilEndOf sleep: @escaping @Sendable () async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(for: least) }
            group.addTask { await sleep() }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait(for least: Signal) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.signal >= least || Task.isCancelled { return true }
                    state.waiter = (least, continuation)
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            // Not a signal: whoever waits next has not been called.
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.continuation.resume()
        }
    }

    private func signal(_ signal: Signal, _ change: (inout State) -> Void) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            change(&state)
            state.signal = max(state.signal, signal)
            guard let waiter = state.waiter, state.signal >= waiter.least else { return nil }
            state.waiter = nil
            return waiter.continuation
        }
        waiter?.resume()
    }
}
