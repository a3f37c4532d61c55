package import Background
import DurableIO

/// The destinations of a run as its owner uses them: it decides where each report goes.
package struct Router: Sendable {
    /// Where a report goes.
    package enum Decision: Hashable, Sendable {
        case send(Lane)
        /// It is kept in a lane and not sent; the note says why.
        case hold(Lane, note: String)
    }

    /// The protocol's side of each destination.
    package let kinds: [Lane: any DestinationKind]
    private let first: Lane
    private let routes: [Route]?
    private let names: [String]

    package init(_ routing: Routing) throws(ReportsError) {
        var kinds: [Lane: any DestinationKind] = [:]
        for destination in routing.destinations {
            kinds[Lane(destination.name)] = try destination.destination.kind()
        }
        self.kinds = kinds
        names = routing.destinations.map(\.name)
        first = Lane(names.first ?? Lane.main.name)
        routes = routing.routes
    }

    /// Checks what sending to each destination needs in the surroundings of the process, for example an access key.
    ///
    /// A destination that lacks something keeps no report from another one: its own reports wait.
    /// - Returns: what destinations lack, for people.
    /// - Throws: ``ReportsError`` when all destinations lack something.
    @discardableResult
    package func checkSurroundings() throws(ReportsError) -> [String] {
        var errors: [ReportsError] = []
        for name in names {
            do {
                try kinds[Lane(name)]?.checkSurroundings()
            } catch {
                guard routes != nil else { throw error }
                let message = "the destination \(name): \(error.message)"
                errors.append(ReportsError(error.code, message, underlyingError: error))
            }
        }
        if let error = errors.first, errors.count == names.count { throw error }
        return errors.map(\.message)
    }

    /// The gate to which each lane leads.
    package var gateKeys: [Lane: String] { kinds.mapValues(\.gateKey) }

    /// The names of the destinations and the routes as one text, by which a later run knows whether they have changed.
    /// `nil` for a run without routes.
    package var text: String? {
        routes.map { routes in
            (names + routes.map(\.text)).joined(separator: "\n")
        }
    }

    /// What the destinations take, as one text, by which a later run knows whether that has changed.
    var admissionText: String {
        names.map { "\($0) \(kinds[Lane($0)]?.admissionTerms ?? "")" }.joined(separator: "\n")
    }

    package func decision(for report: ReportOutline) -> Decision {
        let route = routes?.first { $0.matches(report) }
        switch route?.outcome {
        case .hold: return .hold(.undecided, note: "a route keeps it from being sent")
        case .to(let name): return admitted(report, to: Lane(name))
        case nil: return admitted(report, to: first)
        }
    }

    private func admitted(_ report: ReportOutline, to lane: Lane) -> Decision {
        guard case .no(let reason)? = kinds[lane]?.admits(report) else { return .send(lane) }
        return .hold(lane, note: Self.note(lane, reason))
    }

    /// Why a destination does not take a report.
    static func note(_ lane: Lane, _ reason: String) -> String { "\(noteBeginning)\(lane.name) \(reason)" }

    /// What all such notes begin with, and no note on a report that a route holds.
    static let noteBeginning = "the destination "
}

extension NewTransfer {
    /// A row in the lane that the router decides on. Without a router, the next owner that has destinations decides.
    init(_ report: StoredReport, by router: Router?) {
        guard report.properties.request == nil, let router else {
            self.init(report)
            return
        }
        switch router.decision(for: ReportOutline(report)) {
        case .send(let lane): self.init(report, in: lane)
        case .hold(let lane, let note): self.init(report, in: lane, heldBecause: note)
        }
    }
}
