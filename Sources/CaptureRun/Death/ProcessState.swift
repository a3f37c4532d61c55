import DurableIO
import Glibc

/// Whether a process lives that was started at a certain time.
enum ProcessState {
    /// Whether the process that got the number at that time lives. One that is dead and that nobody has waited for does
    /// not: in a container without a reaper it stays so for ever.
    /// `startTicks` is when it was started, in clock ticks since the boot `bootID`; without it, nothing lives. `clock`
    /// knows the boot of now.
    static func isAlive(
        _ pid: Int32, startTicks: UInt64?, bootID: String, clock: any SystemClock, processes: String = "/proc"
    ) -> Bool {
        guard pid > 0, bootID == clock.bootID, let startTicks else { return false }
        guard let fields = ProcessFacts.fields(of: pid, in: processes) else {
            // A service may not see what other users' processes are (`ProtectProc=`), and must not take them for dead.
            return kill(pid, 0) == 0 || errno == EPERM
        }
        guard let state = fields.first, !["Z", "X", "x"].contains(state) else { return false }
        return ProcessFacts.startTicks(in: fields) == startTicks
    }
}
