package import Background
import DurableIO

/// The server that gets the reports, and the header fields that the user adds to each request.
///
/// The URL may contain `{id}`, `{kind}` and `{host}` in its path and query, and `{host}` in its host name. `{host}` is
/// the name of this machine. Any other brace is refused: write `%7B` or `%7D` for a brace that is part of the URL. With
/// `{id}`, each report is sent by `PUT` to an address of its own, so that sending it again is harmless on any server
/// (RFC 9110, section 9.2.2). Without `{id}`, reports are sent by `POST`. Neither the URL nor a header field is written
/// to disk or logged.
public struct Destination: Sendable {
    /// A closure that gives the header fields of one request, such as credentials, when the request is sent.
    public typealias HeaderProvider = @Sendable () async throws -> [(name: String, value: String)]

    /// The form in which reports are sent. The default is ``ReportEncoding/gzip``. Reports with a request of their own
    /// do not use this form.
    public var encoding = ReportEncoding.gzip
    /// The proof of receipt that a 2xx answer has to contain. With the default, `nil`, every 2xx answer means a
    /// delivery.
    public var acknowledgement: Acknowledgement?

    /// The URL, parsed once for all reports.
    private let template: Result<EndpointTemplate, EndpointTemplate.Problem>
    let provider: HeaderProvider

    /// Makes a destination for an HTTP or HTTPS endpoint.
    ///
    /// - Parameters:
    ///   - url: An absolute URL without user name and password, with `{id}`, `{kind}` and `{host}` where wanted.
    ///   - headers: Header fields for each report, for example an `Authorization`. The default is none. They are kept
    ///     in memory only. The sender sets the fields that frame the request or describe the report, such as
    ///     `Content-Type`, `Idempotency-Key` and all that begin with `Report-`, and ignores such fields here.
    /// - Returns: The destination. Its URL is checked when a reporter is made.
    public static func http(_ url: String, headers: [(name: String, value: String)] = []) -> Destination {
        Destination(template: url) { headers }
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
        Destination(template: url, provider: provider)
    }

    init(template url: String, provider: @escaping HeaderProvider) {
        template = Result { () throws(EndpointTemplate.Problem) in try EndpointTemplate(url) }
        self.provider = provider
    }

    /// Whether each report is sent by `PUT` to an address of its own.
    var namesReports: Bool { (try? template.get())?.namesReports ?? false }

    /// Makes the address of one report.
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
            // The URL may have a secret in its query, so the message names the problem and not the value.
            throw ReportsError(.badConfiguration, "the endpoint \(error)", underlyingError: error)
        }
    }

    /// Checks the URL before it is used, with the name of this machine in it.
    package func validate() throws(ReportsError) -> Endpoint {
        try endpoint(id: String(repeating: "0", count: 64), kind: "crash", host: CurrentProcess.hostName)
    }
}
