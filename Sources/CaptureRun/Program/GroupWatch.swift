import CLinux
import Glibc

/// Tells signals that were sent to this process's whole group from those that were sent to this process alone.
///
/// Nothing in a signal says so. A second process in the group, which does nothing else, gets the former and not the
/// latter. Who signals each process of a list, as service managers do with a control group, reaches it, too.
struct GroupWatch: ~Copyable {
    /// 0 once somebody has waited for it: the number may be another process's by now.
    private var pid: Int32
    private let socket: Int32
    private var questionCount: UInt32 = 0

    /// Starts the second process; `nil` where there is no room for it. It gets nothing that was sent before.
    /// - Parameter words: the command line of this process, ended by NULL.
    /// - Note: To be called on the main thread, with which the second process ends.
    init?(_ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) {
        var socket: Int32 = -1
        let number = clinux_start_group_watch(words, &socket)
        guard number > 0 else { return nil }
        (pid, self.socket) = (number, socket)
    }

    /// What the second process has got since the last call.
    /// - Returns: `nil` where nobody can say: it is gone, or somebody has moved this process to another group.
    mutating func taken() -> [clinux_group_signal]? {
        guard pid > 0, getpgid(pid) == getpgrp() else { return nil }
        questionCount += 1
        return withUnsafeTemporaryAllocation(
            of: clinux_group_signal.self, capacity: Int(clinux_group_signal_limit)
        ) { buffer in
            let count = clinux_group_signals(pid, socket, questionCount, buffer.baseAddress)
            return count >= 0 ? Array(buffer.prefix(Int(count))) : nil
        }
    }

    /// To be called when a child of this process has been waited for.
    mutating func childHasEnded(_ child: Int32) {
        if child == pid { pid = 0 }
    }

    /// Kills the second process, and does not wait for its end.
    borrowing func kill() {
        if pid > 0 { _ = Glibc.kill(pid, SIGKILL) }
    }

    deinit {
        close(socket)
        guard pid > 0 else { return }
        kill()
        while waitpid(pid, nil, 0) == -1, errno == EINTR {}
    }
}
