import Synchronization

/// The transfers an earlier life left unfinished, until each has ended or can go on only when it is asked for.
final class EarlierTransfers: Sendable {
    private struct State {
        var names: Set<String> = []
        var waiters: [Int: (kind: TransferKind, continuation: CheckedContinuation<Void, Never>)] = [:]
        var nextNumber = 0

        func has(_ kind: TransferKind) -> Bool { names.contains { TransferKind(ofRow: $0) == kind } }

        /// Takes out those whose wait is over.
        mutating func takeReady() -> [CheckedContinuation<Void, Never>] {
            let ready = waiters.filter { !has($0.value.kind) }
            for number in ready.keys { waiters[number] = nil }
            return ready.values.map(\.continuation)
        }
    }
    private let state = Mutex(State())

    func add(_ rowNames: some Sequence<String>) {
        state.withLock { $0.names.formUnion(rowNames) }
    }

    func end(_ rowName: String) {
        let ready = state.withLock { state in
            guard state.names.remove(rowName) != nil else { return [CheckedContinuation<Void, Never>]() }
            return state.takeReady()
        }
        for waiter in ready { waiter.resume() }
    }

    /// Nothing more will come of any.
    func endAll() {
        let ready = state.withLock { state in
            state.names = []
            return state.takeReady()
        }
        for waiter in ready { waiter.resume() }
    }

    /// Returns once there is none of a kind left, or the task is cancelled.
    func wait(for kind: TransferKind) async {
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if !state.has(kind) || Task.isCancelled { return true }
                    state.waiters[number] = (kind, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: number) }
            waiter?.continuation.resume()
        }
    }
}
