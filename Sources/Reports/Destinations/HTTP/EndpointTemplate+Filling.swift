import Background
import DurableIO

extension EndpointTemplate {
    /// A URL as the user writes it, and the endpoint that an example report would be sent to.
    /// - Throws: ``ReportsError`` that names the problem and not the URL, which may have a secret in its query.
    static func checked(_ url: String) throws(ReportsError) -> (template: EndpointTemplate, example: Endpoint) {
        do {
            let template = try EndpointTemplate(url)
            return (template, try Endpoint(template.url(.example(host: CurrentProcess.hostName))))
        } catch {
            let hint = hint(on: error as? Endpoint.Problem, url).map { "; \($0)" } ?? ""
            throw ReportsError(.badConfiguration, "the endpoint \(error)\(hint)", underlyingError: error)
        }
    }

    /// What a user may have meant who writes another protocol's address.
    private static func hint(on problem: Endpoint.Problem?, _ url: String) -> String? {
        switch problem {
        case .hasUserInfo: return "before the DSN of Sentry write sentry+"
        case .unknownScheme:
            let scheme = "\(url.prefix { $0 != ":" }.lowercased())+https"
            return Destination.kinds.contains { $0.schemes.contains(scheme) } ? "write \(scheme)://" : nil
        default: return nil
        }
    }

    /// Where a report is sent.
    func endpoint(for report: StoredReport, _ attempt: AttemptContext) throws(NoAnswer) -> Endpoint {
        do {
            return try Endpoint(url(MarkValues(report, host: attempt.host)))
        } catch {
            // Of the destination, which was checked before: no fault of the report's.
            throw NoAnswer.localTrouble("the endpoint \(error)")
        }
    }
}
