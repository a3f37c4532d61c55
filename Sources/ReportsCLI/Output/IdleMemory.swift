import CStartup
import DurableIO
import Synchronization

/// Gives the memory back that a process which stays needs for its work and not for its waiting.
///
/// Most of it is code: it was mapped at the start and by attempts, which come once in an hour. What waiting needs of it
/// is a quarter of that.
final class IdleMemory: Sendable {
    private let clock = LinuxClock()
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// How long nothing may have happened before, in milliseconds.
    private static let quietTime: Int64 = 2_000

    /// To be called whenever something has happened.
    func releaseSoon() {
        let next = Task { [clock] in
            guard (try? await clock.sleep(milliseconds: Self.quietTime)) != nil else { return }
            cstartup_release_memory()
        }
        task.withLock { task in
            task?.cancel()
            task = next
        }
    }
}
