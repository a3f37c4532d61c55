import Background
import Diagnosis
import DurableIO
import HTTPTypes

/// A server that takes reports as they are, by `PUT` or `POST`.
struct HTTPDestination: DestinationKind {
    static let schemes = ["http", "https"]

    /// The URL, parsed once for all reports.
    private let template: EndpointTemplate
    private let options: DestinationOptions
    let endpoint: Endpoint

    init(endpoint: String, options: DestinationOptions) throws(ReportsError) {
        self.options = options
        do {
            template = try EndpointTemplate(endpoint)
            self.endpoint = try Endpoint(template.example(host: CurrentProcess.hostName))
        } catch {
            // The URL may have a secret in its query, so the message names the problem and not the value.
            throw ReportsError(.badConfiguration, "the endpoint \(error)", underlyingError: error)
        }
    }

    var gateKey: String { endpoint.origin }
    var answerByteCount: Int? { options.acknowledgement?.answerByteCount }
    var goesInParts: Bool { true }

    func request(
        for report: OutgoingReport, _ attempt: AttemptContext
    ) async throws(NoAnswer) -> TransferRequest {
        let headers = try await options.headerFields()
        let target: Endpoint
        do {
            target = try Endpoint(template.url(for: report.stored, host: attempt.host))
        } catch {
            // Of the destination, which was checked before: no fault of the report's.
            throw NoAnswer.localTrouble("the endpoint \(error)")
        }
        let encoding = options.encoding ?? Self.usualEncoding
        var fields = ReportFields.of(report.stored, adding: headers)
        fields[.contentType] = report.stored.properties.contentType
        switch encoding {
        case .file:
            fields[.contentEncoding] = nil
            fields[.contentType] = "application/gzip"
            // What is sent is the file; the payload inside has no digest of its own here.
            fields[.unencodedDigest] = nil
        case .identity:
            fields[.contentEncoding] = nil
            fields[.representationDigest] = StructuredField.digest(report.stored.id)
        default: break
        }
        return TransferRequest(
            endpoint: target, method: template.namesReports ? .put : .post, fields: fields,
            body: try encoding == .identity ? report.payload() : report.wireForm())
    }

    func judge(_ answer: TransferAnswer, to report: OutgoingReport, _ attempt: AttemptContext) -> Judgement {
        ReportAnswers.judge(
            answer, demanding: options.acknowledgement, isSecure: endpoint.isSecure, at: attempt.wall)
    }
}
