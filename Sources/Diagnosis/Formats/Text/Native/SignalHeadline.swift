/// A line in which a handler of signals says which one it met.
struct SignalHeadline {
    let signal: String
    let cause: Crash.Cause
    let process: Int64?

    private static let names = ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS"]
    private static let words = [("Segmentation fault", "SIGSEGV"), ("Bus error", "SIGBUS")]

    init?(_ line: ArraySlice<UInt8>) {
        guard line.count <= 512, !Self.isOfGdb(line) else { return nil }
        guard let signal = Self.signal(in: line) else { return nil }
        self.signal = signal
        let code = line.after("SEGV_")?.prefix { $0.isLetter }
        let address = line.between("(@", ")") ?? code.map { line[$0.endIndex...].trimmed } ?? line.after("address 0x")
        self.cause = Crash.Cause(
            type: signal, signal: signal, code: code.map { "SEGV_\($0.text)" },
            address: address.flatMap { ($0.dropping("0x") ?? $0).prefix { $0.hexValue != nil }.hexNumber })
        self.process = line.after("received by PID ")?.leadingDigits?.decimalNumber
    }

    /// Whether gdb wrote the line, which has a format of its own: `Program received signal SIGSEGV, Segmentation fault.`
    private static func isOfGdb(_ line: ArraySlice<UInt8>) -> Bool {
        let name = line.after(" signal SIG")?.drop { (0x41...0x5a).contains($0) }
        return name?.starts(with: ", ".utf8) == true
    }

    private static func signal(in line: ArraySlice<UInt8>) -> String? {
        if let name = self.names.first(where: { line.contains($0) }) { return name }
        let marks = ["signal ", "Signal ", "signal: ", "signo:"]
        let digits = marks.lazy.compactMap { line.after($0)?.leadingDigits }.first
        if let digits, digits.count <= 2, let number = digits.decimalNumber {
            let name = SignalName.linux(Int(number))
            return self.names.contains(name) ? name : nil
        }
        return self.words.first { line.contains($0.0) }?.1
    }
}
