import DurableIO
import Synchronization

/// The reports whose text had bytes replaced in the records that a run has made. Only their bytes tell, and they are
/// not read again to judge an answer. Nothing of it is stored.
final class OTLPMemory: Sendable {
    /// How many reports are remembered: far more than are under way to a collector at a time.
    static let limit = 1 << 10

    private struct State {
        var ids: Set<ContentHash> = []
        /// The same, the earliest first.
        var order: [ContentHash] = []
    }

    private let state = Mutex(State())

    /// Remembers a report, and forgets the earliest one beyond the limit.
    func noteRepaired(_ id: ContentHash) {
        state.withLock { state in
            guard state.ids.insert(id).inserted else { return }
            state.order.append(id)
            if state.order.count > Self.limit { state.ids.remove(state.order.removeFirst()) }
        }
    }

    /// Whether a report is remembered.
    func wasRepaired(_ id: ContentHash) -> Bool {
        state.withLock { $0.ids.contains(id) }
    }
}
