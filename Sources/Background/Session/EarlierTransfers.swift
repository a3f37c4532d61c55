import Synchronization

/// The transfers that an earlier process left unfinished, until each of them has ended or can go on only after a caller
/// asks for it.
final class EarlierTransfers: Sendable {
    private struct State {
        var names: Set<String> = []
        /// The latches that open when no transfer of their kind is left.
        var latches: [TransferKind: Latch] = [:]

        func has(_ kind: TransferKind) -> Bool { names.contains { TransferKind(ofRow: $0) == kind } }

        /// Removes the latches of kinds that have no transfer left.
        mutating func removeFinished() -> [Latch] {
            let finished = latches.filter { !has($0.key) }
            for kind in finished.keys { latches[kind] = nil }
            return finished.values.map { $0 }
        }
    }
    private let state = Mutex(State())

    func add(_ rowNames: some Sequence<String>) {
        state.withLock { $0.names.formUnion(rowNames) }
    }

    func end(_ rowName: String) {
        let finished = state.withLock { state in
            state.names.remove(rowName) == nil ? [] : state.removeFinished()
        }
        for latch in finished { latch.open() }
    }

    /// Ends all waits, because none of the transfers will end any more.
    func endAll() {
        let finished = state.withLock { state in
            state.names = []
            return state.removeFinished()
        }
        for latch in finished { latch.open() }
    }

    /// Returns once no transfer of the kind is left, or the task is cancelled.
    func wait(for kind: TransferKind) async {
        let latch = state.withLock { state -> Latch? in
            guard state.has(kind) else { return nil }
            let latch = state.latches[kind] ?? Latch()
            state.latches[kind] = latch
            return latch
        }
        await latch?.wait()
    }
}
