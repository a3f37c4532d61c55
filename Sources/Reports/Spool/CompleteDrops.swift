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

    private let places = Mutex<Set<Place>>([])
    /// So many are remembered; of a storm of more, the later ones wait their 2 s.
    private static let limit = 4_096

    /// Notes what happened last to a drop.
    /// - Parameters:
    ///   - name: its name.
    ///   - room: the drop room; `nil` for `incoming/` itself.
    ///   - isComplete: whether it was closed after writing or renamed in; anything else says that it may be under way.
    func note(_ name: EntryName, in room: EntryName?, isComplete: Bool) {
        let place = Place(room: room, name: name)
        places.withLock { places in
            if !isComplete {
                places.remove(place)
            } else if places.count < Self.limit {
                places.insert(place)
            }
        }
    }

    /// Forgets a drop, which is being taken.
    /// - Returns: whether the drop was known to be complete.
    func forget(_ name: EntryName, in room: EntryName?) -> Bool {
        places.withLock { $0.remove(Place(room: room, name: name)) != nil }
    }
}
