import Glibc

/// A process that stays behind and copies what others write to the standard error of a program that is dead.
///
/// Without it they would get SIGPIPE, which they would not get if this wrapper had never been there.
package enum DetachedCopier {
    /// The word on the command line of `reports-run` that makes it one. Nobody else has a use for it.
    package static let word = "--continue-stderr"
    private static let holderThatHangs = "swift-backtrace"

    /// Starts one if somebody holds the pipe that has a use for it.
    /// - Parameters:
    ///   - pipe: the end that is read.
    ///   - output: the consumer.
    ///   - signals: as this process found them.
    static func start(_ pipe: Int32, to output: Int32, signals: HeldSignals) {
        // The last process of a namespace takes all others with it.
        guard getpid() != 1, isWanted(for: pipe) else { return }
        var variables = ProgramVariables(hiddenBacktrace: nil)
        variables.removeAll()
        _ = HelperProgram(
            "/proc/self/exe", ["reports-run", word], streams: (pipe, output, output), variables: variables,
            signals: signals, isDetached: true)
    }

    /// The helper of the Swift runtime waits for the end of its pipe, which never comes while it is held here.
    private static func isWanted(for pipe: Int32) -> Bool {
        guard let holders = PipeHolders.names(of: pipe), !holders.isEmpty else { return true }
        return holders.contains { $0 != holderThatHangs }
    }

    /// Copies standard input to standard output, until one of them has ended.
    package static func run() {
        // It is shared with nobody any more.
        _ = fcntl(STDIN_FILENO, F_SETFL, 0)
        _ = signal(SIGPIPE, SIG_IGN)
        withUnsafeTemporaryAllocation(byteCount: StderrLayout.chunkByteCount, alignment: 16) { buffer in
            while true {
                let count = read(STDIN_FILENO, buffer.baseAddress, buffer.count)
                if count == -1, errno == EINTR { continue }
                guard count > 0 else { return }
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                guard StderrOutput.write(bytes, to: STDOUT_FILENO) else { return }
            }
        }
    }
}
