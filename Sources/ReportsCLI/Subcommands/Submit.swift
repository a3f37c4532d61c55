import ArgumentParser

/// `reports submit`
struct Submit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Takes drops in and sends what is due, then exits.",
        usage: "reports submit [--endpoint <url>] [<options>]",
        discussion: """
            What the server put off waits until the time it named, across restarts; only --wait sleeps for it. \
            Status 0: all is delivered. 75: something is waiting or held. 65: nothing waits, but the server rejected \
            something; or, whatever waits, something was evicted to keep a limit of the spool. 78: no usable endpoint, \
            or bad configuration.

            The options up to --max-concurrent may as well stand in the environment, --no-proxy as $REPORTS_NO_PROXY, \
            or in the spool's reports.json, as "no_proxy"; 'reports status' shows what is in force.

            Example:
              reports submit --endpoint 'https://example.com/reports/{id}' --header @/etc/token
            """
    )
    .parsedAlone

    @OptionGroup var global: GlobalOptions
    @OptionGroup var sending: SendingOptions

    // Whatever stands behind a number's name is its value: -1 is a wrong number, not an option.
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "End after so many seconds; what is under way is given back. Default: none.",
            discussion: "A report that needs longer is sent by a run without a deadline.", valueName: "seconds"))
    var deadline: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Sleep for what is due within so many seconds. Default: 0, do not sleep.", valueName: "seconds"))
    var wait: Double?

    func validate() throws {
        for (name, value) in [("deadline", deadline), ("wait", wait)] {
            guard let value else { continue }
            guard Submitting.seconds.contains(value) else {
                throw ValidationError("--\(name) \(value): give seconds from 0 to a year.")
            }
        }
    }

    func run() async throws {
        try await submitting.run()
    }

    var submitting: Submitting {
        var submitting = Submitting(global: global)
        submitting.given = sending.given
        submitting.headers = sending.header
        (submitting.deadline, submitting.wait) = (deadline, wait)
        return submitting
    }
}
