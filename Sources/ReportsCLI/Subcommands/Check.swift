import ArgumentParser
import Dispatch
import DurableIO
import Reports
import Synchronization

/// `reports check`
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Says in one line whether reports go out, as a monitoring plugin does.",
        discussion: """
            Prints one line, as Nagios, Icinga and others read it, and ends with its status:

            0 OK: nothing has to be done.

            1 WARNING: reports were rejected or given up; the server forbids a report, gives no proof of receipt, or \
            a report killed its sender (held); a drop cannot be taken; max_per_signature has left reports of a crash loop out within --since; the spool is 90 % full; the machine's spool has no \
            endpoint, or its user may not read /etc/reports/reports.json.

            2 CRITICAL: a report is undelivered for longer than --max-age; a report waits and no endpoint is set; \
            nothing goes to a server until a person acts (held: auth, tls, redirect, portal, encoding, rejecting, destination, clock); another limit has cost reports within --since; \
            the spool is full, or its disk below min_free_space; the ledger, a directory of the spool or a setting \
            cannot be used.

            3 UNKNOWN: there is no spool, it cannot be read, or the command line is wrong.

            A report that waits for a server's Retry-After, or for a server that is down, counts by its age alone. \
            What a route holds is no problem. If destinations have names, the line names that of late and held reports. \
            D is a whole number from 1 with s, m, h or d.

            Example:
              reports check --max-age 26h --max-parked 5
            """)

    @OptionGroup var global: GlobalOptions

    // Unconditional: -1 behind an option's name is a wrong number, not another option.
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("How long a report may stay undelivered. Default: 1d.", valueName: "d"))
    var maxAge: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("How many reports may lie rejected or exhausted. Default: 0.", valueName: "n"))
    var maxParked: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("For how long an evicted report counts. Default: 1d.", valueName: "d"))
    var since: String?

    func validate() throws { _ = try thresholds() }

    private func thresholds() throws -> SpoolCheck.Thresholds {
        func milliseconds(_ option: String, _ text: String) throws -> Int64 {
            guard let time = TimeSpan.milliseconds(text) else {
                throw ValidationError("\(option) \(Printable.text(text)): give \(TimeSpan.expectation).")
            }
            return time
        }
        var thresholds = SpoolCheck.Thresholds()
        if let maxAge { thresholds.maximumAge = try milliseconds("--max-age", maxAge) }
        if let since { thresholds.evictionMemory = try milliseconds("--since", since) }
        if let maxParked {
            guard let count = Int(maxParked), count >= 0 else {
                throw ValidationError("--max-parked \(Printable.text(maxParked)): give a number from 0.")
            }
            thresholds.maximumParked = count
        }
        return thresholds
    }

    /// Monitoring systems wait 10 s or longer for a plugin.
    private static let patience = DispatchTimeInterval.seconds(8)

    func run() async throws {
        let isJSON = global.json
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.patience) {
            Self.answer(unknown: "no answer within 8 s: the spool's disk does not answer", isJSON: isJSON)
        }
        let check = SpoolCheck(try figures(thresholds()), try thresholds())
        Self.answer(check.level) {
            if isJSON { Console.print(check.json) } else { Console.print(check.line) }
        }
    }

    private func figures(_ thresholds: SpoolCheck.Thresholds) throws -> SpoolFigures {
        let settings = Result { try global.settings() }
        guard let spool = try global.openExisting((try? settings.get()) ?? Settings()) else {
            let advice = try global.location().sharedByMachine == nil ? ": run 'reports submit' once" : ""
            throw ReportsError(.noSuchFile, try global.missingSpoolWords("check") + advice)
        }
        var figures = try SpoolInspector(spool: spool, isHasty: true)
            .figures(evictedWithin: thresholds.evictionMemory)
        figures.add(settings)
        return figures
    }

    // MARK: - Answering

    /// The thread that holds it prints the one line and ends the process. Another thread waits for that end.
    private static let turn = Mutex(())

    private static func answer(_ level: SpoolCheck.Level, _ print: () -> Void) -> Never {
        turn.withLock { _ in
            Console.statusWhenUnprintable = SpoolCheck.Level.unknown.rawValue
            print()
            ExitStatus.leave(level.rawValue)
        }
    }

    private static func answer(unknown message: String, isJSON: Bool) -> Never {
        answer(.unknown) {
            if isJSON {
                Console.print(SpoolCheck.json(unknown: message))
            } else {
                Console.print(SpoolCheck.line(unknown: message))
            }
        }
    }

    /// Answers an error with UNKNOWN, on standard output, where monitoring systems look.
    static func answer(error message: String, to arguments: [String]) -> Never {
        answer(unknown: message, isJSON: arguments.contains("--json"))
    }

    /// Whether a command line is for this command, though it may be wrong.
    static func isMeant(by arguments: [String], among commands: [String]) -> Bool {
        let moved = (try? GlobalOptions.movedBehindCommand(arguments))?.first
        let command = moved.flatMap { commands.contains($0) ? $0 : nil } ?? arguments.first(where: commands.contains)
        return command == configuration.commandName
    }
}
