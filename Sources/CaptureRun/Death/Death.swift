import Diagnosis

/// What the end of a program was, and whether it is to be told of.
package struct Death: Hashable, Sendable {
    package enum Cause: String, Sendable, CaseIterable {
        /// A signal ended it.
        case signal
        /// It has ended itself with another status than 0.
        case exit
        /// The kernel killed it for want of memory.
        case oom
        /// Somebody killed it.
        case killed
        /// It went on and ended well, and its runtime has left a report.
        case file
        /// Nobody knows: the process that watched it died as well.
        case lost
    }

    package let cause: Cause
    /// Whether reports are made of it.
    package let isTold: Bool
    /// Whether something has died: one of the reports is a crash then. An end that is told of only because every end is,
    /// and a report of a program that ended well, may be none.
    package let isDeath: Bool
    /// The signal that a launcher has made an exit status of, as far as that can be told.
    package var hiddenSignal: Int32?

    /// What the program has left.
    package struct Traces: Hashable, Sendable {
        /// Whether a runtime has left a report.
        package var hasReport = false
        /// Whether such a report tells of a crash.
        package var hasCrash = false
        /// Whether standard error tells of a crash.
        package var hasCrashText = false
        /// How many processes were killed for want of memory.
        package var memoryKills: UInt64 = 0

        package init() {}
    }

    /// A program that gets this long after a request to end is killed for not ending, in milliseconds.
    static let graceAfterRequest: Int64 = 2_000

    /// Judges an end.
    package init(_ end: ProgramEnd, _ traces: Traces, on occasions: RunOptions.Occasions) {
        switch end.status {
        case .signalled(let signal, _): self.init(signal: signal, end, traces, occasions)
        case .exited(let code): self.init(code: code, end, traces, occasions)
        }
    }

    private init(_ cause: Cause, isTold: Bool, isDeath: Bool, hiddenSignal: Int32? = nil) {
        self.cause = cause
        self.isTold = isTold
        self.isDeath = isDeath
        self.hiddenSignal = hiddenSignal
    }

    private init(
        signal: Int32, _ end: ProgramEnd, _ traces: Traces, _ occasions: RunOptions.Occasions
    ) {
        let isAsked = !occasions.isDisjoint(with: [.kill, .any])
        let hasReport = traces.hasReport && occasions.contains(.file)
        if signal == Signal.kill {
            let isOOM = traces.memoryKills > 0
            let isRequested = end.millisecondsSinceRequest.map { $0 <= Self.graceAfterRequest } ?? false
            let isCrash = occasions.contains(.crash) && (isOOM || !isRequested)
            self.init(isOOM ? .oom : .killed, isTold: isCrash || isAsked || hasReport, isDeath: true)
        } else {
            let isCrash = occasions.contains(.crash) && Signal.faults.contains(signal)
            self.init(.signal, isTold: isCrash || isAsked || hasReport, isDeath: true)
        }
    }

    private init(code: Int32, _ end: ProgramEnd, _ traces: Traces, _ occasions: RunOptions.Occasions) {
        let hasReport = traces.hasReport && occasions.contains(.file)
        guard code != 0 else {
            let isTold = hasReport || occasions.contains(.any)
            self.init(traces.hasReport ? .file : .exit, isTold: isTold, isDeath: false)
            return
        }
        let isAsked = !occasions.isDisjoint(with: [.exit, .any])
        let hidden = Signal.hidden(in: code)
        let isOOM = hidden == Signal.kill && traces.memoryKills > 0
        let isFault = hidden.map { Signal.faults.contains($0) } ?? false
        let hasCrash = traces.hasCrash || traces.hasCrashText && !end.isAnswerToRequest
        let isCrash = occasions.contains(.crash) && (hasCrash || isFault || isOOM)
        self.init(
            isOOM ? .oom : .exit, isTold: isCrash || isAsked || hasReport, isDeath: true, hiddenSignal: hidden)
    }
}

extension ProgramEnd {
    /// Whether the program was asked to end, and has ended itself as one that dies by the request. What its standard
    /// error tells of was no reason to end then.
    package var isAnswerToRequest: Bool {
        guard millisecondsSinceRequest != nil, case .exited(let code) = status else { return false }
        return SignalRule.asksToEnd(code - 128)
    }
}

/// The signals that say how a program died.
enum Signal {
    static let kill: Int32 = 9
    /// A fault of the program, or the kernel's word that it has used up what it may use: ILL TRAP ABRT BUS FPE SEGV XCPU
    /// XFSZ SYS.
    static let faults: Set<Int32> = [4, 5, 6, 7, 8, 11, 24, 25, 31]

    static func name(_ number: Int32) -> String { SignalName.linux(Int(number)) }

    /// The signal that a launcher has made an exit status of: 128 + n is a shell's, and -n (245, 250) that of scripts
    /// which pass on what Python calls a return code.
    static func hidden(in code: Int32) -> Int32? {
        let shell = code - 128
        if faults.contains(shell) || shell == kill { return shell }
        return [245, 250].contains(code) ? 256 - code : nil
    }
}
