import Synchronization

/// One party at a time for one report.
///
/// Enrolling a report, from the look at its row to the commit, and moving or removing its file after a commit exclude
/// each other: else a file is removed for a verdict on bytes that have just come anew, or a copy is dropped because of
/// a file that is about to go. A party takes all of its reports at once, so that two parties never wait for each other.
package final class ReportLocks: Sendable {
    private struct Waiter {
        let identifiers: Set<String>
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var taken: Set<String> = []
        var waiters: [Waiter] = []

        /// Takes out the waiters whose turn has come, in the order in which they came; nobody overtakes a waiter for
        /// the same report.
        mutating func takeReady() -> [CheckedContinuation<Void, Never>] {
            var ready: [CheckedContinuation<Void, Never>] = []
            var left: [Waiter] = []
            var wanted: Set<String> = []
            for waiter in waiters {
                let isFree = taken.isDisjoint(with: waiter.identifiers) && wanted.isDisjoint(with: waiter.identifiers)
                if isFree {
                    taken.formUnion(waiter.identifiers)
                    ready.append(waiter.continuation)
                } else {
                    wanted.formUnion(waiter.identifiers)
                    left.append(waiter)
                }
            }
            waiters = left
            return ready
        }
    }
    private let state = Mutex(State())

    package init() {}

    /// How many parties wait for a lock.
    package var waitingCount: Int { state.withLock(\.waiters.count) }

    /// Runs the body while no other party has any of these reports.
    package func alone<Result>(
        with identifiers: Set<String>, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
    ) async rethrows -> Result {
        await acquire(identifiers)
        defer { giveBack(identifiers) }
        return try await body()
    }

    private func acquire(_ identifiers: Set<String>, isolation: isolated (any Actor)? = #isolation) async {
        let isFree = state.withLock { state in
            guard state.taken.isDisjoint(with: identifiers), state.waiters.isEmpty else { return false }
            state.taken.formUnion(identifiers)
            return true
        }
        if isFree { return }
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state in
                state.waiters.append(Waiter(identifiers: identifiers, continuation: continuation))
                return state.takeReady()
            }
            for waiter in ready { waiter.resume() }
        }
    }

    private func giveBack(_ identifiers: Set<String>) {
        let ready = state.withLock { state in
            state.taken.subtract(identifiers)
            return state.takeReady()
        }
        for waiter in ready { waiter.resume() }
    }
}
