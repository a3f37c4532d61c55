import ArgumentParser
import Reports

/// `reports`: drop, submit, inspect, explain and repair a spool of diagnostic reports.
struct ReportsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reports",
        abstract: "Gets crash and diagnostic reports to a server, whatever dies in between.",
        usage: "reports <command> [--spool <dir>] [--json]",
        discussion: """
            Reports wait in a spool directory until the server has them. Programs drop files into its incoming/ \
            directory, or you add them here; submit sends what is due and remembers what is not.

            Example:
              reports add core.1234 --kind crash --annotate version=2.1
              reports submit --endpoint 'https://diagnostics.example.com/reports/{id}'
              reports list

            The spool is --spool, else $REPORTS_SPOOL, else /var/lib/reports for root and its owner, where it is a \
            spool, else $XDG_STATE_HOME/reports, else ~/.local/state/reports.
            """,
        version: ReportsVersion.current,
        subcommands: [
            Add.self, Submit.self, Watch.self, List.self, Show.self, Cat.self, Status.self, Retry.self, Remove.self,
            DoctorCommand.self, SettingsCommand.self, Test.self, Check.self, Metrics.self, Run.self,
        ])

    /// The outermost frame: every way out has its documented status.
    static func answer() {
        Run.becomeIfMeant()
        StandardInput.settleStandardStreams()
        Signals.ignorePipe()
        do {
            let given = GivenWords.texts
            let arguments = try GlobalOptions.movedBehindCommand(given)
            let commands = configuration.subcommands.compactMap { $0.configuration.commandName }
            try CommandWords.check(arguments, among: commands)
            let (words, files) = TrailingFiles.split(arguments)
            var command = try parsed(arguments.first == "add" ? words : arguments)
            if command is Watch { GlobalJobs.takeOver() }
            if var adding = command as? Add {
                adding.files += files
                command = adding
            }
            guard let command = command as? any AsyncParsableCommand else { return try command.run() }
            MainThread.wait {
                var command = command
                do { try await command.run() } catch { exitTelling(error) }
            }
        } catch {
            exitTelling(error)
        }
    }

    private static func exitTelling(_ error: any Error) -> Never {
        answerForMonitoring(error)
        exitExplaining(error)
    }

    /// Answers what went wrong as monitoring systems read it; returns when the command line is not for `check`, or asks
    /// for help.
    private static func answerForMonitoring(_ error: any Error) {
        let given = GivenWords.texts
        let commands = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard Check.isMeant(by: given, among: commands), exitCode(for: error) != .success else { return }
        Check.answer(error: (error as? ReportsError)?.message ?? message(for: error), to: given)
    }

    /// Says what went wrong, in one line on stderr, and leaves with its status.
    private static func exitExplaining(_ error: any Error) -> Never {
        if let code = error as? ExitCode { ExitStatus.leave(code.rawValue) }
        if let error = error as? ReportsError {
            Console.complain(error.message)
            ExitStatus.leave(ExitStatus.of(error))
        }
        if error is CancellationError { ExitStatus.leave(ExitStatus.interrupted) }
        // Help, version and usage errors are the parser's; its status for the latter is 64.
        let text = fullMessage(for: error)
        let status = exitCode(for: error).rawValue
        guard status != 0 || !text.isEmpty else { ExitStatus.leave(0) }
        if status == 0 {
            Console.print(text)
            ExitStatus.leave(0)
        }
        if error is any CustomStringConvertible, status == 1 {
            Console.complain("\(error)")
            ExitStatus.leave(ExitStatus.unavailable)
        }
        Console.complainPlainly(text)
        ExitStatus.leave(status)
    }

    /// What a command line asks for.
    private static func parsed(_ arguments: [String]) throws -> any ParsableCommand {
        do {
            return try parseAsRoot(arguments)
        } catch {
            // The parser has no word for a setting that is none of its options.
            throw CommandWords.spoolSettingGiven(in: arguments) ?? error
        }
    }
}

/// The program. Its `main` does not suspend: see `MainThread`.
@main
enum Program {
    static func main() { ReportsCommand.answer() }
}
