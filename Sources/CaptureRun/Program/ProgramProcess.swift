package import CLinux
package import DurableIO
import Glibc

/// The program as a child of this process.
package struct ProgramProcess: ~Copyable {
    package let pid: Int32
    private let startedAtBoot: Int64
    private let clock: LinuxClock
    /// The signal by which the program is stopped; `nil` while it runs.
    private var stop: Int32?
    private var lastRequest: Int64?
    /// When the program was found dead, by the clocks of the boot and of the wall.
    private var death: (boot: Int64, wall: Int64)?
    private var signals: ProgramSignals

    /// What keeps a program from being started.
    package struct Refusal: Error {
        /// As execve(2) or clone(2) says it.
        package let errno: Int32
        /// Whether it was the program that could not be run. Otherwise this process may have no further one.
        package let isOfProgram: Bool
    }

    /// What is started, and how.
    package struct Plan {
        /// The program and its arguments, ended by NULL.
        package let command: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
        /// As this process found them.
        package let signals: HeldSignals
        package let leavesOrphan: Bool
        package let raisesCoreLimit: Bool
    }

    /// Starts the program in this process's group, session and directory, with its standard input and output.
    ///
    /// - Note: To be called on the main thread: the kernel kills the program when the thread that started it ends.
    /// - Parameters:
    ///   - plan: what is started.
    ///   - variables: of its environment.
    ///   - stderr: what becomes its standard error; `nil` for this process's own.
    ///   - mark: a file that gets a byte when the program starts; `nil` for none.
    ///   - clock: tells how long it runs.
    /// - Throws: ``Refusal``.
    package init(
        _ plan: Plan, variables: borrowing ProgramVariables, stderr: Int32?, mark: Int32?, clock: LinuxClock
    ) throws(Refusal) {
        let (number, error) = plan.withProgram(variables) { program in
            program.streams.2 = stderr ?? -1
            program.mark = mark ?? -1
            return (clinux_start(&program), errno)
        }
        guard number > 0 else { throw Refusal(errno: error, isOfProgram: number == Int32(clinux_is_refused)) }
        (pid, self.clock) = (number, clock)
        startedAtBoot = clock.bootMilliseconds
        signals = ProgramSignals(to: number, from: plan.signals)
    }

    /// Turns this process into the program: where there is room for one process alone, that is the program's.
    /// - Returns: what keeps the program from being run, where something does.
    package static func takePlace(_ plan: Plan, variables: borrowing ProgramVariables) -> Refusal {
        plan.withProgram(variables) { program in
            clinux_become(&program)
            return Refusal(errno: errno, isOfProgram: true)
        }
    }

    /// What is known of the program now that it runs.
    package func start(_ command: [String]) -> ProgramStart {
        ProgramStart(
            pid: pid, startTicks: ProcessFacts.startTicks(of: pid), bootID: clock.bootID,
            startedAt: clock.wallMilliseconds, command: command, path: ProcessFacts.executable(of: pid),
            workingDirectory: ProcessFacts.target("/proc/self/cwd"), user: getuid(),
            cgroup: ProcessFacts.controlGroup(of: pid))
    }

    // MARK: - Waiting

    /// Looks from now on after what is sent to this process's group. To be called as soon as the program runs, which may
    /// be signalled at once, but not while this process has the program's end of a pipe.
    /// - Parameters:
    ///   - words: the command line of this process, ended by NULL.
    ///   - note: called with the signals that have arrived before.
    package mutating func watchGroup(
        _ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, noting note: ([clinux_signal]) -> Void = { _ in }
    ) {
        let arrived = signals.taken()
        note(arrived)
        handle(arrived)
        signals.startWatch(words)
    }

    /// Waits until the program is dead, and sends signals on to it meanwhile. It stays a zombie, so that its number
    /// belongs to nobody else. What this process waits for from then on is no part of the program's life.
    /// - Parameter note: called with the signals that have arrived, before they are sent on.
    package mutating func awaitDeath(noting note: ([clinux_signal]) -> Void = { _ in }) {
        while !hasDied() {
            guard signals.wait() else {
                signals.forgetEchoes()
                continue
            }
            let arrived = signals.taken()
            note(arrived)
            handle(arrived)
        }
        death = (clock.bootMilliseconds, clock.wallMilliseconds)
        signals.endWatch()
    }

    /// Whether the program is dead. Other children that have ended are waited for: those that this process had before
    /// it became a wrapper, and as process 1 those that nobody else has.
    private mutating func hasDied() -> Bool {
        while true {
            let ended = clinux_ended_child()
            if ended == pid { return true }
            if ended == -1, errno == EINTR { continue }
            guard ended > 0 else { return ended == -1 }
            _ = waitpid(ended, nil, 0)
            signals.childHasEnded(ended)
        }
    }

    private mutating func handle(_ arrived: [clinux_signal]) {
        let wasStopped = stop != nil
        let isStoppedAnew = noteStops()
        if arrived.contains(where: { SignalRule.asksToEnd($0.number) }) { lastRequest = clock.bootMilliseconds }
        signals.pass(arrived)
        guard let stop else { return }
        let isContinued = arrived.contains { $0.number == SIGCONT }
        if isContinued, !(isStoppedAnew && wasStopped) {
            // Whoever continues us continues the program.
            _ = kill(pid, SIGCONT)
            self.stop = nil
        } else if isStoppedAnew, isJob {
            // Also where it was continued together with us, and stopped again at once: in the background it reads.
            clinux_stop_by(stop)
        }
    }

    /// - Returns: whether the program has been stopped since the last call, and still is.
    private mutating func noteStops() -> Bool {
        var isStoppedAnew = false
        while true {
            let state = clinux_stop_state(pid)
            guard state != 0 else { return isStoppedAnew }
            stop = state == Int32(clinux_is_continued) ? nil : state
            isStoppedAnew = stop != nil
        }
    }

    /// Whether a shell looks after this process as a job, and has to see it stopped when the program is: a parent in
    /// another group of the same session, with a terminal. Nobody else would continue a stopped wrapper, which then
    /// would not see how its program goes on; this process stays awake, to send signals on and to copy.
    private var isJob: Bool {
        let parent = getppid()
        guard getsid(parent) == getsid(0), getpgid(parent) != getpgrp() else { return false }
        let terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { return false }
        _ = close(terminal)
        return true
    }

    // MARK: - The end

    /// Waits for the process that looked after the group's signals: it was killed when the program died, and nobody else
    /// shall find it among the dead. To be called last, so that this waits for nothing.
    package mutating func awaitWatchEnd() { signals.awaitWatchEnd() }

    /// The name that the kernel has for the dead program: that of the file as it was called, a link's as well, or the
    /// one that the program has given itself. `nil` where there is no `/proc`.
    package var kernelName: String? { ProcessFacts.name(of: pid) }

    /// Takes the dead program out of the list of processes.
    /// - Returns: how it ended, and when ``awaitDeath(noting:)`` found it dead.
    package func end() -> ProgramEnd {
        let death = death ?? (clock.bootMilliseconds, clock.wallMilliseconds)
        var status: Int32 = 0
        var used = rusage()
        while wait4(pid, &status, 0, &used) == -1, errno == EINTR {}
        let request = lastRequest.map { death.boot - $0 }
        return ProgramEnd(
            ProgramEnd.Status(waitStatus: status), usage: ProgramEnd.Usage(used), endedAt: death.wall,
            uptimeMilliseconds: death.boot - startedAtBoot, millisecondsSinceRequest: request)
    }
}

extension ProgramProcess.Plan {
    fileprivate func withProgram<Result>(
        _ variables: borrowing ProgramVariables, _ body: (inout clinux_program) -> Result
    ) -> Result {
        let list = variables.list()
        return withUnsafePointer(to: signals.found) { found in
            var program = clinux_program()
            program.name = UnsafePointer(command[0])
            program.arguments = UnsafePointer(command)
            program.environment = UnsafePointer(list.pointer)
            program.signals = found
            program.streams = (-1, -1, -1)
            program.mark = -1
            program.dies_with_parent = leavesOrphan ? 0 : 1
            program.raises_core_limit = raisesCoreLimit ? 1 : 0
            return body(&program)
        }
    }
}

extension ProgramEnd.Status {
    /// As wait(2) gives it.
    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self =
            signal == 0
            ? .exited(code: waitStatus >> 8 & 0xff) : .signalled(signal, dumpedCore: waitStatus & 0x80 != 0)
    }

    /// Ends this process as the program has ended.
    package func leave() -> Never {
        switch self {
        case .exited(let code): exit(code)
        case .signalled(let signal, _):
            clinux_end_by(signal)
            // Process 1 is killed by no signal of its own.
            exit(128 + signal)
        }
    }
}

extension ProgramEnd.Usage {
    init(_ used: rusage) {
        self.init()
        userMilliseconds = Int64(used.ru_utime.tv_sec) * 1_000 + Int64(used.ru_utime.tv_usec) / 1_000
        systemMilliseconds = Int64(used.ru_stime.tv_sec) * 1_000 + Int64(used.ru_stime.tv_usec) / 1_000
        maximumResidentKiB = Int64(used.ru_maxrss)
        majorFaults = Int64(used.ru_majflt)
    }
}
