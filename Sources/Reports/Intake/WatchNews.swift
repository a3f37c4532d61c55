import Synchronization

/// What people were told of the watcher of a spool: once that it cannot watch, and once that it can again. Owners that
/// follow each other in one run, and their watchers, share it.
package final class WatchNews: Sendable {
    private let isTroubled = Mutex(false)

    package init() {}

    /// Tells what keeps the spool from being watched, or with `nil`, that it is watched; if that is news.
    func tell(_ trouble: String?, _ onEvent: (SpoolEvent) -> Void) {
        let isNews = isTroubled.withLock { isTroubled in
            defer { isTroubled = trouble != nil }
            return isTroubled != (trouble != nil)
        }
        if isNews { onEvent(.notWatched(trouble)) }
    }
}
