import Background
import HTTPTypes

/// Makes the requests of reports that have a request of their own, and judges the answers to them.
struct OwnRequest {
    let stored: TransferRecord.StoredRequest
    let record: TransferRecord
    let callerRequests: CallerRequests

    /// Makes the caller's request with the stored body. A report whose request nobody knows any more rests until
    /// somebody does, because its headers may be what the server trusts.
    func request(for report: OutgoingReport) async throws(NoAnswer) -> TransferRequest {
        let properties = report.stored.properties
        let existing = ExistingReport(
            id: record.identifier, identifier: properties.name.map { String(decoding: $0, as: UTF8.self) },
            method: stored.method, url: stored.url, headerNames: stored.headerNames,
            submittedMilliseconds: record.firstSeenWall, attempts: record.attempts)
        let given = try await DestinationOptions.asking("request") { [callerRequests] in
            try await callerRequests.request(for: existing)
        }
        guard given != nil || stored.headerNames.isEmpty else {
            throw NoAnswer.withheld(
                "its request has headers whose values are not stored: its program must give the request again")
        }
        let endpoint: Endpoint
        do {
            // The same rules as when it was submitted: a GET that is answered 200 is no delivery.
            if let given { _ = try CallerRequest(given) }
            endpoint = try given?.reportEndpoint() ?? Endpoint(stored.url)
        } catch {
            throw NoAnswer.withheld("its request cannot be used: \(error)")
        }
        // Its turn and its waits are those of the server it was submitted for.
        guard endpoint.origin == stored.origin else {
            throw NoAnswer.withheld("the request that was given for it names another server")
        }
        let headers = given?.headerFields ?? HTTPFields()
        var fields = ReportFields.of(report.stored, adding: headers.map { ($0.name.rawName, $0.value) })
        fields[.contentType] = headers[.contentType] ?? properties.contentType
        return TransferRequest(
            endpoint: endpoint, method: given?.method ?? HTTPRequest.Method(stored.method) ?? .post, fields: fields,
            body: try report.wireForm())
    }

    /// What an answer means. The destination's proof of receipt is not demanded, because the report goes to another
    /// place.
    func judge(_ answer: TransferAnswer, to request: TransferRequest, at wall: Int64) -> Judgement {
        ReportAnswers.judge(answer, demanding: nil, isSecure: request.endpoint.isSecure, at: wall)
    }
}
