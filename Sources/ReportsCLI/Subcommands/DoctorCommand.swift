import ArgumentParser
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

    private var settingsProblem: String? {
        do {
            _ = try global.settings()
            return nil
        } catch {
            return (error as? ReportsError)?.message ?? "\(error)"
        }
    }

    func run() async throws {
        Console.endsWithItsReader = !repair
        let settingsProblem = settingsProblem
        guard let spool = try global.openExisting(repair ? global.limits() : SpoolLimits()) else {
            if !global.json { Console.print("there is no spool at \(try global.path())") }
            return
        }
        if repair {
            for line in try await Doctor(spool: spool).repair() { Console.complain("repaired: \(line)") }
        }
        var hasError = false
        var count = 0
        func tell(_ finding: Doctor.Finding) {
            if finding.level == .error { hasError = true }
            count += 1
            if global.json { return Console.print(finding.json) }
            Console.print(Printable.text("\(finding.level.rawValue): \(finding.subject): \(finding.message)"))
        }
        try Doctor(spool: spool).examine(tell)
        if let settingsProblem {
            tell(Doctor.Finding(level: .error, subject: "settings", message: settingsProblem))
        }
        if count == 0, !global.json { Console.print("all is well") }
        if hasError { ExitStatus.leave(ExitStatus.badData) }
    }
}
