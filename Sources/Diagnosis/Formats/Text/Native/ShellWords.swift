/// What shells say about a signal that ended a program.
struct ShellWords {
    let signal: String
    let words: String
    let program: String?
    let process: Int64?

    static let signals = [
        (words: "Segmentation fault", signal: "SIGSEGV"), (words: "Aborted", signal: "SIGABRT"),
        (words: "Killed", signal: "SIGKILL"), (words: "Bus error", signal: "SIGBUS"),
        (words: "Illegal instruction", signal: "SIGILL"), (words: "Floating point exception", signal: "SIGFPE"),
        (words: "Trace/breakpoint trap", signal: "SIGTRAP"), (words: "Bad system call", signal: "SIGSYS"),
    ]

    /// The words in a line that has nothing else; `nil` for any other line.
    static func death(in line: ArraySlice<UInt8>) -> ShellWords? {
        guard line.count <= 4_096 else { return nil }
        for (words, signal) in self.signals {
            if let rest = line.dropping(words) {
                guard rest.isEmpty || rest.elementsEqual(" (core dumped)".utf8) else { return nil }
                return ShellWords(signal: signal, words: words, program: nil, process: nil)
            }
        }
        return self.ofScript(line) ?? self.ofMake(line) ?? self.ofZsh(line)
    }

    /// `./run.sh: line 3:  5409 Aborted                 (core dumped) ./shopd --port 80`
    private static func ofScript(_ line: ArraySlice<UInt8>) -> ShellWords? {
        guard let number = line.after(": line ")?.leadingDigits,
            let rest = line[number.endIndex...].dropping(":")?.trimmed, let process = rest.leadingDigits
        else { return nil }
        let behind = rest[process.endIndex...].trimmed
        for (words, signal) in self.signals {
            guard var command = behind.dropping(words), command.first?.isBlank ?? true else { continue }
            command = command.trimmed
            command = (command.dropping("(core dumped)") ?? command).trimmed
            return ShellWords(
                signal: signal, words: words, program: self.program(in: command), process: process.decimalNumber)
        }
        return nil
    }

    /// The name of the program in a command, behind settings of the environment.
    private static func program(in command: ArraySlice<UInt8>) -> String? {
        let words = command.split(whereSeparator: \.isBlank)
        let program = words.first { !$0.contains(UInt8(ascii: "=")) }
        return program?.lastPathComponent.text.nonEmpty
    }

    /// `make: *** [Makefile:12: check] Segmentation fault (core dumped)`
    private static func ofMake(_ line: ArraySlice<UInt8>) -> ShellWords? {
        guard line.starts(with: "make".utf8), let opening = line.range(of: ": *** ["),
            let end = line[opening.upperBound...].range(of: "] ")
        else { return nil }
        return self.plain(line[end.upperBound...])
    }

    /// `zsh: segmentation fault (core dumped)  ./shopd --port 80`
    private static func ofZsh(_ line: ArraySlice<UInt8>) -> ShellWords? {
        guard let rest = line.dropping("zsh: ") else { return nil }
        let names = [
            ("segmentation fault", "SIGSEGV"), ("abort", "SIGABRT"), ("killed", "SIGKILL"), ("bus error", "SIGBUS"),
            ("illegal hardware instruction", "SIGILL"), ("floating point exception", "SIGFPE"),
            ("trace trap", "SIGTRAP"),
        ]
        guard let (words, signal) = names.first(where: { rest.starts(with: $0.0.utf8) }) else { return nil }
        let command = rest.dropFirst(words.utf8.count).trimmed
        return ShellWords(
            signal: signal, words: words,
            program: self.program(in: (command.dropping("(core dumped)") ?? command).trimmed), process: nil)
    }

    private static func plain(_ text: ArraySlice<UInt8>) -> ShellWords? {
        self.signals.first { words, _ in
            text.elementsEqual(words.utf8) || text.elementsEqual("\(words) (core dumped)".utf8)
        }.map { ShellWords(signal: $0.signal, words: $0.words, program: nil, process: nil) }
    }
}
