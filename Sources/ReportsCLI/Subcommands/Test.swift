import ArgumentParser
import DurableIO
import Reports

/// `reports test`
struct Test: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Tries each destination: connects, and shows the request of a report.",
        usage: "reports test [<destination>] [--send] [<options of submit>]",
        discussion: """
            Resolves the name, connects, by the proxy if there is one, shakes hands, and prints the request by which a \
            report would be sent, with secrets masked. Nothing is sent. With --send, one report of kind other with the \
            annotation reports.test=true is sent as well; it stays at the server until you delete it there. The \
            spool is not touched, and what keeps submit from sending, as a time that the server named, does not \
            count here.

            Status 0: all went well. 75: something could not be reached, or the server cannot take a report now. 65: \
            the server rejected the report. 78: a setting is wrong: what the server said is printed. Of several, 78 \
            comes first, then 65, then 75.

            Example:
              reports test --endpoint 'https://example.com/reports/{id}' --header @/etc/token --send
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var sending: SendingOptions

    @Argument(help: ArgumentHelp("The name of a destination. Default: all.", valueName: "destination"))
    var destination: String?

    @Flag(name: .long, help: "Send one report, which says that it is a test.")
    var send = false

    func run() async throws {
        let settings = try global.settings(sending)
        for line in SettingsDescription.hints(settings) { Console.complain(line) }
        let trials = try DestinationTrials(settings, only: destination, sends: send)
        // A spool that is named has to be there, as for other commands.
        _ = try global.openExisting(settings)
        let isJSON = global.json
        do {
            let outcome = try await Signals.cancelling { await trials.run { Self.tell($0, isJSON: isJSON) } }
            if let signal = outcome.signal { ExitStatus.leave(Signals.status(of: signal)) }
            ExitStatus.leave(Self.status(of: outcome.result))
        } catch let error as InterruptedBySignal {
            ExitStatus.leave(Signals.status(of: error.number))
        }
    }

    private static func tell(_ result: TrialResult, isJSON: Bool) {
        if isJSON { return Console.print(result.json) }
        for line in result.lines { Console.print(Printable.text(line)) }
    }

    private static func status(of verdict: TrialResult.Verdict) -> Int32 {
        switch verdict {
        case .fine: ExitStatus.done
        case .notNow: ExitStatus.temporaryFailure
        case .rejected: ExitStatus.badData
        case .misconfigured: ExitStatus.badConfiguration
        }
    }
}
