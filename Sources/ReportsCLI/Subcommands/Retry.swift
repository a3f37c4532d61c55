import ArgumentParser
import DurableIO
import Reports

/// `reports retry`
struct Retry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Makes reports due now and forgets their failures.",
        discussion: """
            For reports that were rejected or given up, or that are held or waiting. The next submit sends them; a \
            time the server named still counts. A drop with reason poison is named as 'reports list' shows it, or by \
            its path, as 'reports doctor' does. The next submit collects it.

            Example:
              reports retry 5e1f16dde35d
              reports retry core.1234
              reports retry --all
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var selection: ReportSelection

    @Flag(name: .long, help: "All that are rejected, exhausted, held, waiting or poisonous.")
    var all = false

    func validate() throws {
        if all, !selection.ids.isEmpty { throw ValidationError("Give ids or --all, not both.") }
        if !all, selection.ids.isEmpty { throw ValidationError("Give ids or --all.") }
    }

    func run() async throws {
        try await RequestRunner(global: global).run(.retry, selection, isAll: all)
    }
}

/// `reports remove`
struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Deletes reports' bytes; their records stay.",
        discussion: """
            The same bytes dropped again are a report again. A drop with reason poison is named as 'reports list' \
            shows it, or by its path, as 'reports doctor' does; no record of it stays.

            Example:
              reports remove 5e1f16dde35d
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var selection: ReportSelection

    func validate() throws {
        if selection.ids.isEmpty { throw ValidationError("Give one or more ids.") }
    }

    func run() async throws {
        try await RequestRunner(global: global).run(.remove, selection, isAll: false)
    }
}

/// What `retry` and `remove` share: find the reports and drops, ask for it, print the ids and paths.
struct RequestRunner {
    let global: GlobalOptions

    func run(_ action: Order.Action, _ selection: ReportSelection, isAll: Bool) async throws {
        Signals.endOnInterrupt()
        // Whoever owns the spool keeps its limits, and must not keep others than were meant.
        let (settings, routing) = try settings(for: action)
        guard let spool = try global.openExisting(settings) else {
            if isAll { return }
            let id = Printable.text(selection.ids.first ?? "")
            throw ReportsError(.noSuchReport, "there is no report \(id): there is no spool")
        }
        var targets: [Order.Target] = []
        var firstError: ReportsError?
        if isAll {
            targets = [.all]
        } else {
            let inspector = try SpoolInspector(spool: spool)
            for word in selection.ids {
                do {
                    targets += try inspector.targets(of: word, for: action)
                } catch let error as ReportsError {
                    Console.complain(error.message)
                    firstError = firstError ?? error
                }
            }
        }
        if targets.isEmpty, let firstError { ExitStatus.leave(ExitStatus.of(firstError)) }
        var dispatch = OrderDispatch(spool: spool, routing: routing)
        dispatch.onOrder = { owner in
            Console.complain(
                "another process\(LockHolder.words(owner)) owns the spool and is asked to \(action.rawValue)"
                    + "\(isAll ? " all that can be" : " them"): 'reports status' shows what comes of it")
        }
        let done = try await dispatch.carryOut(action, on: targets)
        for target in done { tell(target) }
        for target in targets where target != .all && !done.contains(target) {
            let error = ReportsError(.noSuchReport, "\(target): \(nothing(of: target, action, in: spool))")
            Console.complain(error.message)
            firstError = firstError ?? error
        }
        if let firstError { ExitStatus.leave(ExitStatus.of(firstError)) }
    }

    /// The settings of the spool, and the routes, which decide again where a report goes that is retried.
    ///
    /// A fault in what is about destinations keeps nobody from retrying: the reports then stay where they were to go.
    private func settings(for action: Order.Action) throws -> (Settings, Routing?) {
        guard action == .retry else { return (try global.spoolSettings(), nil) }
        do {
            let settings = try global.settings()
            return (settings, try settings.routing())
        } catch let error as ReportsError {
            let settings = try global.spoolSettings()
            Console.complain("\(error.message): the destinations and routes of the settings are not used")
            return (settings, nil)
        }
    }

    /// Why an order came to nothing.
    private func nothing(of target: Order.Target, _ action: Order.Action, in spool: ReportSpool) -> String {
        guard case .report(let id) = target else { return "is gone, or poison is not its reason any more" }
        if action == .retry, let report = try? SpoolInspector(spool: spool).report(id), report.isHeldByRoute {
            return "\(report.note ?? "no route sends it"): change the routes or the endpoint, then retry it"
        }
        return "its bytes are missing: there is nothing to \(action.rawValue)"
    }

    private func tell(_ target: Order.Target) {
        if global.json { return Console.print(target.json) }
        Console.print(Printable.text(target.description))
    }
}
