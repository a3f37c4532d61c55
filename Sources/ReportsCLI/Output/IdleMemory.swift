import CStartup
import DurableIO
import Synchronization

/// Gives the memory back that a process which stays needs for its work and not for its waiting.
///
/// Most of it is code: it was mapped at the start and by attempts, which come once in an hour. What waiting needs of it
/// is a quarter of that.
final class IdleMemory: Sendable {
    private struct State {
        /// When something has happened last, on the boot clock in milliseconds.
        var workedAt: Int64 = 0
        var isAwaitingQuiet = false
    }

    private let clock = LinuxClock()
    private let state = Mutex(State())

    /// How long nothing may have happened before, in milliseconds.
    private static let quietTime: Int64 = 2_000

    /// To be called whenever something has happened.
    func releaseSoon() {
        let isFirst = state.withLock { state in
            defer { state.isAwaitingQuiet = true }
            state.workedAt = clock.bootMilliseconds
            return !state.isAwaitingQuiet
        }
        guard isFirst else { return }
        Task {
            while case let left = timeToQuiet(), left > 0 { try? await clock.sleep(milliseconds: left) }
            cstartup_release_memory()
        }
    }

    /// How long it is until nothing has happened for long enough, in milliseconds. At 0 the next event begins anew.
    private func timeToQuiet() -> Int64 {
        state.withLock { state in
            let left = max(0, state.workedAt + Self.quietTime - clock.bootMilliseconds)
            state.isAwaitingQuiet = left > 0
            return left
        }
    }
}
