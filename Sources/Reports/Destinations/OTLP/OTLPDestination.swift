import Background
import DurableIO
import HTTPTypes

/// A collector of OpenTelemetry that takes logs by OTLP over HTTP, in which each report is one log record.
///
/// It is for seeing and alerting, not for keeping dumps: the payload of a report goes with its record only if it is text
/// of at most 256 KiB. A request holds one record, so that a refusal is about one report. The record has the report's id
/// (`log.record.uid`), by which a server may know it again; few do.
struct OTLPDestination: DestinationKind {
    static let schemes = ["otlp+https", "otlp+http"]
    static let openQueryNames = Set(Parameter.allCases.map(\.rawValue))
    static let hasTokensInPath = true
    let bodyContent = "a log record"
    var admissionTerms: String { "otlp \(payload.rawValue)" }

    private enum Parameter: String, CaseIterable {
        case payload
    }

    let options: DestinationOptions
    let payload: OTLPPayload
    let endpoint: Endpoint
    let gateKey: String
    let memory = OTLPMemory()

    init(endpoint: String, options: DestinationOptions) throws(ReportsError) {
        let query = endpoint.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).dropFirst().first
        let parameters = try EndpointParameters(query ?? "", known: Parameter.allCases.map(\.rawValue))
        let payload = try parameters.word(Parameter.payload.rawValue, of: OTLPPayload.self)
        let url = endpoint.prefix { $0 != "?" }.dropFirst("otlp+".count)
        try self.init(url: url, payload ?? .whole, options)
    }

    /// Makes a destination of an `https` or `http` URL without a query.
    init(url: Substring, _ payload: OTLPPayload, _ options: DestinationOptions) throws(ReportsError) {
        guard options.encoding != .file else {
            throw Self.problem("a log record has no file form: set the encoding gzip or identity, or none")
        }
        guard options.acknowledgement?.isInBody != true else {
            throw Self.problem("a collector answers in protobuf: set the acknowledgement header:NAME or any, or none")
        }
        self.options = options
        self.payload = payload
        endpoint = try Self.endpoint(url)
        gateKey = endpoint.maskedPlace
    }

    /// Where records go: the path of the URL, with the one for logs behind it, as exporters of OpenTelemetry do it.
    private static func endpoint(_ url: Substring) throws(ReportsError) -> Endpoint {
        guard !url.contains("#") else { throw problem("the endpoint \(MarkProblem.fragment)") }
        guard !url.contains("?") else { throw problem("the endpoint has a query: give the parameters by themselves") }
        guard !url.contains("{"), !url.contains("}") else {
            throw problem("the endpoint has a mark: all records go to one address, and say themselves what they are of")
        }
        do {
            let base = try Endpoint(String(url))
            var path = base.path[...]
            while path.last == "/" { path.removeLast() }
            return try Endpoint(base.origin + path + (path.hasSuffix(logsPath) ? "" : logsPath))
        } catch {
            throw ReportsError(.badConfiguration, "the endpoint \(error)", underlyingError: error)
        }
    }

    private static let logsPath = "/v1/logs"

    private static func problem(_ text: String) -> ReportsError { ReportsError(.badConfiguration, text) }

    var answerByteCount: Int? { OTLPResponse.byteCount }

    // MARK: - The request

    func admits(_ report: ReportOutline) -> Admission {
        guard payload == .whole, report.size > 0 else { return .yes }
        let size = ByteSize.text(report.size)
        guard OTLPPayloadPart.mayBeText(report.properties) else {
            return .no(
                "takes no payload of \(size) that is no text; with payload=omit in its endpoint the record goes without "
                    + "any")
        }
        guard report.size <= UInt64(OTLPPayload.maximumByteCount) else {
            return .no(
                "takes no payload of \(size), only text of up to 256 KiB; with payload=cut in its endpoint the record has "
                    + "the beginning")
        }
        return .yes
    }

    func request(
        for report: OutgoingReport, _ attempt: AttemptContext
    ) async throws(NoAnswer) -> TransferRequest {
        let headers = try await options.headerFields()
        let bytes = try await report.withDiagnosis { diagnosis throws(NoAnswer) in
            let part = try part(of: report)
            if part.isRepaired { memory.noteRepaired(report.stored.id) }
            return OTLPRecord(report.stored, diagnosis, part, host: attempt.host).request
        }
        var fields = HTTPFields()
        fields[.userAgent] = "Reports/\(ReportsVersion.current)"
        fields.add(headers)
        fields[.contentType] = "application/x-protobuf"
        let isIdentity = options.encoding == .identity
        if !isIdentity { fields[.contentEncoding] = "gzip" }
        return TransferRequest(
            endpoint: endpoint, method: .post, fields: fields,
            body: try isIdentity ? OutgoingReport.body([.bytes(bytes)]) : OutgoingReport.wireForm(of: bytes))
    }

    /// What goes out of the payload of a report.
    /// - Throws: ``NoAnswer`` when it may not go out like that, or cannot be read.
    func part(of report: OutgoingReport) throws(NoAnswer) -> OTLPPayloadPart {
        let stored = report.stored
        guard payload != .omit, stored.size == 0 || OTLPPayloadPart.mayBeText(stored.properties) else {
            return OTLPPayloadPart()
        }
        let part = OTLPPayloadPart(text: try report.head(upTo: OTLPPayload.maximumByteCount), of: stored.size)
        guard part.isWhole || payload == .cut else {
            throw NoAnswer.notAdmitted(
                "the destination takes text in UTF-8 only; with payload=cut in its endpoint other bytes are replaced")
        }
        return part
    }
}
