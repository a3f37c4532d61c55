public import Background
import DurableIO

/// A place where reports go, and the header fields that the user adds to each request.
///
/// The endpoint's scheme says which protocol the place speaks: `http` and `https` for a server that takes reports as
/// they are, and `s3` for a bucket (``s3(bucket:region:key:endpoint:credentials:headers:)``). The endpoint may contain
/// marks in its path and query: `{id}`, `{kind}`, `{format}`, `{host}`, `{annotation:NAME}`, and `{yyyy}`, `{mm}`,
/// `{dd}` and `{HH}` of the time at which a report was collected, in UTC. `{host}`, the name of this machine, may also
/// stand in the host name. Any other brace is refused: write `%7B` or `%7D` for a brace that is part of the URL.
///
/// With `{id}`, each report is sent by `PUT` to an address of its own, so that sending it again is harmless on any
/// server (RFC 9110, section 9.2.2). Without `{id}`, reports are sent by `POST`. Neither the endpoint nor a header
/// field is written to disk or logged.
public struct Destination: Sendable {
    /// A closure that gives the header fields of one request, such as credentials, when the request is sent.
    public typealias HeaderProvider = @Sendable () async throws -> [(name: String, value: String)]

    /// The form in which reports are sent. The default, `nil`, is the usual form of the protocol, for HTTP
    /// ``ReportEncoding/gzip``. Reports with a request of their own do not use this form.
    public var encoding: ReportEncoding?
    /// The proof of receipt that a 2xx answer has to contain. With the default, `nil`, the protocol's own rule counts:
    /// for HTTP every 2xx answer means a delivery.
    public var acknowledgement: Acknowledgement?
    /// How the server is reached: the TLS settings, the proxy and the timeouts. The default, `nil`, is the
    /// ``Reporter/Configuration/connection`` of the reporter.
    ///
    /// The settings stand instead of all of the reporter's: what they do not set has its default value. If they name a
    /// file that cannot be used, a submission fails with ``ReportsError/Code/badConfiguration``.
    public var connection: ConnectionSettings?

    /// Makes the protocol's side of a destination.
    typealias Maker = @Sendable (DestinationOptions) throws(ReportsError) -> any DestinationKind

    private let provider: HeaderProvider
    private let make: Maker

    /// The protocols that this package knows.
    static let kinds: [any DestinationKind.Type] = [
        HTTPDestination.self, S3Destination.self, SentryDestination.self, BreakpadDestination.self,
        OTLPDestination.self,
    ]

    /// Makes a destination for an HTTP or HTTPS endpoint.
    ///
    /// - Parameters:
    ///   - url: An absolute URL without user name and password, with `{id}`, `{kind}` and `{host}` where wanted.
    ///   - headers: Header fields for each report, for example an `Authorization`. The default is none. They are kept
    ///     in memory only. The sender sets the fields that frame the request or describe the report, such as
    ///     `Content-Type`, `Idempotency-Key` and all that begin with `Report-`, and ignores such fields here.
    /// - Returns: The destination. Its URL is checked when a reporter is made.
    public static func http(_ url: String, headers: [(name: String, value: String)] = []) -> Destination {
        Destination(endpoint: url) { headers }
    }

    /// Makes a destination for an HTTP or HTTPS endpoint that asks for the header fields at each attempt, so that the
    /// next attempt uses a renewed token.
    ///
    /// - Parameters:
    ///   - url: An absolute URL without user name and password, with `{id}`, `{kind}` and `{host}` where wanted.
    ///   - provider: A closure that is called for each attempt. Several calls may run at the same time. When the
    ///     closure throws, nothing is sent. The report then waits from 5 seconds to an hour, and this failure counts
    ///     neither against the report nor against the server. Of the error only the type is kept.
    /// - Returns: The destination. Its URL is checked when a reporter is made.
    public static func http(_ url: String, headers provider: @escaping HeaderProvider) -> Destination {
        Destination(endpoint: url, headers: provider)
    }

    /// Makes a destination for an endpoint of any protocol.
    package init(endpoint: String, headers provider: @escaping HeaderProvider = { [] }) {
        self.provider = provider
        make = { options throws(ReportsError) in
            try Self.kind(of: endpoint).init(endpoint: endpoint, options: options)
        }
    }

    /// Makes a destination whose place is not written as an endpoint.
    init(headers: [(name: String, value: String)], make: @escaping Maker) {
        provider = { headers }
        self.make = make
    }

    /// Makes the protocol's side of the destination, and checks the endpoint.
    package func kind() throws(ReportsError) -> any DestinationKind {
        var options = DestinationOptions()
        options.headers = provider
        options.encoding = encoding
        options.acknowledgement = acknowledgement
        return try make(options)
    }

    /// The protocol that an endpoint's scheme names.
    static func kind(of endpoint: String) -> any DestinationKind.Type {
        let scheme = endpoint.ranges(of: "://").first.map { endpoint[..<$0.lowerBound].lowercased() } ?? ""
        // What has no known scheme is most likely meant for HTTP, which says what is wrong with it.
        return kinds.first { $0.schemes.contains(scheme) } ?? HTTPDestination.self
    }

    /// Checks the endpoint before it is used.
    package func validate() throws(ReportsError) -> Endpoint {
        try kind().endpoint
    }
}
