import Glibc
import Reports

/// A program that reports its own crashes.
///
/// Each start sends what the last crash left behind, then does the work. Everything a program of yours needs is in
/// `startReporting`; the rest reads options and stands in for real work.
@main
struct EmbeddedReporter {
    static func main() async {
        let options = Options(CommandLine.arguments.dropFirst())
        let reporter = await startReporting(options)
        settleOrders(isCrashing: options.isCrashing)
        // Gives back what is still under way; the next start sends it.
        await reporter?.shutdown()
    }

    private static func startReporting(_ options: Options) async -> Reporter? {
        do {
            var configuration = Reporter.Configuration()
            configuration.annotations = ["service": "embedded-reporter", "version": "1.0", "host": .fact(.host)]
            let reporter = try Reporter(
                spool: .init(options.spool), destination: .http(options.endpoint), configuration: configuration)
            // First of all: it starts the program once more, with the variable that the Swift runtime reads.
            let crashes = CrashReports.capture(into: reporter, service: "embedded-reporter", version: "1.0")
            if case .unavailable(let reason) = crashes { say("crashes leave no report: \(reason)") }

            // Bounded, so that no server holds up the start. What is not sent by then goes on while we work.
            let summary = try await reporter.submitPending(deadline: .seconds(5))
            say("reports: \(summary.delivered) delivered, \(summary.waiting) waiting, \(summary.held) held")
            return reporter
        } catch {
            // Reporting is never a reason not to work.
            say("no reports sent: \(error)")
            return nil
        }
    }

    /// The work.
    private static func settleOrders(isCrashing: Bool) {
        let amounts = [1_999, 250, 4_200]
        say("working")
        let total = (0..<amounts.count).reduce(0) { $0 + amount(at: $1, in: amounts) }
        say("settled \(amounts.count) orders, \(total) cents")
        if isCrashing {
            say("\(amount(at: amounts.count, in: amounts)) cents")
        }
    }

    private static func amount(at index: Int, in amounts: [Int]) -> Int {
        amounts[index]
    }

    private static func say(_ text: String) {
        print("EmbeddedReporter: \(text)")
        // A crash loses what the buffer of a piped output holds.
        fflush(nil)
    }
}

private struct Options {
    var spool = ""
    var endpoint = "http://127.0.0.1:8080/reports/{id}"
    var isCrashing = false

    init(_ arguments: ArraySlice<String>) {
        var rest = arguments
        while let argument = rest.popFirst() {
            switch argument {
            case "--crash": isCrashing = true
            case "--spool": spool = rest.popFirst() ?? ""
            case "--endpoint": endpoint = rest.popFirst() ?? ""
            default: Self.exitWithUsage()
            }
        }
        if spool.isEmpty || endpoint.isEmpty { Self.exitWithUsage() }
    }

    private static func exitWithUsage() -> Never {
        print("usage: EmbeddedReporter --spool DIR [--endpoint URL] [--crash]")
        exit(64)  // EX_USAGE
    }
}
