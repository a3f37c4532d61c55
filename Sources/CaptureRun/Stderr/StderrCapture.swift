package import DurableIO
import Glibc

/// Keeps what a program writes to standard error, by the plan for what that is.
package struct StderrCapture: Sendable {
    private enum Way: Sendable {
        case leave
        case read(from: WrittenFile.Start)
        case askJournal(invocation: String)
        case tee(StderrCopier)
    }

    private let way: Way
    private let keptByteCount: Int
    private let signals: HeldSignals

    /// - Parameters:
    ///   - options: of the run.
    ///   - signals: as this process found them.
    ///   - makingFile: makes the file that outlives this process; called once something is copied, on any thread.
    package init(
        _ options: RunOptions, signals: HeldSignals, makingFile: @escaping @Sendable () -> OwnedDescriptor?
    ) {
        keptByteCount = options.keptByteCount
        self.signals = signals
        switch StderrPlan(options.stderr, descriptor: STDERR_FILENO) {
        case .leave: way = .leave
        case .read(let start): way = .read(from: start)
        case .askJournal(let invocation): way = .askJournal(invocation: invocation)
        case .tee:
            let copier = StderrCopier(to: STDERR_FILENO, keptByteCount: keptByteCount, makingFile: makingFile)
            way = copier.map { .tee($0) } ?? .leave
        }
    }

    /// What becomes the program's standard error; `nil` for this process's own.
    package var programStream: Int32? {
        if case .tee(let copier) = way { copier.input } else { nil }
    }

    /// To be called once the program runs, so that nobody but it and its children has the pipe.
    package func programHasStarted() {
        if let programStream { close(programStream) }
    }

    /// Hands on what was copied, to be called once the program is dead. Takes a little more than a second at most where
    /// nobody reads it; five where, besides, nobody can stay behind to copy the rest, as for process 1.
    /// - Returns: what was copied; `nil` where nothing was to be.
    package func finish() -> StderrExcerpt? {
        guard case .tee(let copier) = way else { return nil }
        let ending = copier.finish(within: DetachedCopier.isPossible ? 1_000 : 5_000)
        let isHeld = ending.outcome == .held || ending.outcome == .stuck(isHeld: true)
        DetachedCopier.start(ending.rest, then: isHeld ? copier.pipe : nil, to: STDERR_FILENO, signals: signals)
        return ending.excerpt
    }

    /// Looks up what the dead program has written without us. Takes five seconds at most where the journal does not
    /// answer, and reads up to 8 MiB of a file: only for an end that is told of.
    /// - Parameters:
    ///   - program: its number.
    ///   - end: how it ended. Of an exit status of 0 nobody asks the journal.
    /// - Returns: nothing where nothing was to be kept, and what was copied is not in it.
    package func excerpt(of program: Int32, _ end: ProgramEnd) -> StderrExcerpt {
        switch way {
        case .leave, .tee: return StderrExcerpt()
        case .read(let start):
            return WrittenFile.excerpt(of: STDERR_FILENO, from: start, keptByteCount: keptByteCount)
        case .askJournal(let invocation):
            guard end.status != .exited(code: 0) else { return StderrExcerpt() }
            return JournalLines(invocation: invocation, program: program, signals: signals)
                .excerpt(keptByteCount: keptByteCount)
        }
    }
}
