import Background
import DurableIO

/// Trials of the destinations that the settings name, one after the other.
package struct DestinationTrials: Sendable {
    private let trials: [DestinationTrial]
    private let connections: NamedConnections
    private let sends: Bool

    /// - Parameters:
    ///   - settings: name the destinations, and how they are reached.
    ///   - name: the only one to be tried; `nil` for all.
    ///   - sends: whether each gets a report.
    /// - Throws: ``ReportsError/Code/badConfiguration`` when there is no destination, or a setting cannot be used;
    ///   ``ReportsError/Code/badArgument`` when there is none of that name, or no report may be sent to that one.
    package init(_ settings: Settings, only name: String?, sends: Bool) throws(ReportsError) {
        guard let routing = try settings.routing() else {
            throw ReportsError(.badConfiguration, settings.noEndpointWords)
        }
        let names = routing.destinations.map(\.name)
        if let name, !names.contains(name) {
            throw ReportsError(
                .badArgument,
                "there is no destination \(Printable.text(name)); there \(names.count == 1 ? "is" : "are"): "
                    + names.joined(separator: ", "))
        }
        var trials: [DestinationTrial] = []
        connections = try NamedConnections.open(
            for: routing, ownSettings: settings.connection, files: POSIXFileSystem())
        for named in routing.destinations where name == nil || named.name == name {
            let own = settings.destinations.first { $0.name == named.name }
            let trial = DestinationTrial(
                name: named.name, kind: try named.destination.kind(), connections: connections,
                ownNames: Set((own?.headers ?? []).map(\.name)), shownEndpoint: own?.shownEndpoint)
            if sends, name != nil, let objection = trial.objection {
                throw ReportsError(
                    .badArgument, "--send: the destination \(named.name) \(objection): leave --send out")
            }
            trials.append(trial)
        }
        self.trials = trials
        self.sends = sends
    }

    /// Tries them.
    /// - Parameter tell: called with each result as soon as it is known.
    /// - Returns: the worst of all. When the task is cancelled, the rest is left out.
    package func run(_ tell: (TrialResult) -> Void) async -> TrialResult.Verdict {
        var verdict = TrialResult.Verdict.fine
        for trial in trials {
            let result = await trial.run(sends: sends)
            guard !Task.isCancelled else { break }
            verdict = max(verdict, result.verdict)
            tell(result)
        }
        await connections.shutdown()
        return verdict
    }
}

extension DestinationSettings {
    /// The endpoint without what nobody is to see.
    fileprivate var shownEndpoint: String? { entries[.endpoint]?.shownText }
}

extension Settings {
    /// That a command which sends has no endpoint, and where one may be named.
    package var noEndpointWords: String {
        "no endpoint: give --endpoint URL or set $REPORTS_ENDPOINT, or name it in the spool's reports.json or in "
            + "/etc/reports/reports.json"
            + [unreadFileWords, unitFileWords].compactMap { $0.map { "; \($0)" } }.joined()
    }
}
