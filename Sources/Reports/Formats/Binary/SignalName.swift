/// The names of signals by their numbers, which differ between systems.
enum SignalName {
    /// The name on Linux (x86 and ARM), else the number.
    static func linux(_ number: Int) -> String {
        self.name(number, in: self.linuxNames)
    }

    /// The name on Apple's systems, else the number.
    static func darwin(_ number: Int) -> String {
        self.name(number, in: self.darwinNames)
    }

    private static func name(_ number: Int, in names: [String]) -> String {
        (1...names.count).contains(number) ? "SIG\(names[number - 1])" : "signal \(number)"
    }

    private static let linuxNames = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ]

    private static let darwinNames = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "EMT", "FPE", "KILL", "BUS", "SEGV", "SYS", "PIPE", "ALRM",
        "TERM", "URG", "STOP", "TSTP", "CONT", "CHLD", "TTIN", "TTOU", "IO", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "INFO", "USR1", "USR2",
    ]
}
