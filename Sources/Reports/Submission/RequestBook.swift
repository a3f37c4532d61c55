import DurableIO
package import HTTPTypes
import Synchronization

/// A report that an earlier life of the program submitted with a request of its own.
public struct ExistingReport: Hashable, Sendable {
    /// The report's id, the SHA-256 of its payload in hexadecimal.
    public let id: String
    /// What the caller named it when it was submitted; `nil` for bytes without a name.
    public let identifier: String?
    /// The request's method.
    public let method: String
    /// The request's URL.
    public let url: String
    /// The names of its header fields. Their values were never written down.
    public let headerNames: [String]
    /// When it was submitted, in milliseconds since the epoch.
    public let submittedMilliseconds: Int64
    /// How often it was tried, this time included.
    public let attempts: Int
}

/// The requests of reports that have one of their own, as far as this life of the program knows them. The values of
/// their headers are nowhere else.
package final class RequestBook: Sendable {
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
