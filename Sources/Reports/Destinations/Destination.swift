package import Background
import DurableIO

/// Where reports go, and with which headers of the user's own.
///
/// The URL may hold `{id}`, `{kind}` and `{host}` in its path and query, and `{host}` in its host name; any other brace
/// is refused, and written `%7B` or `%7D` where it is part of the URL. With `{id}` reports are `PUT`, each to its own
/// address, which makes a resend harmless on any server (RFC 9110, section 9.2.2); without it they are `POST`ed.
/// `{host}` is this machine's name. Neither the URL nor a header is written to disk or logged.
public struct Destination: Sendable {
    /// Gives the headers of one request, credentials above all, at the moment it is sent.
    public typealias HeaderProvider = @Sendable () async throws -> [(name: String, value: String)]

    /// In which form reports are sent. The default is ``ReportEncoding/gzip``. Reports with a request of their own are
    /// not concerned.
    public var encoding = ReportEncoding.gzip
    /// The proof of receipt that a 2xx has to come with. The default, `nil`, takes every 2xx for a delivery.
    public var acknowledgement: Acknowledgement?

    /// The URL, taken apart once and not for each report.
    private let template: Result<EndpointTemplate, EndpointTemplate.Problem>
    let provider: HeaderProvider

    /// An HTTP or HTTPS endpoint.
    ///
    /// - Parameters:
    ///   - url: An absolute URL without user name and password, with `{id}`, `{kind}` and `{host}` where wanted.
    ///   - headers: Sent with each report, for example an `Authorization`; none by default. They are kept in memory
    ///     only.
    ///     Those that frame the request or say what the report is, such as `Content-Type`, `Idempotency-Key` and all
    ///     that begin with `Report-`, are the sender's own and passed over.
    /// - Returns: The destination; its URL is checked when a reporter is made.
    public static func http(_ url: String, headers: [(name: String, value: String)] = []) -> Destination {
        Destination(template: url) { headers }
    }

    /// An HTTP or HTTPS endpoint whose headers are asked for at each send, so that a renewed token is used at once.
    ///
    /// - Parameters:
    ///   - url: An absolute URL, as for headers that stay the same.
    ///   - provider: Called for each attempt, several at a time. When it throws, nothing is sent and the report waits,
    ///     uncharged, from 5 seconds to an hour; nothing of that is held against the server. Of the error only the type
    ///     is kept.
    /// - Returns: The destination; its URL is checked when a reporter is made.
    public static func http(_ url: String, headers provider: @escaping HeaderProvider) -> Destination {
        Destination(template: url, provider: provider)
    }

    init(template url: String, provider: @escaping HeaderProvider) {
        template = Result { () throws(EndpointTemplate.Problem) in try EndpointTemplate(url) }
        self.provider = provider
    }

    /// Whether each report has an address of its own, and is `PUT` there.
    var namesReports: Bool { (try? template.get())?.namesReports ?? false }

    /// The address of one report.
    package func endpoint(id: String, kind: String, host: String) throws(ReportsError) -> Endpoint {
        do {
            return try Endpoint(
                template.get().url { mark in
                    switch mark {
                    case .id: id
                    case .kind: kind
                    case .host: host
                    }
                })
        } catch {
            // The URL may carry a secret in its query; the message names the problem, not the value.
            throw ReportsError(.badConfiguration, "the endpoint \(error)", underlyingError: error)
        }
    }

    /// Checks the URL before anything is done with it, with this machine's own name in it.
    package func validate() throws(ReportsError) -> Endpoint {
        try endpoint(id: String(repeating: "0", count: 64), kind: "crash", host: CurrentProcess.hostName)
    }
}
