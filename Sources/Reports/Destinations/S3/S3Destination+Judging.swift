import Background
import Diagnosis
import DurableIO
import HTTPTypes

/// What the answers of an S3 server mean. S3 says what is wrong by a code in the body: many statuses mean something
/// else than in HTTP.
extension S3Destination {
    func judge(_ answer: TransferAnswer, to report: OutgoingReport, _ attempt: AttemptContext) -> Judgement {
        let error = S3ErrorBody(answer)
        var judgement = basic(answer, at: attempt.wall)
        let isForeign = [.hold(.portal), .hold(.tls)].contains(judgement.disposition)
        if !isForeign, !(200...299).contains(answer.status) || error.code != nil {
            apply(error, answer, to: &judgement, attempt)
        }
        judgement.receipt = receipt(of: answer, error, key: key(of: report, attempt), judgement)
        if judgement.disposition == .delivered { memory.learn(from: attempt) }
        if judgement.disposition == .hold(.auth) { keys.doubt() }
        return judgement
    }

    /// The meaning by status. A 2xx counts only with proof that a store has given it: a portal or a load balancer that
    /// answers 200 in its place must not cost the bytes.
    private func basic(_ answer: TransferAnswer, at wall: Int64) -> Judgement {
        if let rule = options.acknowledgement {
            return .http(answer, isSecure: place.isSecure, proof: rule.check(answer), at: wall)
        }
        // A page may have an ETag as well: a portal's counts as one before the proof is looked for.
        let judgement = Judgement.http(answer, isSecure: place.isSecure, at: wall)
        let hasProof = [HTTPField.Name.eTag, .amzRequestID, .amzID].contains { answer.fields[$0]?.isEmpty == false }
        guard judgement.disposition == .delivered, !hasProof else { return judgement }
        return .http(answer, isSecure: place.isSecure, proof: .missing, at: wall)
    }

    private func apply(
        _ error: S3ErrorBody, _ answer: TransferAnswer, to judgement: inout Judgement, _ attempt: AttemptContext
    ) {
        let text = "the server answered \(answer.status)" + (error.code.map { " (\($0))" } ?? "")
        guard let meaning = S3Answers.meaning(error.code, status: answer.status) else {
            // A code that nobody knows in a 2xx is no success.
            if judgement.disposition == .delivered { judgement.disposition = .hold(.acknowledgement) }
            if error.code != nil { judgement.note = text }
            judgement.again = regionChange(error, answer, attempt)
            return
        }
        judgement.disposition = meaning.disposition
        judgement.again = change(error, answer, attempt)
        judgement.note = [text, words(error, answer, attempt) ?? meaning.words].compactMap(\.self).joined(
            separator: ": ")
        if error.code == "AuthorizationHeaderMalformed", error.region != nil {
            judgement.disposition = .hold(.redirect)
        }
        if judgement.disposition == .delivered { judgement.note = nil }
    }

    /// What only this answer says.
    private func words(_ error: S3ErrorBody, _ answer: TransferAnswer, _ attempt: AttemptContext) -> String? {
        switch error.code {
        case "RequestTimeTooSkewed":
            guard let offset = offset(error, answer, attempt) else { return nil }
            let minutes = offset.magnitude / 60_000
            // A server that refuses a time which is its own has another reason than the clock.
            guard minutes > 0 else { return "it refuses the time of the request, which is its own" }
            return "the clock of this machine is \(minutes) min \(offset > 0 ? "behind" : "ahead of") the server's"
        case let code? where Self.regionCodes.contains(code):
            return error.region.map { "the bucket is in the region \($0): write region=\($0) in the endpoint" }
        default: return nil
        }
    }

    // MARK: - Once more

    private static let regionCodes: Set<String> = [
        "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect",
    ]

    /// The one thing that the answer asks to change.
    private func change(_ error: S3ErrorBody, _ answer: TransferAnswer, _ attempt: AttemptContext) -> Change? {
        switch error.code {
        case "RequestTimeTooSkewed": return offset(error, answer, attempt).map { .serverClock(offset: $0) }
        case "AccessDenied":
            // Some servers say no more than this of a time that is not theirs.
            guard let offset = offset(error, answer, attempt), offset.magnitude > Self.skew else { return nil }
            return .serverClock(offset: offset)
        case "ExpiredToken": return .freshCredentials
        case "NotImplemented": return .withoutCondition
        case "MetadataTooLarge": return .withoutAnnotations
        default: return regionChange(error, answer, attempt)
        }
    }

    /// What servers accept, in milliseconds: 15 minutes.
    private static let skew: Int64 = 15 * 60_000

    /// From this machine's clock to the server's.
    private func offset(_ error: S3ErrorBody, _ answer: TransferAnswer, _ attempt: AttemptContext) -> Int64? {
        let date = answer.fields[.date].flatMap { HTTPDate.parse($0, nowMilliseconds: attempt.wall) }
        return (date ?? error.serverTime).map { $0 - attempt.wall }
    }

    private func regionChange(_ error: S3ErrorBody, _ answer: TransferAnswer, _ attempt: AttemptContext) -> Change? {
        let isAboutRegion = error.code.map(Self.regionCodes.contains) ?? (answer.status == 301)
        guard isAboutRegion, let region = error.region, place.moved(to: region) != nil,
            region != memory.lessons(attempt).region ?? place.region
        else { return nil }
        return .region(region)
    }

    // MARK: - For people

    /// What is kept of the answer. Never its body, which may hold what was signed.
    private func receipt(
        of answer: TransferAnswer, _ error: S3ErrorBody, key: String, _ judgement: Judgement
    ) -> String {
        var object = JSONObject()
        object["status"] = JSONValue(answer.status)
        object["code"] = error.code.map { .string($0) }
        if judgement.disposition == .delivered { object["location"] = .string("s3://\(address.bucket)/\(key)") }
        object["bucket"] = .string(address.bucket)
        object["key"] = .string(key)
        for (name, field) in [
            ("etag", HTTPField.Name.eTag), ("request_id", .amzRequestID), ("version_id", .amzVersion),
        ] {
            object[name] = answer.fields[field].map { .string("\(QuotedText($0, limit: 200))") }
        }
        return JSONValue.object(object).description
    }
}

extension HTTPField.Name {
    fileprivate static let amzRequestID = known("x-amz-request-id")
    fileprivate static let amzID = known("x-amz-id-2")
    fileprivate static let amzVersion = known("x-amz-version-id")
}
