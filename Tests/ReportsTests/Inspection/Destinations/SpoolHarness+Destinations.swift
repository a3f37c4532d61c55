import Background
import DurableIO

@testable import Reports

extension SpoolHarness {
    /// Submits with destinations of these names, each at the host `NAME.example`.
    @discardableResult
    func submit(to names: String..., routes: [Reports.Route] = []) async throws -> SubmissionSummary {
        var submission = submission
        submission.configuration.routing = try Routing(
            names.map { NamedDestination($0, .http("http://\($0).example/{id}")) }, routes: routes)
        return try await submission.run()
    }

    func destinations(named names: [String]? = nil) throws -> [DestinationStanding] {
        try SpoolInspector(spool: spool).status(destinations: names).destinations
    }
}
