import ArgumentParser
import DurableIO
import Reports

/// `reports doctor`
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Checks every file and row, and mends what it can with --repair.",
        discussion: """
            Reads every stored byte. Status 65 when an error is left.

            Example:
              reports doctor --repair
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(name: .long, help: "Mend permissions, and files and records that disagree. Nothing is deleted.")
    var repair = false

    /// A spool that nobody looks at any more, since the machine has one.
    private func leftSpoolFinding() throws -> Doctor.Finding? {
        let location = try global.location()
        return location.leftBehind.map { left in
            Doctor.Finding(
                level: .note, subject: left.string,
                message: "is a spool that is not looked at any more, because \(location.path) is the default now: "
                    + "'reports submit --spool \(left)' sends what is in it")
        }
    }

    private func findings(_ settings: Result<Settings, any Error>) -> [Doctor.Finding] {
        switch settings {
        case .success(let settings):
            var notes = SettingsDescription.notes(settings)
            // The words name the files that were not read, too.
            if settings.isOfMachine, let words = settings.missingEndpointWords { notes = [words] }
            return notes.map { Doctor.Finding(level: .note, subject: "settings", message: $0) }
        case .failure(let error):
            let message = (error as? ReportsError)?.message ?? "\(error)"
            return [Doctor.Finding(level: .error, subject: "settings", message: message)]
        }
    }

    /// The settings of the spool that repairing keeps, which a fault in other settings does not touch.
    private func spoolSettings(_ settings: Result<Settings, any Error>) throws -> Settings {
        guard repair else { return Settings() }
        if case .success(let settings) = settings { return settings }
        return try global.spoolSettings()
    }

    func run() async throws {
        Console.endsWithItsReader = !repair
        // Before root becomes the spool's owner, who may not look there.
        let leftSpool = try leftSpoolFinding()
        if repair { try global.tellOfRootsRuns() }
        let settings = Result { try global.settings() }
        guard let spool = try global.openExisting(spoolSettings(settings)) else {
            if !global.json { Console.print(try global.missingSpoolWords("doctor")) }
            return
        }
        if repair {
            for line in try await Doctor(spool: spool).repair() { Console.complain("repaired: \(line)") }
        }
        let otherFindings = [leftSpool].compactMap(\.self) + findings(settings.learningFacts(of: spool))
        var hasError = false
        var count = 0
        func tell(_ finding: Doctor.Finding) {
            if finding.level == .error { hasError = true }
            count += 1
            if global.json { return Console.print(finding.json) }
            Console.print(Printable.text("\(finding.level.rawValue): \(finding.subject): \(finding.message)"))
        }
        try Doctor(spool: spool, namedDestinations: (try? settings.get())?.destinationNames).examine(tell)
        for finding in otherFindings { tell(finding) }
        if count == 0, !global.json {
            Console.print("files and ledger agree; 'reports check' says whether reports go out")
        }
        if hasError { ExitStatus.leave(ExitStatus.badData) }
    }
}
