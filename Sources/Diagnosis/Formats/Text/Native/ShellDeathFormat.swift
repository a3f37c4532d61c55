/// The words of a shell about a program that a signal has ended, at the end of a capture.
///
/// ```
/// Segmentation fault (core dumped)
/// ./run.sh: line 3:  5409 Aborted                 (core dumped) ./shopd --port 80
/// zsh: segmentation fault (core dumped)  ./shopd
/// make: *** [Makefile:12: check] Segmentation fault (core dumped)
/// ```
/// They are a word, not a cause: whatever else tells of a crash in the same capture counts more. In the middle of a text
/// they may be an example in a manual, so only the last lines are looked at.
enum ShellDeathFormat: TextFormat {
    static let marks: [LineMark] =
        ShellWords.signals.map { .beginning($0.words) }
        + [.containing(": line "), .beginning("zsh: "), .beginning("make")]

    static let words = ShellWords.signals.map(\.words) + ["zsh: "]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        guard let place = places.last, text.gap.map({ place >= $0 }) ?? true,
            text.lines[(place + 1)...].prefix(16).allSatisfy(self.isOfLauncher),
            text.lines.count - place <= 16, let death = ShellWords.death(in: text.lines[place])
        else { return nil }
        let crash = Crash(
            program: death.program ?? text.origin?.name, process: death.process ?? text.origin?.process,
            cause: Crash.Cause(type: death.signal, message: death.words, signal: death.signal))
        return TextFinding(crash, format: "shell-death", severity: .death, line: place)
    }

    /// Whether a line may follow the shell's words: blank, or what tells the exit status.
    private static func isOfLauncher(_ line: ArraySlice<UInt8>) -> Bool {
        let line = line.trimmed
        return line.isEmpty || line.starts(with: "exit ".utf8) || line.starts(with: "rc ".utf8)
            || line.starts(with: "make".utf8) || line.starts(with: "Command ".utf8)
    }
}
