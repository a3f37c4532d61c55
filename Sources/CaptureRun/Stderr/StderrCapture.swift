package import DurableIO
import Glibc

/// Keeps what a program writes to standard error, by the plan for what that is.
package struct StderrCapture: Sendable {
    private enum Way: Sendable {
        case leave
        case read(from: Int64)
        case askJournal(invocation: String)
        case tee(StderrCopier)
    }

    private let way: Way
    private let keptByteCount: Int
    private let signals: HeldSignals

    /// - Parameters:
    ///   - options: of the run.
    ///   - signals: as this process found them.
    ///   - file: makes the file that outlives this process; called only where something is copied.
    package init(_ options: RunOptions, signals: HeldSignals, file: () -> OwnedDescriptor?) {
        keptByteCount = options.keptByteCount
        self.signals = signals
        switch StderrPlan(options.stderr, descriptor: STDERR_FILENO) {
        case .leave: way = .leave
        case .read(let start): way = .read(from: start)
        case .askJournal(let invocation): way = .askJournal(invocation: invocation)
        case .tee:
            let copier = StderrCopier(to: STDERR_FILENO, keptByteCount: keptByteCount, file: file())
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

    /// What the program has written, to be called once it is dead. Takes a little more than a second at most where
    /// nobody reads what was copied; five where, besides, nobody can stay behind to copy the rest, as for process 1, or
    /// where the journal does not answer.
    /// - Parameters:
    ///   - program: its number.
    ///   - endedWell: whether its exit status is 0, of which nobody asks the journal.
    /// - Returns: nothing where nothing was to be kept.
    package func excerpt(of program: Int32, endedWell: Bool) -> StderrExcerpt {
        switch way {
        case .leave: return StderrExcerpt()
        case .read(let start):
            return WrittenFile.excerpt(of: STDERR_FILENO, from: start, keptByteCount: keptByteCount)
        case .askJournal(let invocation):
            guard !endedWell else { return StderrExcerpt() }
            return JournalLines(invocation: invocation, program: program, signals: signals)
                .excerpt(keptByteCount: keptByteCount)
        case .tee(let copier):
            let ending = copier.finish(within: DetachedCopier.isPossible ? 1_000 : 5_000)
            let isHeld = ending.outcome == .held || ending.outcome == .stuck(isHeld: true)
            DetachedCopier.start(
                ending.rest, then: isHeld ? copier.pipe : nil, to: STDERR_FILENO, signals: signals)
            return ending.excerpt
        }
    }
}
