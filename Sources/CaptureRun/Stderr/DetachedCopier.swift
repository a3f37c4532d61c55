import CLinux
import Glibc

/// A process that stays behind and hands on what the consumer of standard error has not taken yet when this process
/// ends, and what others still write to the standard error of a program that is dead.
///
/// Without it a consumer that takes its time would lose what the program has written, and the others would get SIGPIPE.
/// Neither would be so if this wrapper had never been there.
package enum DetachedCopier {
    /// The word on the command line of `reports-run` that makes it one. Nobody else has a use for it.
    package static let word = "--continue-stderr"
    private static let holderThatHangs = "swift-backtrace"
    private static let program = "/proc/self/exe"

    /// Whether this process can leave one behind: the last process of a namespace takes all others with it.
    static var isPossible: Bool { getpid() != 1 && access(program, X_OK) == 0 }

    /// Starts one if there is something to hand on, or somebody holds the pipe that has a use for it.
    /// - Parameters:
    ///   - rest: what was read and not handed on.
    ///   - pipe: the end that is read afterwards; `nil` where nobody holds it.
    ///   - output: the consumer.
    ///   - signals: as this process found them.
    static func start(_ rest: [UInt8], then pipe: Int32?, to output: Int32, signals: HeldSignals) {
        guard isPossible else { return }
        let rest = rest.isEmpty ? nil : memoryFile(rest)
        let pipe = pipe.flatMap { isWanted(for: $0) ? $0 : nil }
        if let first = rest ?? pipe {
            var variables = ProgramVariables(hiddenBacktrace: nil)
            variables.removeAll()
            // What is at its end has nothing more when it is read again.
            _ = HelperProgram(
                program, ["reports-run", word], streams: (first, output, pipe ?? first), variables: variables,
                signals: signals, isDetached: true)
        }
        if let rest { close(rest) }
    }

    /// A file in memory, to be read from its beginning.
    private static func memoryFile(_ bytes: [UInt8]) -> Int32? {
        let file = clinux_memory_file()
        guard file >= 0 else { return nil }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(file, $0.baseAddress?.advanced(by: done), $0.count - done, off_t(done))
            }
            if count == -1, errno == EINTR { continue }
            // Part of it is better than nothing.
            guard count > 0 else { break }
            done += count
        }
        return file
    }

    /// The helper of the Swift runtime waits for the end of its pipe, which never comes while it is held here.
    private static func isWanted(for pipe: Int32) -> Bool {
        guard let holders = PipeHolders.names(of: pipe), !holders.isEmpty else { return true }
        return holders.contains { $0 != holderThatHangs }
    }

    /// Copies to standard output what is in standard input, and then what is in the descriptor of standard error, until
    /// they or the consumer have ended.
    package static func run() {
        _ = signal(SIGPIPE, SIG_IGN)
        guard copy(STDIN_FILENO) else { return }
        // What it holds no longer keeps others waiting.
        close(STDIN_FILENO)
        _ = copy(STDERR_FILENO)
    }

    /// - Returns: whether the consumer is still there.
    private static func copy(_ input: Int32) -> Bool {
        // It is shared with nobody any more.
        _ = fcntl(input, F_SETFL, 0)
        return withUnsafeTemporaryAllocation(byteCount: StderrLayout.chunkByteCount, alignment: 16) { buffer in
            while true {
                let count = read(input, buffer.baseAddress, buffer.count)
                if count == -1, errno == EINTR { continue }
                guard count > 0 else { return true }
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                guard StderrOutput.write(bytes, to: STDOUT_FILENO) == .done else { return false }
            }
        }
    }
}
