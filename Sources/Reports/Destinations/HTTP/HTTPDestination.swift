import Background
import Diagnosis
import DurableIO
import HTTPTypes

/// A server that takes reports as they are, by `PUT` or `POST`.
struct HTTPDestination: DestinationKind {
    static let schemes = ["http", "https"]
    static let hasTokensInPath = true

    /// The URL, parsed once for all reports.
    private let template: EndpointTemplate
    private let options: DestinationOptions
    let endpoint: Endpoint

    init(endpoint: String, options: DestinationOptions) throws(ReportsError) {
        self.options = options
        (template, self.endpoint) = try EndpointTemplate.checked(endpoint)
    }

    var gateKey: String { endpoint.origin }
    var answerByteCount: Int? { options.acknowledgement?.answerByteCount }
    var goesInParts: Bool { true }

    func request(
        for report: OutgoingReport, _ attempt: AttemptContext
    ) async throws(NoAnswer) -> TransferRequest {
        let headers = try await options.headerFields()
        let target = try template.endpoint(for: report.stored, attempt)
        let encoding = options.encoding ?? Self.usualEncoding
        var fields = ReportFields.of(
            report.stored, adding: headers, withAnnotations: !attempt.has(.annotationsLeftOut))
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
        let hasLeftOut = attempt.has(.annotationsLeftOut)
        var judgement = ReportAnswers.judge(
            answer, demanding: options.acknowledgement, isSecure: endpoint.isSecure, at: attempt.wall,
            without: hasLeftOut ? ["annotations"] : [])
        if !hasLeftOut, Self.refusesFields(answer, of: report.stored) { judgement.again = .annotationsLeftOut }
        return judgement
    }

    /// Whether an answer may be about the size of the annotations: one user's long annotations must not let a server
    /// look as if it rejected everything.
    private static func refusesFields(_ answer: TransferAnswer, of report: StoredReport) -> Bool {
        let byteCount = StructuredField.dictionary(report.properties.annotations).utf8.count
        // nginx answers 400, most others 431 (RFC 6585, section 5).
        return answer.status == 431 && byteCount > 0 || answer.status == 400 && byteCount > smallFieldByteCount
    }

    /// No server refuses a field of this size, in bytes.
    private static let smallFieldByteCount = 2 << 10
}

extension Change {
    /// The annotations are left out, because the server does not take as many header fields.
    fileprivate static let annotationsLeftOut = Change("annotations")
}
