import Background
import Diagnosis
import DurableIO
import HTTPTypes

/// A project of a Sentry server, in which each report is an event with its payload as attachment.
///
/// The id of an event is made of the report's, so that a server which has the event already knows it again: Sentry for
/// about an hour, others for ever. What the server takes of an event is its own matter: most of them keep no
/// attachments but minidumps.
struct SentryDestination: DestinationKind {
    static let schemes = ["sentry+https", "sentry+http"]
    static let openQueryNames = Set(Parameter.allCases.map(\.rawValue))

    static let hasTokensInPath = true
    static let ownProof: String? = "the id of the event"

    private enum Parameter: String, CaseIterable {
        case attachments
    }

    let dsn: SentryDSN
    let options: DestinationOptions
    let attachments: SentryAttachments

    init(endpoint: String, options: DestinationOptions) throws(ReportsError) {
        try self.init(endpoint: endpoint, options: options, or: .whole)
    }

    /// - Parameters:
    ///   - endpoint: as in settings.
    ///   - options: of the destination.
    ///   - usual: what becomes of attachments if the endpoint does not say it.
    /// - Throws: ``ReportsError`` without the endpoint's text.
    init(
        endpoint: String, options: DestinationOptions, or usual: SentryAttachments
    ) throws(ReportsError) {
        let query = endpoint.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).dropFirst().first
        let parameters = try EndpointParameters(query ?? "", known: Parameter.allCases.map(\.rawValue))
        let attachments = try parameters.word(Parameter.attachments.rawValue, of: SentryAttachments.self)
        try self.init(SentryDSN(endpoint.dropFirst("sentry+".count)), attachments ?? usual, options)
    }

    init(
        _ dsn: SentryDSN, _ attachments: SentryAttachments, _ options: DestinationOptions
    ) throws(ReportsError) {
        guard options.encoding != .file else {
            throw ReportsError(
                .badConfiguration,
                "a Sentry server takes no \(ReportEncoding.file.rawValue) form: the encoding is gzip or identity")
        }
        self.dsn = dsn
        self.attachments = attachments
        self.options = options
    }

    var endpoint: Endpoint { dsn.envelopeEndpoint }
    var gateKey: String { dsn.gateKey }
    /// Enough for the id of the event. An answer that breaks off before is none.
    var answerByteCount: Int? { max(4 << 10, options.acknowledgement?.answerByteCount ?? 0) }
    var bodyContent: String { attachments == .none ? "an event without the payload" : "an event and the payload" }
    var admissionTerms: String { "sentry \(attachments.rawValue)" }

    func admits(_ report: ReportOutline) -> Admission {
        guard attachments == .whole, !attachments.takes(report.size) else { return .yes }
        return .no(
            "takes no attachment of \(ByteSize.text(report.size)); with attachments=omit in its endpoint the event "
                + "goes without it")
    }

    /// Whether the payload of a report is a part of the request.
    func hasAttachment(_ report: StoredReport, _ attempt: AttemptContext) -> Bool {
        attachments.takes(report.size) && !attempt.has(.withoutAttachment)
    }

    func request(
        for report: OutgoingReport, _ attempt: AttemptContext
    ) async throws(NoAnswer) -> TransferRequest {
        let headers = try await options.headerFields()
        let hasAttachment = hasAttachment(report.stored, attempt)
        let beginning = try await report.withDiagnosis { diagnosis in
            SentryEnvelope(
                event: SentryEvent(
                    report.stored, diagnosis, host: attempt.host, omittedAttachment: !hasAttachment),
                report: report.stored, sentAt: attempt.wall, hasAttachment: hasAttachment
            ).beginning
        }
        var fields = HTTPFields()
        fields[.userAgent] = "Reports/\(ReportsVersion.current)"
        fields.add(headers.filter { !Self.setsHeader($0.name) })
        fields[.sentryAuthentication] = dsn.authentication
        fields[.contentType] = "application/x-sentry-envelope"
        if !isIdentity { fields[.contentEncoding] = "gzip" }
        return TransferRequest(
            endpoint: endpoint, method: .post, fields: fields,
            body: try body(beginning, report, hasAttachment: hasAttachment))
    }

    private var isIdentity: Bool { options.encoding == .identity }

    private func body(
        _ beginning: [UInt8], _ report: OutgoingReport, hasAttachment: Bool
    ) throws(NoAnswer) -> TransferBody {
        switch (hasAttachment, isIdentity) {
        case (true, false): try report.wireForm(behind: beginning)
        case (true, true): try report.payload(behind: beginning)
        case (false, false): try OutgoingReport.wireForm(of: beginning)
        case (false, true): try OutgoingReport.body([.bytes(beginning)])
        }
    }

    static func setsHeader(_ name: String) -> Bool {
        HeaderRules.isReserved(name) || name.lowercased() == "x-sentry-auth"
    }
}

extension Change {
    /// Send the event without its attachment, which is too large for the server.
    static let withoutAttachment = Change("without-attachment")
}

extension HTTPField.Name {
    fileprivate static let sentryAuthentication = known("X-Sentry-Auth")
}
