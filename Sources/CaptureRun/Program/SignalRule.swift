import CLinux
import Glibc

/// Says which of the signals that reach this process are sent on to the program.
///
/// The program is in the same process group, so what the terminal or a process sends to the group reaches it without
/// our help, and must not reach it twice. What was sent to this process alone was meant for the program.
struct SignalRule {
    /// What a signal calls for.
    enum Verdict: Equatable {
        /// It is sent on.
        case passOn
        /// It reaches the program without us, or is for us.
        case keep
        /// It is sent on if it was sent to this process alone.
        case passOnIfAlone
    }

    /// Whether nobody else gets the hang-up of our terminal: the kernel sends it to the leader of the session alone.
    var leadsSession = getsid(0) == getpid()

    func verdict(on signal: clinux_signal, program: Int32) -> Verdict {
        switch signal.number {
        case SIGCHLD, SIGCONT: return .keep
        // The kernel's answer to a write of this process, which bears this process's own number.
        case SIGPIPE where signal.sender == getpid(), SIGXFSZ where signal.sender == getpid(): return .keep
        // A timer that was set before this program was started: `alarm 10; exec reports-run …`.
        case SIGALRM where signal.code > 0: return .passOn
        case SIGHUP where signal.code > 0: return leadsSession ? .passOn : .keep
        default: break
        }
        // Above 0 are the kernel's own: those of the terminal go to the whole group.
        guard signal.code <= 0 else { return .keep }
        // What a program tells its parent, it does not tell itself.
        guard signal.sender != program else { return .keep }
        // Below 0 are calls that reach no group, such as sigqueue(3).
        return signal.code < 0 ? .passOn : .passOnIfAlone
    }

    /// Whether a signal asks a program to end.
    static func asksToEnd(_ signal: Int32) -> Bool {
        [SIGTERM, SIGINT, SIGHUP, SIGQUIT].contains(signal)
    }

    /// Whether a signal asks a program for nothing but its end: a service reads its settings again on SIGHUP, and a JVM
    /// tells of its threads on SIGQUIT.
    static func asksOnlyToEnd(_ signal: Int32) -> Bool { [SIGTERM, SIGINT].contains(signal) }

    // MARK: - Without a second process

    /// Guesses from the sender whether a signal was sent to the whole group, where there is no room for a
    /// ``GroupWatch``: a process of our group is taken to do so. One from which we descend is not, for who stops what it
    /// has started sends to that alone.
    static func isLikelyForGroup(from process: Int32) -> Bool {
        // 0 is a process of an outer namespace, such as the one that stops a container; to the kernel it means us.
        guard process > 0, process != getpid() else { return process != 0 }
        return getpgid(process) == getpgrp() && !isAncestor(process)
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
