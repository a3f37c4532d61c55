import Background

/// Reports that do not go out, destination by destination.
extension ProblemFinder {
    /// One problem for each reason and destination. What a route holds is no problem.
    var holds: [SpoolCheck.Problem] {
        let counted = figures.held.filter { $0.reason.endsBy != .caller && $0.reason.endsBy != .route }
        let problems = counted.map { held in
            let gate = gate(of: held)
            let server = gate.map { Lane(held.destination).ownOrigin == nil ? " for \($0.origin)" : "" } ?? ""
            let advice = held.reason.advice(lastStatus: gate?.lastStatus, lastError: gate?.lastError)
            return SpoolCheck.Problem(
                code: "held", destination: told(held.destination),
                level: held.reason.closesOrigin ? .critical : .warning,
                message: "\(Self.reports(held.count)) held\(place(of: held.destination))\(server) "
                    + "(\(held.reason.rawValue)): \(advice)",
                advice: "'reports list --state held' shows more")
        }
        return problems + closedGates(besides: counted)
    }

    /// Servers that nothing is sent to for a reason, where the report that met the reason is gone.
    private func closedGates(besides told: [SpoolFigures.Held]) -> [SpoolCheck.Problem] {
        figures.gates.compactMap { gate in
            guard gate.waitingCount > 0, let reason = gate.closure.flatMap(HoldReason.init),
                !told.contains(where: { $0.reason == reason && leads($0.destination, to: gate) })
            else { return nil }
            let advice = reason.advice(lastStatus: gate.lastStatus, lastError: gate.lastError)
            return SpoolCheck.Problem(
                code: "held", level: .critical,
                message: "\(Self.reports(gate.waitingCount)) behind \(gate.origin) (\(reason.rawValue)): \(advice)",
                advice: Self.statusAdvice)
        }
    }

    /// Late reports: those of each destination that has some, and the others, if one of these is the oldest of all.
    var undelivered: [SpoolCheck.Problem] {
        let late = figures.destinations.compactMap { one in
            one.oldest.map { (destination: one, age: max(0, figures.time - $0)) }
        }.filter { $0.age > thresholds.maximumAge }.sorted { $0.age > $1.age }
        var problems: [SpoolCheck.Problem] = []
        if let age = figures.undeliveredAge, age > thresholds.maximumAge, let oldest = figures.oldest,
            oldest.place != .row || !late.contains(where: { $0.destination.oldest == oldest.since })
        {
            problems.append(undelivered(for: age, in: oldest.place))
        }
        problems += late.prefix(Self.lateCount).map { undelivered(for: $0.age, at: $0.destination) }
        if late.count > Self.lateCount {
            let count = late.count - Self.lateCount
            problems.append(
                .init(
                    code: "undelivered", level: .critical,
                    message: "\(count) more \(count == 1 ? "destination has" : "destinations have") late reports",
                    advice: Self.statusAdvice))
        }
        return problems
    }

    /// So many late destinations are told of one by one.
    private static let lateCount = 5

    private func undelivered(for age: Int64, in place: SpoolFigures.Place) -> SpoolCheck.Problem {
        if let gate = figures.gates.first(where: { $0.closure != nil && $0.waitingCount > 0 }) {
            return undelivered(for: age, Self.trouble(of: gate), advice: Self.statusAdvice)
        }
        return switch place {
        case .drop:
            undelivered(
                for: age, "no submit has taken the drop", advice: "'reports list --state incoming' shows it")
        case .entry:
            undelivered(
                for: age, "no submit has taken it in", advice: "start the timer that runs 'reports submit'")
        case .row: undelivered(for: age, "no submit has delivered it", advice: Self.statusAdvice)
        }
    }

    private func undelivered(for age: Int64, at destination: SpoolFigures.Destination) -> SpoolCheck.Problem {
        let gate = figures.gates.first { $0.origin == destination.origin && $0.closure != nil }
        if let gate {
            return undelivered(for: age, at: destination, Self.trouble(of: gate), advice: Self.statusAdvice)
        }
        if isUnknown(destination) {
            return undelivered(
                for: age, at: destination, "the settings name no destination \(destination.name)",
                advice: "name it in reports.json, or 'reports retry' its reports, which asks the routes anew")
        }
        return undelivered(for: age, at: destination, "no submit has delivered it", advice: Self.statusAdvice)
    }

    private func undelivered(
        for age: Int64, at destination: SpoolFigures.Destination? = nil, _ cause: String, advice: String
    ) -> SpoolCheck.Problem {
        let place = destination.map { self.place(of: $0.name) } ?? ""
        let count = place.isEmpty ? figures.undeliveredCount : destination?.undeliveredCount ?? 0
        let others = count > 1 ? " (the oldest of \(count) reports)" : ""
        return .init(
            code: "undelivered", destination: destination.flatMap { told($0.name) }, level: .critical,
            message: "undelivered for \(TimeSpan.words(milliseconds: age))\(place)\(others): \(cause)",
            advice: advice)
    }

    private static func trouble(of gate: SpoolFigures.Gate) -> String {
        let trouble = gate.lastError ?? (gate.closure == "asked" ? "the server asked to wait" : "it fails")
        return "\(gate.origin): \(trouble)"
    }

    // MARK: - Where reports go

    private func gate(of held: SpoolFigures.Held) -> SpoolFigures.Gate? {
        figures.gates.first {
            $0.closure == held.reason.rawValue && $0.waitingCount > 0 && leads(held.destination, to: $0)
        }
    }

    /// Whether the reports of a destination go through a gate, as far as that is known.
    private func leads(_ destination: String, to gate: SpoolFigures.Gate) -> Bool {
        let origin = figures.destinations.first { $0.name == destination }?.origin ?? Lane(destination).ownOrigin
        return origin.map { $0 == gate.origin } ?? true
    }

    /// Whether the settings name destinations, and not this one.
    private func isUnknown(_ destination: SpoolFigures.Destination) -> Bool {
        guard let names = figures.namedDestinations, Lane(destination.name).ownOrigin == nil else { return false }
        return !names.contains(destination.name)
    }

    /// Whether a person has given destinations names: one alone is `main`, of which nobody need know.
    private var hasNames: Bool {
        figures.destinations.contains { Lane($0.name).ownOrigin == nil && $0.name != Lane.main.name }
    }

    /// A destination's name where people know it by one.
    private func told(_ destination: String) -> String? {
        hasNames ? Lane(destination).destinationName : nil
    }

    private func place(of destination: String) -> String {
        let words = Lane(destination).ownOrigin ?? told(destination)
        return words.map { " at \($0)" } ?? ""
    }

    /// Which destinations have reports in a state.
    func places(of state: TransferState) -> String {
        let names = figures.states.filter { $0.state == state && $0.sum.count > 0 }.compactMap { told($0.destination) }
        guard !names.isEmpty else { return "" }
        let shown = names.prefix(Self.lateCount).joined(separator: ", ")
        return " at \(shown)" + (names.count > Self.lateCount ? " and others" : "")
    }
}
