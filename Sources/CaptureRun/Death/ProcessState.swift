import DurableIO

/// Whether a process lives that was started at a certain time.
enum ProcessState {
    /// Whether the process that got the number at that time lives. One that is dead and that nobody has waited for does
    /// not: in a container without a reaper it stays so for ever.
    /// `startTicks` is when it was started, in clock ticks since the boot `bootID`; without it, nothing lives. `clock`
    /// knows the boot of now.
    static func isAlive(
        _ pid: Int32, startTicks: UInt64?, bootID: String, clock: any SystemClock, processes: String = "/proc"
    ) -> Bool {
        guard pid > 0, bootID == clock.bootID, let startTicks,
            let stat = SmallFile.text("\(processes)/\(pid)/stat"), let end = stat.utf8.lastIndex(of: UInt8(ascii: ")"))
        else { return false }
        // The second word is a name in parentheses, which may hold anything. The state is the third, the time of the
        // start the 22nd.
        let words = stat[end...].split(separator: " ").dropFirst()
        guard let state = words.first, !["Z", "X", "x"].contains(state), words.count > 19 else { return false }
        return UInt64(words[words.startIndex + 19]) == startTicks
    }
}
