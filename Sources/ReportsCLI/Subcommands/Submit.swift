import ArgumentParser
import DurableIO
import Reports

/// `reports submit`
struct Submit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Takes drops in and sends what is due, then exits.",
        usage: "reports submit [--endpoint <url>] [<options>]",
        discussion: """
            What the server put off waits until the time it named, across restarts; only --wait sleeps for it. \
            Status 0: all is delivered. 75: something is waiting or held, and not by a route. 65: nothing waits, but the server rejected \
            something; or, whatever waits, something was evicted to keep a limit of the spool other than max_per_signature. 78: no usable endpoint, \
            or bad configuration.

            \(SendingOptions.otherPlaces)

            Example:
              reports submit \(SendingOptions.example)
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var sending: SendingOptions

    // Whatever stands behind a number's name is its value: -1 is a wrong number, not an option.
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "End after this many seconds; unfinished reports go back to the queue. Default: none.",
            discussion: "A report that needs longer is sent by a run without a deadline.", valueName: "seconds"))
    var deadline: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Wait for reports that become due within this many seconds. Default: 0.", valueName: "seconds"))
    var wait: Double?

    /// What a deadline and a wait may be.
    private static let seconds: ClosedRange<Double> = 0...31_536_000

    func validate() throws {
        for (name, value) in [("deadline", deadline), ("wait", wait)] {
            guard let value else { continue }
            guard Self.seconds.contains(value) else {
                throw ValidationError("--\(name) \(value): give seconds from 0 to a year.")
            }
        }
    }

    func run() async throws {
        try global.tellOfRootsRuns()
        let settings = try global.settings(sending)
        for line in SettingsDescription.hints(settings) { Console.complain(line) }
        guard let routing = try settings.routing() else {
            throw ReportsError(.badConfiguration, settings.noEndpointWords)
        }
        let router = try Router(routing)
        for line in try router.checkSurroundings() { Console.complain("\(line); its reports wait") }
        let spool = try global.openOrMake(settings)
        let submission = submission(of: spool, routing, settings)
        let telling = SubmissionTelling(spool: spool, isJSON: global.json, destinations: router.origins)
        do {
            let outcome = try await Signals.cancelling { try await submission.run() }
            telling.tell(outcome.result)
            if let signal = outcome.signal { ExitStatus.leave(Signals.status(of: signal)) }
            ExitStatus.leave(status(of: outcome.result))
        } catch let error as InterruptedBySignal {
            Console.endProgress()
            ExitStatus.leave(Signals.status(of: error.number))
        }
    }

    private func submission(of spool: ReportSpool, _ routing: Routing, _ settings: Settings) -> Submission {
        var configuration = SpoolOwner.Configuration(routing: routing)
        configuration.maximumConcurrent = settings.sending.maximumConcurrent
        configuration.connection = settings.connection
        if Console.errorIsTerminal {
            configuration.onSettled = { progress in
                Console.progress("sent \(progress.attempts), delivered \(progress.delivered)")
            }
        }
        var submission = Submission(spool: spool, configuration: configuration)
        submission.deadline = deadline.map { Int64($0 * 1_000) }
        if deadline == nil {
            submission.onWaiting = { owner, patience in
                Console.complain(
                    "another process\(LockHolder.words(owner)) is at work on this spool: "
                        + "waiting for it, at most \(patience / 1_000) s (--deadline sets another limit)")
            }
        }
        submission.wait = wait.flatMap { $0 > 0 ? Int64($0 * 1_000) : nil }
        return submission
    }

    private func status(of summary: SubmissionSummary) -> Int32 {
        // Reports are lost for good, which waiting for the next run does not mend.
        if summary.evicted > summary.braked || summary.lost > 0 { return ExitStatus.badData }
        // What a route holds waits for nothing.
        if summary.waiting > 0 || summary.held > summary.heldByRoute || summary.isOwnedElsewhere {
            return ExitStatus.temporaryFailure
        }
        if summary.rejected > 0 || summary.exhausted > 0 { return ExitStatus.badData }
        return ExitStatus.done
    }
}
