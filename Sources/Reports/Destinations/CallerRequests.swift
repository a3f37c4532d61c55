import DurableIO
package import HTTPTypes
import Synchronization

/// The requests of reports that have a request of their own, as far as this process knows them. The values of their
/// header fields are nowhere else.
package final class CallerRequests: Sendable {
    package typealias Handler = @Sendable (ExistingReport) async throws -> HTTPRequest?

    private let requests = Mutex<[String: HTTPRequest]>([:])
    private let handler: Handler?

    package init(handler: Handler? = nil) {
        self.handler = handler
    }

    /// Whether somebody may know the request of any report.
    var knowsAll: Bool { handler != nil }

    /// The reports whose requests are known now.
    var known: [String] { requests.withLock { Array($0.keys) } }

    /// The newest request of a report is the one that is sent.
    func remember(_ request: HTTPRequest, for id: String) {
        requests.withLock { $0[id] = request }
    }

    func forget(_ id: String) {
        requests.withLock { $0[id] = nil }
    }

    /// The request in memory, else the handler's.
    func request(for report: ExistingReport) async throws -> HTTPRequest? {
        if let request = requests.withLock({ $0[report.id] }) { return request }
        return try await handler?(report)
    }
}
