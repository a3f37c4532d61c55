import CLinux
import Glibc

/// Says which of the signals that reach this process are sent on to the program.
///
/// The program is in the same process group, so what the terminal or a process sends to the group reaches it without
/// our help, and must not reach it twice. What was sent to this process alone was meant for the program.
struct SignalRule {
    /// How the sender of a signal is related to this process.
    enum Sender {
        /// A process of another group, or one that is gone or not of our namespace.
        case stranger
        /// A process of our group from which this one descends: who stops what it has started sends to that alone.
        case ancestor
        /// Any other process of our group: it sends to the group.
        case groupMember
    }

    /// Whether nobody else gets the hang-up of our terminal: the kernel sends it to the leader of the session alone.
    var leadsSession = getsid(0) == getpid()

    /// Says whether a signal is sent on.
    /// - Parameters:
    ///   - signal: as it came.
    ///   - sender: how a process is related to this one; asked only where it matters.
    /// - Returns: `false` for what reaches the program without us.
    func passesOn(_ signal: clinux_signal, sender: (Int32) -> Sender) -> Bool {
        switch signal.number {
        case SIGCHLD, SIGCONT: return false
        // A timer that was set before this program was started: `alarm 10; exec reports-run …`.
        case SIGALRM where signal.code > 0: return true
        case SIGHUP where signal.code > 0: return leadsSession
        default: break
        }
        // Above 0 are the kernel's own: those of the terminal go to the whole group.
        guard signal.code <= 0 else { return false }
        return sender(signal.sender) != .groupMember
    }

    /// Whether a signal asks a program to end.
    static func asksToEnd(_ signal: Int32) -> Bool {
        [SIGTERM, SIGINT, SIGHUP, SIGQUIT].contains(signal)
    }

    /// Whether a signal asks a program for nothing but its end: a service reads its settings again on SIGHUP, and a JVM
    /// tells of its threads on SIGQUIT.
    static func asksOnlyToEnd(_ signal: Int32) -> Bool { [SIGTERM, SIGINT].contains(signal) }

    /// How a process is related to this one.
    static func sender(_ process: Int32) -> Sender {
        // 0 is a process of an outer namespace, such as the one that stops a container; to the kernel it means us.
        guard process > 0, process != getpid() else { return process == 0 ? .stranger : .groupMember }
        guard getpgid(process) == getpgrp() else { return .stranger }
        return isAncestor(process) ? .ancestor : .groupMember
    }

    private static func isAncestor(_ process: Int32) -> Bool {
        var next = getppid()
        // Nobody has that many; a tree that changes meanwhile must not keep us.
        for _ in 0..<64 where next > 1 {
            if next == process { return true }
            guard let parent = ProcessFacts.parent(of: next) else { return false }
            next = parent
        }
        return false
    }
}
