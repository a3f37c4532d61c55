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

    /// The word for a limit that was given as an option: limits belong to the spool, not to one command.
    static func limitGiven(in arguments: [String]) -> ValidationError? {
        for setting in Setting.allCases where setting.isLimit {
            let isGiven = arguments.contains { word in
                let name = word.prefix { $0 != "=" }.replacing("_", with: "-")
                return name == setting.option
            }
            guard isGiven else { continue }
            return ValidationError(
                "\(setting.option) is no option: set \(setting.rawValue) in the spool's reports.json, or "
                    + "$\(setting.variable).")
        }
        return nil
    }
}
