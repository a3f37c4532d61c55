import ArgumentParser
import DurableIO
import Reports

/// `reports watch`
struct Watch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Takes drops in as they come and sends what is due, until it is told to end.",
        usage: "reports watch [--endpoint <url>] [<options>]",
        discussion: """
            Owns the spool as long as it runs: a drop is taken in within about a quarter of a second, and sent when it \
            is due. It sleeps in between. What it does, it says on standard error, and with --json on standard output, \
            one object an event. Without an endpoint it only takes in.

            SIGTERM and SIGINT end it, with status 0. SIGHUP makes it read its settings again. Under a service manager \
            it says when it is ready (sd_notify). While another process owns the spool, it waits.

            \(SendingOptions.otherPlaces)

            Example:
              reports watch \(SendingOptions.example)
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var sending: SendingOptions

    func run() async throws {
        let log = WatchLog(isJSON: global.json, variable: Environment.value)
        do {
            try await Watching(global, sending, log).run()
            log.say(.information, "ended by a signal")
            log.finish()
            ExitStatus.leave(ExitStatus.done)
        } catch let error as ReportsError {
            log.say(.error, error.message)
            log.finish()
            ExitStatus.leave(ExitStatus.of(error))
        }
    }
}
