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
    }

    /// The words of a command line as the kernel gave them, which may be any bytes.
    package typealias Words = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    private let options: RunOptions
    /// The program and its arguments, ended by NULL.
    private let command: Words
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
        var texts: [String] = []
        var next = words[0] == nil ? words : words + 1
        while let word = next.pointee {
            texts.append(String(cString: word))
            next += 1
        }
        if texts == [DetachedCopier.word] {
            DetachedCopier.run()
            return 0
        }
        do {
            switch try RunCommandLine(texts) {
            case .help: return answer(RunHelp.page)
            case .version: return answer("\(RunHelp.version)\n")
            case .run(let options, let index):
                guard let signals = HeldSignals() else {
                    return RunMessages.refuse("there is no descriptor left for signals", status: Status.trouble)
                }
                return ProgramRun(
                    options: options, command: words + 1 + index, hiddenBacktrace: hiddenBacktrace, signals: signals
                ).run()
            }
        } catch {
            let words = "\(error)\n\(RunHelp.usage)\nTry 'reports-run --help'."
            return RunMessages.refuse(words, status: Status.trouble)
        }
    }

    private static func answer(_ text: String) -> Int32 {
        RunMessages.write(Array(text.utf8), to: STDOUT_FILENO)
        return 0
    }

    // MARK: - Running

    private func run() -> Int32 {
        let directory: RunDirectory
        do throws(RunTrouble) {
            directory = try RunDirectory.make(for: options)
        } catch {
            warn("a crash of this program will not be reported: \(error)")
            return runUnwatched()
        }
        return run(in: directory)
    }

    private func run(in directory: consuming RunDirectory) -> Int32 {
        var variables = ProgramVariables(hiddenBacktrace: hiddenBacktrace)
        variables.texts = RuntimeVariables.applied(
            to: variables.texts, besides: variables.repairedOthers, directory: directory.path, options)
        let stderr = StderrCapture(options, signals: signals) { directory.makeStderrFile() }
        var program: ProgramProcess
        do throws(ProgramProcess.Refusal) {
            program = try started(variables, stderr: stderr.programStream, mark: directory.startMark)
        } catch {
            directory.discard()
            return refused(error)
        }
        stderr.programHasStarted()
        let start = program.start(options.command)
        directory.note(start)
        let memory = MemoryWatch(pid: program.pid)
        program.awaitDeath()
        let endedWell = program.hasEndedWell
        let excerpt = stderr.excerpt(of: program.pid, endedWell: endedWell)
        let end = program.end()
        do throws(RunTrouble) {
            let dropped = try directory.conclude(end, of: start, excerpt, memory: memory, options)
            if !dropped.isEmpty { submit() }
        } catch {
            warn("the end of this program is not reported yet: \(error)")
        }
        end.status.leave()
    }

    /// Runs the program when nothing can be told of it.
    private func runUnwatched() -> Int32 {
        do throws(ProgramProcess.Refusal) {
            var program = try started(
                ProgramVariables(hiddenBacktrace: hiddenBacktrace), stderr: nil, mark: nil)
            program.awaitDeath()
            program.end().status.leave()
        } catch {
            return refused(error)
        }
    }

    private func started(
        _ variables: borrowing ProgramVariables, stderr: Int32?, mark: Int32?
    ) throws(ProgramProcess.Refusal) -> ProgramProcess {
        try ProgramProcess(
            command, variables: variables, stderr: stderr, mark: mark, signals: signals, clock: clock, options)
    }

    private func refused(_ refusal: ProgramProcess.Refusal) -> Int32 {
        let name = QuotedText(options.command.first ?? "", limit: 200)
        let status =
            switch refusal.errno {
            case ENOENT: Status.notFound
            case EAGAIN, ENOMEM, EMFILE, ENFILE: Status.trouble
            default: Status.notExecutable
            }
        return RunMessages.refuse("cannot run \(name): \(String(cString: strerror(refusal.errno)))", status: status)
    }

    private func warn(_ text: String) {
        if !options.isQuiet { RunMessages.say(text) }
    }

    // MARK: - Sending

    /// Gives `reports submit` its time to send what was dropped.
    private func submit() {
        guard let seconds = options.submitSeconds else { return }
        guard let tool = NeighbourProgram.path(of: "reports") else {
            return warn("--submit needs the program 'reports' beside this one, or in /usr/bin")
        }
        let spool = options.spool.map { ["--spool", $0] } ?? []
        let silence = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { if silence >= 0 { close(silence) } }
        let helper = HelperProgram(
            tool, ["reports", "submit", "--deadline", "\(seconds)"] + spool,
            streams: (silence, silence, options.isQuiet ? silence : -1),
            variables: ProgramVariables(hiddenBacktrace: hiddenBacktrace), signals: signals)
        guard let helper else { return warn("cannot run \(tool)") }
        _ = helper.end(within: Int64((seconds + 1) * 1_000))
    }
}
