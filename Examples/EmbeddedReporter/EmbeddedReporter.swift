import Glibc
import Reports

/// A program that reports its own crashes.
///
/// Each start sends what the last crash left behind, then does the work. Everything a program of yours needs is in
/// `startReporting` and ``CrashReports``; the rest reads options and stands in for real work.
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
            // Opening makes the spool when it is missing: the runtime writes only into a directory that exists.
            var configuration = Reporter.Configuration()
            configuration.annotations = ["service": "embedded-reporter", "version": "1.0", "host": .fact(.host)]
            let reporter = try Reporter(
                spool: .init(options.spool), destination: .http(options.endpoint), configuration: configuration)
            CrashReports.writeInto("\(reporter.incomingDirectory)")

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

/// Makes the Swift runtime write a report of each crash straight into a spool.
enum CrashReports {
    /// Starts the program once more with `SWIFT_BACKTRACE` set, unless it is set already.
    ///
    /// The runtime reads the variable when it is loaded, before `main`, so that setting it here would be too late.
    /// Better, where you can: set it in the unit file, the container or the launcher, and this returns at once.
    ///
    /// A program linked with `-static-stdlib` needs `swift-backtrace=PATH`, too: the runtime looks for its helper beside
    /// the program.
    static func writeInto(_ directory: String) {
        let present = getenv("SWIFT_BACKTRACE").map { String(cString: $0) } ?? ""
        let settings = present.split(separator: ",")
        // `enable=no` is the user's word. An `output-to` is either another place the user wants, or ours from the first
        // start: this is also what ends the restarts.
        guard !settings.contains(where: { $0 == "enable=no" || $0.hasPrefix("output-to=") }) else { return }
        // The crash may come with another working directory. The list knows no escape for a comma.
        guard let path = absolute(directory), !path.contains(",") else { return }
        // `sanitize` leaves memory contents out of the report.
        let ours = "enable=yes,format=json,output-to=\(path),sanitize=yes,interactive=no,color=no"
        setenv("SWIFT_BACKTRACE", present.isEmpty ? ours : "\(present),\(ours)", 1)
        // Not "/proc/self/exe" itself: the process would be named "exe", in its reports as well.
        guard let program = absolute("/proc/self/exe") else { return }
        var arguments = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        execv(program, arguments)
        // Only a failed exec comes here; the program then runs on without crash reports.
        for argument in arguments { free(argument) }
    }

    private static func absolute(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
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
