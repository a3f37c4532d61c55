import CLinux
import Glibc

/// A program that this process runs for its own ends, beside the program that it is here for, or after that is dead.
package struct HelperProgram: Sendable {
    package let pid: Int32
    private let signals: HeldSignals

    /// Starts it; `nil` where it cannot be started.
    /// - Parameters:
    ///   - path: of the program.
    ///   - arguments: with the program's name.
    ///   - streams: what its standard input, output and error are; -1 for this process's own.
    ///   - variables: all of its environment.
    ///   - signals: as this process found them.
    ///   - isDetached: whether it lives on when this process ends, in a session of its own. The default is that the
    ///     kernel kills it.
    package init?(
        _ path: String, _ arguments: [String], streams: (Int32, Int32, Int32), variables: borrowing ProgramVariables,
        signals: HeldSignals, isDetached: Bool = false
    ) {
        let words = WordList(arguments)
        let list = variables.list()
        let number = withUnsafePointer(to: signals.found) { found in
            path.withCString { path in
                var program = clinux_program()
                program.mark = -1
                program.name = path
                program.arguments = UnsafePointer(words.pointer)
                program.environment = UnsafePointer(list.pointer)
                program.signals = found
                program.streams = streams
                program.dies_with_parent = isDetached ? 0 : 1
                program.is_detached = isDetached ? 1 : 0
                return clinux_start(&program)
            }
        }
        guard number > 0 else { return nil }
        (pid, self.signals) = (number, signals)
    }

    /// Waits for its end, and kills it when it takes too long or when somebody asks this process to end.
    /// - Parameter milliseconds: the longest wait.
    /// - Returns: its exit status; `nil` when it was killed.
    package func end(within milliseconds: Int64) -> Int32? {
        let deadline = MonotonicTime.now + milliseconds
        var status: Int32 = 0
        while true {
            let ended = waitpid(pid, &status, WNOHANG)
            if ended == -1, errno == EINTR { continue }
            guard ended == 0 else { break }
            let rest = deadline - MonotonicTime.now
            let isWanted = rest > 0 && !(signals.wait(milliseconds: Int32(clamping: rest)) && isAskedToEnd())
            guard !isWanted else { continue }
            _ = kill(pid, SIGKILL)
            while waitpid(pid, &status, 0) == -1, errno == EINTR {}
            return nil
        }
        return status & 0x7f == 0 ? status >> 8 & 0xff : nil
    }

    private func isAskedToEnd() -> Bool {
        signals.taken().contains { SignalRule.asksToEnd($0.number) }
    }
}
