import ArgumentParser
import CStartup
import DurableIO

/// `reports run`: becomes `reports-run`, a program of its own that starts in a millisecond and needs no library.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a program and drops its crash into the spool.",
        usage: "reports run [<option> ...] -- <program> [<argument> ...]",
        discussion: "This is reports-run, which lies beside reports, else in /usr/bin. It has options of its own.")

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("Options of reports-run, the program, and its arguments.", valueName: "word"))
    var words: [String] = []

    /// What reports-run ends with when it could not start a program.
    private static let cannotRun: Int32 = 125

    func run() throws {
        // The whole command line has been looked at before it was parsed.
        Self.becomeProgram(dropping: Self.commandIndex(in: GivenWords.texts).map { $0 + 1 })
    }

    /// Becomes `reports-run` if the command line is for it. To be called before anything of this process is changed
    /// that the program would inherit.
    static func becomeIfMeant() {
        let words = GivenWords.texts
        if words == ["help", configuration.commandName ?? ""] { becomeProgram(dropping: nil, help: true) }
        guard let moved = try? GlobalOptions.movedBehindCommand(words), moved.first == configuration.commandName,
            let index = commandIndex(in: words)
        else { return }
        becomeProgram(dropping: index + 1)
    }

    /// Where the command stands behind the options that may stand before it.
    private static func commandIndex(in words: [String]) -> Int? {
        var index = 0
        while index < words.count, words[index].hasPrefix("--") { index += words[index] == "--spool" ? 2 : 1 }
        return index < words.count ? index : nil
    }

    /// - Parameters:
    ///   - dropped: the place of the command among the words of the whole command line, which may be any bytes.
    ///   - help: whether only its help is asked for. The default is no.
    private static func becomeProgram(dropping dropped: Int?, help: Bool = false) -> Never {
        let hidden = cstartup_hidden_backtrace().map { (name: "SWIFT_BACKTRACE", value: $0) }
        if help {
            NeighbourProgram.become("reports-run", texts: ["--help"], setting: hidden)
        } else {
            let words = GivenWords.raw.enumerated().filter { $0.offset != 0 && $0.offset != dropped }.map(\.element)
            NeighbourProgram.become("reports-run", words, setting: hidden)
        }
        let places = NeighbourProgram.paths(of: "reports-run").joined(separator: " nor at ")
        Console.complain("'run' needs the program reports-run, which can be run neither at \(places): install it there")
        ExitStatus.leave(cannotRun)
    }
}
