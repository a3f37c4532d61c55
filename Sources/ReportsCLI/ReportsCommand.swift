import ArgumentParser
import Reports

/// `reports`: drop, submit, inspect, explain and repair a spool of diagnostic reports.
@main
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

            The spool is --spool, else $REPORTS_SPOOL, else $XDG_STATE_HOME/reports, else ~/.local/state/reports.
            """,
        version: ReportsVersion.current,
        subcommands: [
            Add.self, Submit.self, List.self, Show.self, Cat.self, Status.self, Retry.self, Remove.self,
            DoctorCommand.self,
        ])

    /// The outermost frame: every way out has its documented status.
    static func main() async {
        StandardInput.settleStandardStreams()
        Signals.ignorePipe()
        do {
            let arguments = try GlobalOptions.movedBehindCommand(Array(CommandLine.arguments.dropFirst()))
            let (parsed, files) = TrailingFiles.split(arguments)
            var command = try parseAsRoot(arguments.first == "add" ? parsed : arguments)
            if var command = command as? Add {
                command.files += files
                try await command.run()
            } else if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            ExitStatus.exit(for: error)
        }
    }
}
