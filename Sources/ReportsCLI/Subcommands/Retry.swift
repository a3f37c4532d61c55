import ArgumentParser
import Reports

/// `reports retry`
struct Retry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Makes reports due now, their failures forgotten.",
        discussion: """
            For reports that were rejected or given up, or that are held or waiting. The next submit sends them; a time \
            the server named still counts.

            Example:
              reports retry 5e1f16dde35d
              reports retry --all
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var selection: ReportSelection

    @Flag(name: .long, help: "All that are rejected, exhausted, held or waiting.")
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
            The same bytes dropped again are a report again.

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

/// What `retry` and `remove` share: find the reports, ask for it, print the ids.
struct RequestRunner {
    let global: GlobalOptions

    func run(_ action: Order.Action, _ selection: ReportSelection, isAll: Bool) async throws {
        Signals.endOnInterrupt()
        // Whoever owns the spool keeps its limits, and must not keep others than were meant.
        guard let spool = try global.openExisting(global.limits()) else {
            if isAll { return }
            let id = Printable.text(selection.ids.first ?? "")
            throw ReportsError(.noSuchReport, "there is no report \(id): there is no spool")
        }
        var ids: [String]?
        var firstError: ReportsError?
        if !isAll {
            let inspector = try SpoolInspector(spool: spool)
            ids = []
            for prefix in selection.ids {
                do {
                    let id = try inspector.resolve(prefix)
                    try inspector.requireBytes(id, for: action)
                    ids?.append(id)
                } catch let error as ReportsError {
                    Console.complain(error.message)
                    firstError = firstError ?? error
                }
            }
        }
        if ids?.isEmpty == true, let firstError { ExitStatus.leave(ExitStatus.of(firstError)) }
        let done = try await OrderDispatch(spool: spool).carryOut(action, ids: ids)
        for id in done { tell(id) }
        for id in ids ?? [] where !done.contains(id) {
            let error = ReportsError(
                .noSuchReport, "\(id): its bytes are missing: there is nothing to \(action.rawValue)")
            Console.complain(error.message)
            firstError = firstError ?? error
        }
        if let firstError { ExitStatus.leave(ExitStatus.of(firstError)) }
    }

    private func tell(_ id: String) {
        guard global.json else { return Console.print(id) }
        var object = JSONObject()
        object["id"] = .string(id)
        Console.print(object)
    }
}
