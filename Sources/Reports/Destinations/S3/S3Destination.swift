import Background
import Diagnosis
import DurableIO
import HTTPTypes

/// A bucket of an S3 server, in which each report is an object.
///
/// The key of the object holds the report's id, so sending a report again stores the same object. `If-None-Match: *`
/// keeps the first one; a server that does not know this condition replaces it by the same bytes.
struct S3Destination: DestinationKind {
    static let schemes = ["s3"]
    static let usualEncoding = ReportEncoding.file
    static let openQueryNames = S3Address.parameterNames
    static let ownProof: String? = "the ETag or the id of S3"
    /// The largest object that one request can store: 5 GiB.
    static let maximumByteCount: UInt64 = 5 << 30

    let address: S3Address
    let options: DestinationOptions
    let endpoint: Endpoint
    let place: S3Place
    let memory = S3Memory()
    let keys: AccessKeyCache
    private let template: S3KeyTemplate
    private let source: any AccessKeySource
    private let signingKeys = SigningKeys()
    /// What the surroundings of this process lack.
    private let lack: ReportsError?

    init(endpoint: String, options: DestinationOptions) throws(ReportsError) {
        try self.init(S3Address(endpoint), options)
    }

    init(
        _ address: S3Address, _ options: DestinationOptions, in surroundings: S3Surroundings = .process
    ) throws(ReportsError) {
        self.address = address
        self.options = options
        template = try S3KeyTemplate(address.template[...], encoding: options.encoding ?? Self.usualEncoding)
        var found = S3Location(server: address.server, region: address.region)
        lack = found.fill(from: surroundings, profile: address.profile ?? address.credentials.profile)
        place = try S3Place(
            bucket: address.bucket, region: found.region ?? S3Place.usualRegion, server: found.server,
            style: address.style)
        do {
            endpoint = try place.endpoint(key: template.key(.example(host: CurrentProcess.hostName)))
        } catch {
            throw S3Address.problem("\(error)")
        }
        source = address.credentials.source(profile: address.profile, in: surroundings)
        keys = AccessKeyCache(source)
    }

    func checkSurroundings() throws(ReportsError) {
        if let lack { throw lack }
        do {
            try source.check()
        } catch {
            throw ReportsError(.badConfiguration, error.text)
        }
    }

    var gateKey: String { place.gateKey(of: endpoint) }
    /// The template decides how long a key gets.
    var admissionTerms: String { "s3 \(address.template)" }

    var answerByteCount: Int? { max(S3ErrorBody.byteCount, options.acknowledgement?.answerByteCount ?? 0) }

    func admits(_ report: ReportOutline) -> Admission {
        let size = options.encoding == .identity ? report.size : report.wireSize
        guard size <= Self.maximumByteCount else { return .no("takes no object of more than 5 GiB") }
        let key = template.key(MarkValues(report, host: CurrentProcess.hostName))
        guard key.utf8.count <= S3KeyTemplate.maximumByteCount else {
            return .no("takes no key of more than \(S3KeyTemplate.maximumByteCount) bytes")
        }
        return .yes
    }

    /// The key of a report's object.
    func key(of report: OutgoingReport, _ attempt: AttemptContext) -> String {
        template.key(MarkValues(report.stored, host: attempt.host))
    }

    // MARK: - The request

    func request(
        for report: OutgoingReport, _ attempt: AttemptContext
    ) async throws(NoAnswer) -> TransferRequest {
        if let lack { throw NoAnswer.unprepared(lack.message) }
        let headers = try await options.headerFields()
        let lessons = memory.lessons(attempt)
        let now = attempt.wall + lessons.clockOffset
        let accessKey: S3AccessKey
        let target: Endpoint
        do throws(AccessKeyProblem) {
            accessKey = try await keys.key(at: now, over: attempt.side)
        } catch {
            throw error.noAnswer
        }
        guard accessKey.isUsable else { throw NoAnswer.unprepared("the access key holds a blank or another character") }
        let place = lessons.region.flatMap { self.place.moved(to: $0) } ?? self.place
        do {
            target = try place.endpoint(key: key(of: report, attempt))
        } catch {
            // Of the destination, which was checked before: no fault of the report's.
            throw NoAnswer.localTrouble("the endpoint \(error)")
        }
        var fields = fields(of: report.stored, adding: headers, lessons, attempt)
        let hash = isInflated ? report.stored.id.hex : report.stored.wireHash.hex
        sign(
            &fields, target, hash,
            SignatureV4(key: accessKey, region: place.region, date: SignatureV4.date(milliseconds: now)))
        var request = TransferRequest(
            endpoint: target, method: .put, fields: fields,
            body: try isInflated ? report.payload() : report.wireForm())
        // A signature holds for one path only.
        request.followsRedirects = false
        return request
    }

    private var isInflated: Bool { options.encoding == .identity }

    private func fields(
        of report: StoredReport, adding headers: [(name: String, value: String)], _ lessons: S3Memory.Lessons,
        _ attempt: AttemptContext
    ) -> HTTPFields {
        var fields = HTTPFields()
        fields[.userAgent] = "Reports/\(ReportsVersion.current)"
        for (name, value) in headers where !Self.setsHeader(name) {
            guard let name = HTTPField.Name(name) else { continue }
            fields.append(HTTPField(name: name, value: value))
        }
        switch options.encoding ?? Self.usualEncoding {
        case .file: fields[.contentType] = "application/gzip"
        case .identity: fields[.contentType] = report.properties.contentType
        default:
            fields[.contentType] = report.properties.contentType
            fields[.contentEncoding] = "gzip"
        }
        if lessons.sendsCondition { fields[.ifNoneMatch] = "*" }
        S3Metadata.add(to: &fields, report, withAnnotations: !attempt.has(.withoutAnnotations))
        return fields
    }

    private func sign(_ fields: inout HTTPFields, _ target: Endpoint, _ hash: String, _ signature: SignatureV4) {
        fields[.host] = target.authority
        fields[.amzDate] = signature.date
        fields[.amzContentHash] = hash
        fields[.amzSecurityToken] = signature.key.sessionToken
        fields[.authorization] = signature.authorization(
            "PUT", target.path, fields, payloadHash: hash, keys: signingKeys)
    }

    static func setsHeader(_ name: String) -> Bool {
        let name = name.lowercased()
        return HeaderRules.isReserved(name) || own.contains(name)
            || ["content-", "if-", S3Metadata.ownPrefix].contains(where: name.hasPrefix)
    }

    private static let own: Set<String> = [
        "authorization", "host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token",
    ]
}

extension HTTPField.Name {
    fileprivate static let amzDate = known("x-amz-date")
    fileprivate static let amzContentHash = known("x-amz-content-sha256")
    fileprivate static let amzSecurityToken = known("x-amz-security-token")
}
