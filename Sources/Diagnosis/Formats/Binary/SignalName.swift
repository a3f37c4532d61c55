/// The names of signals by their numbers, which differ between systems.
package enum SignalName {
    /// The systems and processors that number signals in a way of their own.
    enum System: Sendable {
        /// Linux on all processors that have no case here.
        case linux
        case mips
        case sparc
        case alpha
        /// Apple's systems, FreeBSD, NetBSD and OpenBSD.
        case bsd

        /// The system of a crash. The processors with numbers of their own are those of old workstations and routers.
        init(_ system: Crash.System) {
            let name = system.name ?? "Linux"
            let isLinux = ["Linux", "Android"].contains { name.hasPrefix($0) }
            let processor = system.architecture ?? ""
            switch (isLinux, processor) {
            case (true, _) where processor.hasPrefix("mips"): self = .mips
            case (true, _) where processor.hasPrefix("sparc"): self = .sparc
            case (true, "alpha"): self = .alpha
            case (true, _): self = .linux
            case (false, _): self = .bsd
            }
        }
    }

    /// The name on a system, else the number.
    static func name(of number: Int, on system: System) -> String {
        switch system {
        case .linux: self.name(number, in: self.linuxNames)
        case .mips: self.name(number, in: self.mipsNames)
        case .sparc: self.name(number, in: self.sparcNames)
        case .alpha: self.name(number, in: self.alphaNames)
        case .bsd: self.name(number, in: self.darwinNames)
        }
    }

    /// The name on Linux (x86 and ARM), else the number.
    package static func linux(_ number: Int) -> String {
        self.name(of: number, on: .linux)
    }

    /// The name on Apple's systems, else the number.
    static func darwin(_ number: Int) -> String {
        self.name(of: number, on: .bsd)
    }

    /// The number of a name on a system; `nil` for a name that it does not have.
    static func number(of name: String, on system: System) -> Int? {
        (1...31).first { self.name(of: $0, on: system) == name }
    }

    private static func name(_ number: Int, in names: [String]) -> String {
        (1...names.count).contains(number) ? "SIG\(names[number - 1])" : "signal \(number)"
    }

    private static let linuxNames = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ]

    private static let mipsNames = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "EMT", "FPE", "KILL", "BUS", "SEGV", "SYS", "PIPE", "ALRM",
        "TERM", "USR1", "USR2", "CHLD", "PWR", "WINCH", "URG", "IO", "STOP", "TSTP", "CONT", "TTIN", "TTOU", "VTALRM",
        "PROF", "XCPU", "XFSZ",
    ]

    private static let sparcNames = Array(darwinNames[..<28]) + ["LOST", "USR1", "USR2"]

    private static let alphaNames = Array(darwinNames[..<28]) + ["PWR", "USR1", "USR2"]

    private static let darwinNames = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "EMT", "FPE", "KILL", "BUS", "SEGV", "SYS", "PIPE", "ALRM",
        "TERM", "URG", "STOP", "TSTP", "CONT", "CHLD", "TTIN", "TTOU", "IO", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "INFO", "USR1", "USR2",
    ]
}

/// The names of the codes that say why a signal was sent (`sigaction(2)`).
enum SignalCode {
    /// The kernel's own code. Codes between 0 and it are of faults.
    static let kernel: Int32 = 0x80

    /// Whether the signal is one of a fault in the program, which has an address.
    static func isOfFault(_ signal: String) -> Bool {
        ["SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP"].contains(signal)
    }

    /// The name on Linux; `nil` for a number that has none.
    static func linux(_ code: Int, of signal: String) -> String? {
        if let names = self.faults[signal], (1...names.count).contains(code) {
            return "\(signal.dropFirst(3))_\(names[code - 1])"
        }
        switch code {
        case 0: return "SI_USER"
        case -1: return "SI_QUEUE"
        case -2: return "SI_TIMER"
        case -3: return "SI_MESGQ"
        case -4: return "SI_ASYNCIO"
        case -5: return "SI_SIGIO"
        case -6: return "SI_TKILL"
        case Int(self.kernel): return "SI_KERNEL"
        default: return nil
        }
    }

    /// The name on FreeBSD; `nil` for a number that has none.
    static func freeBSD(_ code: Int, of signal: String) -> String? {
        switch code {
        case 0x10001: "SI_USER"
        case 0x10002: "SI_QUEUE"
        case 0x10006: "SI_KERNEL"
        case 0x10007: "SI_LWP"
        case 1, 2: signal == "SIGSEGV" || signal == "SIGBUS" ? self.linux(code, of: signal) : nil
        default: nil
        }
    }

    private static let faults: [String: [String]] = [
        "SIGILL": ["ILLOPC", "ILLOPN", "ILLADR", "ILLTRP", "PRVOPC", "PRVREG", "COPROC", "BADSTK", "BADIADDR"],
        "SIGFPE": ["INTDIV", "INTOVF", "FLTDIV", "FLTOVF", "FLTUND", "FLTRES", "FLTINV", "FLTSUB"],
        "SIGSEGV": [
            "MAPERR", "ACCERR", "BNDERR", "PKUERR", "ACCADI", "ADIDERR", "ADIPERR", "MTEAERR", "MTESERR", "CPERR",
        ],
        "SIGBUS": ["ADRALN", "ADRERR", "OBJERR", "MCEERR_AR", "MCEERR_AO"],
        "SIGTRAP": ["BRKPT", "TRACE", "BRANCH", "HWBKPT", "UNK", "PERF"],
        "SIGSYS": ["SECCOMP", "USER_DISPATCH"],
    ]
}

extension Crash {
    /// The number of the signal that ended the process, on the system of the crash, or else on Linux; `nil` without a
    /// signal, and for a name that the system does not have.
    package var signalNumber: Int64? {
        guard let name = self.cause.signal else { return nil }
        return SignalName.number(of: name, on: SignalName.System(self.system)).map(Int64.init)
    }
}
