import ArgumentParser
import DurableIO
import Reports

/// What is said of words on the command line that the argument parser cannot explain.
enum CommandWords {
    /// Refuses a first word that is no command, with the command that it resembles.
    ///
    /// The parser takes it for a surplus value, and says neither what the commands are nor which one was meant.
    static func check(_ arguments: [String], among commands: [String]) throws {
        let isHelp = arguments.first == "help"
        guard let word = isHelp ? arguments.dropFirst().first : arguments.first, !word.hasPrefix("-") else { return }
        guard !commands.contains(word), word != "help" else { return }
        let meant = NearestName.of(word, among: commands + ["help"])
        let hint = meant.map { "Did you mean '\($0)'?" } ?? "Commands are \(commands.joined(separator: ", "))."
        throw ValidationError("There is no command '\(Printable.text(word))'. \(hint)")
    }

    /// The word for a limit, or for the annotations of all reports, given as an option: they belong to the spool, not to
    /// one command.
    static func spoolSettingGiven(in arguments: [String]) -> ValidationError? {
        let limits = Setting.allCases.filter(\.isLimit).map { ($0.option, $0.rawValue, $0.variable) }
        for (option, name, variable) in limits + [("--annotations", "annotations", "REPORTS_ANNOTATIONS")] {
            let isGiven = arguments.contains { $0.prefix { $0 != "=" }.replacing("_", with: "-") == option }
            guard isGiven else { continue }
            return ValidationError(
                "\(option) is no option: set \(name) in the spool's reports.json, or $\(variable).")
        }
        return nil
    }
}
