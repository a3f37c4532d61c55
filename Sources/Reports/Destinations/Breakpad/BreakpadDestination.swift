import Background
import DurableIO
import HTTPTypes

/// A collector of minidumps that takes the form of Breakpad and Crashpad, such as Mozilla's Antenna, or the endpoints
/// for minidumps of Sentry and Backtrace.
///
/// It takes minidumps only. Nothing in the form lets a collector know a dump again, so a report whose answer was lost is
/// a second one there when it is sent again: it has the same `guid` and `report_id`, by which a person finds the pair.
struct BreakpadDestination: DestinationKind {
    static let schemes = ["minidump+https", "minidump+http"]
    static let usualEncoding = ReportEncoding.identity
    /// A minute: what was only slow may have arrived until then, and two copies are never under way at a time.
    static let unansweredRest: Int64? = 60_000
    let bodyContent = "a form and the payload"
    static let hasTokensInPath = true
    static let ownProof: String? = "CrashID= in the answer"
    static let trialObjection: String? = "takes minidumps only, and a test report is none"

    let options: DestinationOptions
    let endpoint: Endpoint
    let gateKey: String
    private let template: EndpointTemplate

    init(endpoint: String, options: DestinationOptions) throws(ReportsError) {
        try self.init(url: String(endpoint.dropFirst("minidump+".count)), options)
    }

    /// Makes a destination of an `https` or `http` URL, which may have marks.
    init(url: String, _ options: DestinationOptions) throws(ReportsError) {
        guard options.encoding == nil || options.encoding == .identity else {
            throw ReportsError(
                .badConfiguration,
                "minidumps are sent in a form that is not compressed: set no encoding, or identity")
        }
        self.options = options
        (template, endpoint) = try EndpointTemplate.checked(url)
        gateKey = endpoint.maskedPlace
    }

    /// The id of the crash is in the body, so a body that breaks off or is late is no answer. With another proof it is
    /// as much as that proof needs.
    var answerByteCount: Int? {
        guard let acknowledgement = options.acknowledgement else { return 4 << 10 }
        return acknowledgement.answerByteCount
    }

    /// A minidump that was cut is taken, too: it may still name the thread that crashed, and the collector is the one
    /// that can tell.
    func admits(_ report: ReportOutline) -> Admission {
        let format = report.properties.format.prefix { $0 != " " }
        return format == "minidump" ? .yes : .no("takes minidumps only")
    }

    func request(
        for report: OutgoingReport, _ attempt: AttemptContext
    ) async throws(NoAnswer) -> TransferRequest {
        let headers = try await options.headerFields()
        let target = try template.endpoint(for: report.stored, attempt)
        let form = MinidumpForm(report: report.stored, product: try await product(of: report)).multipart
        var fields = HTTPFields()
        fields[.userAgent] = "Reports/\(ReportsVersion.current)"
        fields.add(headers)
        fields[.contentType] = form.contentType
        return TransferRequest(
            endpoint: target, method: .post, fields: fields,
            body: try report.payload(behind: form.beginning, before: form.end))
    }

    /// The program and its version: by the annotations, else by the dump.
    private func product(of report: OutgoingReport) async throws(NoAnswer) -> MinidumpForm.Product {
        let annotated = MinidumpForm.Product(report.stored.properties.annotations)
        guard !annotated.isKnown else { return annotated }
        return try await report.withDiagnosis { diagnosis in
            var product = annotated
            if let crash = diagnosis.crash { product.add(crash) }
            return product
        }
    }
}
