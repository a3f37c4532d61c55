import DurableIO
import Synchronization

/// The drops that a watcher saw closed after writing or renamed in, and not touched since.
///
/// Where the kernel does not say whether a program has a drop open for writing, such a drop is complete at once; any
/// other has to be unchanged for 2 s. All is lost with the process: then the drop's age decides.
final class CompleteDrops: Sendable {
    private struct Place: Hashable {
        let room: EntryName?
        let name: EntryName
    }

    private struct State {
        /// The newest drops, and those noted before them. When there are too many of the newest, the others are
        /// forgotten.
        var (newest, older): (Set<Place>, Set<Place>) = ([], [])
    }

    private let state = Mutex(State())
    /// The newest drops are remembered, so many of them at least. Drops that are never taken, because they are removed
    /// or renamed, are forgotten so. Of a storm of more, the earlier drops have to be unchanged for 2 s.
    private static let limit = 4_096

    /// Notes what happened last to a drop.
    /// - Parameters:
    ///   - name: its name.
    ///   - room: the drop room; `nil` for `incoming/` itself.
    ///   - isComplete: whether it was closed after writing or renamed in; anything else says that it may be under way.
    func note(_ name: EntryName, in room: EntryName?, isComplete: Bool) {
        let place = Place(room: room, name: name)
        state.withLock { state in
            state.newest.remove(place)
            state.older.remove(place)
            guard isComplete else { return }
            if state.newest.count >= Self.limit { (state.older, state.newest) = (state.newest, []) }
            state.newest.insert(place)
        }
    }

    /// Forgets a drop, which is being taken.
    /// - Returns: whether the drop was known to be complete.
    func forget(_ name: EntryName, in room: EntryName?) -> Bool {
        let place = Place(room: room, name: name)
        return state.withLock { state in
            let isNew = state.newest.remove(place) != nil
            return state.older.remove(place) != nil || isNew
        }
    }
}
