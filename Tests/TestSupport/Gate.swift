/// A point that tests and servers wait at until somebody opens it; once open it stays open.
///
/// It puts events in order where a sleep would only make an order likely.
package final class Gate: Sendable {
    private struct State: Sendable {
        var isOpen = false
        var actions: [@Sendable () -> Void] = []
    }

    private let state = Monitor(State())

    package init() {}

    package var isOpen: Bool { state.value.isOpen }

    /// Lets all pass who wait, now and later. Opening it again does nothing.
    package func open() {
        let actions = state.withLock { state in
            state.isOpen = true
            defer { state.actions = [] }
            return state.actions
        }
        for action in actions { action() }
    }

    /// Returns once the gate is open, or the task is cancelled.
    package func wait() async {
        await state.wait { $0.isOpen }
    }

    /// Runs `action` once when the gate opens, on the opener's thread; at once if it is open.
    package func whenOpen(_ action: @escaping @Sendable () -> Void) {
        let isOpen = state.withLock { state in
            if !state.isOpen { state.actions.append(action) }
            return state.isOpen
        }
        if isOpen { action() }
    }
}
