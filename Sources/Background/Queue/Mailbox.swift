import DurableIO
import Synchronization

/// Events for the one task that decides, posted by the tasks that work.
///
/// Posting never waits. The reader takes all that has come since it last looked, so that one commit serves them all.
final class Mailbox<Event: Sendable>: Sendable {
    private struct State {
        var events: [Event] = []
        var isSignalled = false
        var waiter: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())

    func post(_ event: Event) {
        signal { $0.events.append(event) }
    }

    /// Gives back, in their old place, events that could not be dealt with.
    func giveBack(_ events: [Event]) {
        state.withLock { $0.events = events + $0.events }
    }

    /// Ends a wait without an event.
    func wake() {
        signal { _ in }
    }

    func take() -> [Event] {
        state.withLock { state in
            defer { state.events = [] }
            return state.events
        }
    }

    /// Returns when something was posted since the last wait, or the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.isSignalled || Task.isCancelled {
                        state.isSignalled = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            wake()
        }
    }

    /// Returns when something was posted or the time has passed.
    func wait(atMost milliseconds: Int64, clock: any SystemClock) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await clock.sleep(milliseconds: milliseconds) }
            await group.next()
            group.cancelAll()
        }
    }

    private func signal(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            let waiter = state.waiter
            state.waiter = nil
            state.isSignalled = waiter == nil
            return waiter
        }
        waiter?.resume()
    }
}
