import CLinux
import DurableIO
import Glibc

/// Runs a program and tells a spool how it died.
package struct ProgramRun {
    /// What this process ends with where it was no program that ended.
    private enum Status {
        static let trouble: Int32 = 125
        static let notExecutable: Int32 = 126
        static let notFound: Int32 = 127
        /// Of `reports submit`, when it leaves reports that nobody has taken.
        static let isWaiting: Int32 = 75
    }

    /// The words of a command line as the kernel gave them, which may be any bytes.
    package typealias Words = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    private let options: RunOptions
    private let words: Words
    private let plan: ProgramProcess.Plan
    private let hiddenBacktrace: UnsafePointer<CChar>?
    private let signals: HeldSignals
    private let clock = LinuxClock()

    /// - Parameters:
    ///   - words: the whole command line, ended by NULL.
    ///   - hiddenBacktrace: the value of `SWIFT_BACKTRACE` that was hidden from this process's own runtime.
    /// - Returns: the exit status, where the program's end was none by a signal.
    /// - Note: To be called on the main thread.
    package static func main(_ words: Words, hiddenBacktrace: UnsafePointer<CChar>?) -> Int32 {
        clinux_settle_streams()
        clinux_share_memory()
        let (texts, repaired) = texts(of: words)
        if texts == [DetachedCopier.word] {
            DetachedCopier.run()
            return 0
        }
        do {
            switch try RunCommandLine(texts, repaired: repaired) {
            case .help: return answer(RunHelp.page)
            case .version: return answer("\(RunHelp.version)\n")
            case .run(let options, let index):
                return ProgramRun(options, words, commandIndex: 1 + index, hiddenBacktrace).run()
            }
        } catch {
            let words = "\(error)\n\(RunHelp.usage)\nTry 'reports-run --help'."
            return RunMessages.refuse(words, status: Status.trouble)
        }
    }

    private init(
        _ options: RunOptions, _ words: Words, commandIndex: Int, _ hiddenBacktrace: UnsafePointer<CChar>?
    ) {
        (self.options, self.words, self.hiddenBacktrace) = (options, words, hiddenBacktrace)
        signals = HeldSignals()
        plan = ProgramProcess.Plan(
            command: words + commandIndex, signals: signals, leavesOrphan: options.leavesOrphan,
            raisesCoreLimit: options.raisesCoreLimit)
    }

    /// The words without the program's own name, and the places of those that are no UTF-8.
    private static func texts(of words: Words) -> (texts: [String], repaired: Set<Int>) {
        var (texts, repaired): ([String], Set<Int>) = ([], [])
        var next = words[0] == nil ? words : words + 1
        while let word = next.pointee {
            if String(validatingCString: word) == nil { repaired.insert(texts.count) }
            texts.append(String(cString: word))
            next += 1
        }
        return (texts, repaired)
    }

    private static func answer(_ text: String) -> Int32 {
        RunMessages.write(Array(text.utf8), to: STDOUT_FILENO)
        return 0
    }

    // MARK: - Running

    private static let unreported = "a crash of this program will not be reported"

    private func run() -> Int32 {
        guard signals.descriptor >= 0 else { return takePlace("there is no descriptor left for signals") }
        if let trouble = spoolTrouble { return runUnwatched("\(Self.unreported): \(trouble)") }
        let directory: RunDirectory
        do throws(RunTrouble) {
            directory = try RunDirectory.make(for: options, clock: clock)
        } catch {
            return runUnwatched("\(Self.unreported): \(error)")
        }
        return run(in: directory)
    }

    private func run(in directory: consuming RunDirectory) -> Int32 {
        var variables = ProgramVariables(hiddenBacktrace: hiddenBacktrace)
        variables.texts = runtimeVariables(variables, directory.reportPath)
        var stderr = StderrCapture(options, signals: signals, makingFile: directory.stderrFileMaker)
        var program: ProgramProcess
        do throws(ProgramProcess.Refusal) {
            program = try started(variables, &stderr, mark: directory.startMark)
        } catch {
            directory.discard()
            guard !error.isOfProgram else { return refused(error) }
            return takePlace("there is no room for a process: \(Self.words(error))")
        }
        stderr.programHasStarted()
        program.watchGroup(words) { if Self.askToEnd($0) { directory.noteRequest() } }
        let start = program.start(options.command)
        directory.note(start)
        let memory = MemoryWatch(pid: program.pid)
        // Nobody else may ever run in this spool. What others have left is sent while the program runs.
        let early = options.submitSeconds != nil && directory.hasOthersWaiting ? startSubmit(isSilent: true) : nil
        program.awaitDeath { if Self.askToEnd($0) { directory.noteRequest() } }
        let copied = stderr.finish()
        let name = program.kernelName
        let end = program.end()
        do throws(RunTrouble) {
            let dropped = try directory.conclude(
                end, of: start, copied ?? stderr.excerpt(of: start.pid, end), memory: memory,
                kernel: KernelLog.line(about: start.pid, name: name, end), options)
            // Only one process at a time may send.
            _ = awaitSubmit(early)
            if !dropped.isEmpty { submitCaught() }
        } catch {
            warn("the end of this program is not reported yet: \(error)")
            _ = awaitSubmit(early)
        }
        program.awaitWatchEnd()
        end.status.leave()
    }

    private static func askToEnd(_ signals: [clinux_signal]) -> Bool {
        signals.contains { SignalRule.asksOnlyToEnd($0.number) }
    }

    /// The variables with which the program's runtime leaves its reports in a directory; without one, those that need none.
    private func runtimeVariables(_ inherited: borrowing ProgramVariables, _ directory: String?) -> [String] {
        var options = options
        if directory == nil {
            options.environment.removed.formUnion(RuntimeVariables.namesThatNeedDirectory)
            warn("a report that the runtime of this program writes will not be kept: no directory is safe for it")
        }
        return RuntimeVariables.applied(
            to: inherited.texts, besides: inherited.repairedOthers, directory: directory ?? "/", options)
    }

    /// Starts the program. Where a thread of this process has the last place that there was, that is given up for the
    /// program: nothing is known then of what it writes to standard error.
    private func started(
        _ variables: borrowing ProgramVariables, _ stderr: inout StderrCapture, mark: Int32
    ) throws(ProgramProcess.Refusal) -> ProgramProcess {
        do throws(ProgramProcess.Refusal) {
            return try started(variables, stderr: stderr.programStream, mark: mark)
        } catch {
            guard !error.isOfProgram, stderr.programStream != nil else { throw error }
        }
        // Nobody else has the pipe, so that the thread ends.
        stderr.programHasStarted()
        _ = stderr.finish()
        var options = options
        options.stderr = .none
        stderr = StderrCapture(options, signals: signals, makingFile: { nil })
        // The kernel frees the place of a thread a moment after its end.
        for _ in 0..<100 {
            if let program = try? started(variables, stderr: nil, mark: mark) { return program }
            usleep(1_000)
        }
        return try started(variables, stderr: nil, mark: mark)
    }

    /// Runs the program when nothing can be told of it, and says why.
    private func runUnwatched(_ reason: String) -> Int32 {
        warn(reason)
        let variables = ProgramVariables(hiddenBacktrace: hiddenBacktrace)
        do throws(ProgramProcess.Refusal) {
            var program = try started(variables, stderr: nil, mark: nil)
            program.watchGroup(words)
            program.awaitDeath()
            let end = program.end()
            program.awaitWatchEnd()
            end.status.leave()
        } catch {
            return refused(error.isOfProgram ? error : ProgramProcess.takePlace(plan, variables: variables))
        }
    }

    /// Becomes the program where this process cannot run beside it, and says so.
    private func takePlace(_ reason: String) -> Int32 {
        warn("\(Self.unreported): \(reason)")
        return refused(
            ProgramProcess.takePlace(plan, variables: ProgramVariables(hiddenBacktrace: hiddenBacktrace)))
    }

    private func started(
        _ variables: borrowing ProgramVariables, stderr: Int32?, mark: Int32?
    ) throws(ProgramProcess.Refusal) -> ProgramProcess {
        try ProgramProcess(plan, variables: variables, stderr: stderr, mark: mark, clock: clock)
    }

    /// Why the spool that is meant cannot be used, where its path alone says so: as a text it would be another one.
    private var spoolTrouble: String? {
        if options.hasForeignSpool { return "the spool's path is no UTF-8: \(options.spool ?? "")" }
        guard options.spool == nil, let named = getenv(StandardSpool.variable), String(validatingCString: named) == nil
        else { return nil }
        return "the spool's path in $\(StandardSpool.variable) is no UTF-8: \(String(cString: named))"
    }

    private func refused(_ refusal: ProgramProcess.Refusal) -> Int32 {
        let name = QuotedText(options.command.first ?? "", limit: 200)
        let status =
            switch refusal.errno {
            case ENOENT: Status.notFound
            case EAGAIN, ENOMEM, EMFILE, ENFILE: Status.trouble
            default: Status.notExecutable
            }
        return RunMessages.refuse("cannot run \(name): \(Self.words(refusal))", status: status)
    }

    private static func words(_ refusal: ProgramProcess.Refusal) -> String { String(cString: strerror(refusal.errno)) }

    private func warn(_ text: String) {
        if !options.isQuiet { RunMessages.say(text) }
    }

    // MARK: - Sending

    /// Sends what was caught, and says where it stays if nobody has taken it.
    private func submitCaught() {
        guard let seconds = options.submitSeconds, let helper = startSubmit() else { return }
        switch awaitSubmit(helper) {
        case nil: warn("the report waits in the spool: it could not be sent in \(seconds) s")
        case Status.isWaiting: warn("the report waits in the spool: nobody has taken it yet")
        // Of anything else `reports submit` speaks itself.
        default: break
        }
    }

    /// Starts `reports submit`, which gets its time to send what is in the spool.
    /// - Parameter isSilent: whether it says nothing of what keeps it from that.
    /// - Returns: `nil` where it cannot be started.
    private func startSubmit(isSilent: Bool = false) -> HelperProgram? {
        guard let seconds = options.submitSeconds else { return nil }
        guard let tool = NeighbourProgram.path(of: "reports") else {
            if isSilent { return nil }
            warn("--submit needs the program 'reports' beside this one, or in /usr/bin")
            return nil
        }
        let spool = options.spool.map { ["--spool", $0] } ?? []
        let silence = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { if silence >= 0 { close(silence) } }
        let helper = HelperProgram(
            tool, ["reports", "submit", "--deadline", "\(seconds)"] + spool,
            streams: (silence, silence, isSilent || options.isQuiet ? silence : -1),
            variables: ProgramVariables(hiddenBacktrace: hiddenBacktrace), signals: signals)
        if helper == nil { warn("cannot run \(tool)") }
        return helper
    }

    /// - Returns: its exit status; `nil` where there is none.
    private func awaitSubmit(_ helper: HelperProgram?) -> Int32? {
        guard let helper, let seconds = options.submitSeconds else { return nil }
        return helper.end(within: Int64((seconds + 1) * 1_000))
    }
}
