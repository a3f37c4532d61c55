import Synchronization

/// The streams that callers watch to see how far transfers have come.
package final class ProgressWatchers: Sendable {
    private struct State {
        var watchers: [String: [Int: AsyncStream<TransferProgress>.Continuation]] = [:]
        var nextNumber = 0
    }
    private let state = Mutex(State())

    package init() {}

    /// A stream of all further progress of one transfer. A watcher that reads late sees the newest only.
    func progress(of rowName: String) -> AsyncStream<TransferProgress> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: TransferProgress.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.nextNumber += 1
            state.watchers[rowName, default: [:]][state.nextNumber] = continuation
            return state.nextNumber
        }
        continuation.onTermination = { [weak self] _ in self?.forget(number, of: rowName) }
        return stream
    }

    private func forget(_ number: Int, of rowName: String) {
        state.withLock { state in
            state.watchers[rowName]?[number] = nil
            if state.watchers[rowName]?.isEmpty == true { state.watchers[rowName] = nil }
        }
    }

    func note(_ progress: TransferProgress, of rowName: String) {
        let watchers = state.withLock { $0.watchers[rowName].map { Array($0.values) } ?? [] }
        for watcher in watchers { watcher.yield(progress) }
    }

    /// Finishes the streams of a transfer that has ended.
    func end(_ rowName: String) {
        let watchers = state.withLock { $0.watchers.removeValue(forKey: rowName) ?? [:] }
        for watcher in watchers.values { watcher.finish() }
    }

    /// Finishes all streams, or those of one kind.
    func endAll(_ kind: TransferKind?) {
        let watchers = state.withLock { state in
            let ended = state.watchers.filter { kind == nil || TransferKind(ofRow: $0.key) == kind }
            for name in ended.keys { state.watchers[name] = nil }
            return ended.values.flatMap(\.values)
        }
        for watcher in watchers { watcher.finish() }
    }
}
