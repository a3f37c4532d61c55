import Background
import DurableIO
import HTTPTypes

/// Makes the request of each attempt from a stored report, and from whatever knows where it goes.
struct RequestMaker: Sendable {
    let spool: ReportSpool
    /// Of reports that have no request of their own; `nil` when none of those is sent.
    let destination: Destination?
    let callerRequests: CallerRequests
    let host: String

    /// - Throws: ``NoAnswer`` when there is no request to send.
    func request(for record: TransferRecord) async throws(NoAnswer) -> TransferRequest {
        guard let id = ContentHash(hex: record.identifier) else {
            throw NoAnswer.unsendable("its row holds no report id")
        }
        let whole = try wholeReport(id)
        if let stored = record.request { return try await ownRequest(for: whole, stored, record) }
        let report = whole.report
        guard let destination else { throw NoAnswer.interrupted }
        let headers = try await headers { try await destination.provider() }
        do {
            let endpoint = try destination.endpoint(
                id: report.id.hex, kind: report.properties.kind.rawValue, host: host)
            var request = try request(
                for: whole, to: endpoint, by: destination.namesReports ? .put : .post, with: headers,
                as: report.properties.contentType)
            try apply(destination.encoding, to: &request, of: report)
            request.answerByteCount = destination.acknowledgement?.answerByteCount
            return request
        } catch let reason as NoAnswer {
            throw reason
        } catch {
            // Of the destination, which was checked before: no fault of the report's.
            throw NoAnswer.localTrouble("\(error)")
        }
    }

    /// A report, and what is sent of its file, which are the bytes that were stored.
    private typealias Whole = (report: StoredReport, deflated: TransferBody.Segment)

    /// Frozen bytes that are not what was stored must not go out under their id.
    private func wholeReport(_ id: ContentHash) throws(NoAnswer) -> Whole {
        do {
            // An inflated body reads the file by itself.
            let isReadInOrder = destination?.encoding != .identity
            let name = StoredReport.name(of: id)
            guard let whole = try spool.checked(name, in: spool.queued, isReadInOrder: isReadInOrder) else {
                throw NoAnswer.missing
            }
            return whole
        } catch let reason as NoAnswer {
            throw reason
        } catch is CancellationError {
            throw NoAnswer.interrupted
        } catch let error as DamagedReport {
            throw NoAnswer.unsendable("the stored file is damaged: \(error)")
        } catch let error as FileSystemError {
            throw NoAnswer.reading(error)
        } catch {
            throw NoAnswer.unsendable("\(error)")
        }
    }

    /// Asks for what only the caller knows.
    private func headers<Answer>(_ ask: () async throws -> Answer) async throws(NoAnswer) -> Answer {
        do {
            return try await OwnThreads.leave { try await ask() }
        } catch {
            // A provider's own cancellation is no word of ours.
            if Task.isCancelled { throw NoAnswer.interrupted }
            // The type only: the error's text may hold what must not be logged.
            throw NoAnswer.unprepared("the program could not provide the headers (\(type(of: error)))")
        }
    }

    // MARK: - A request of its own

    /// The caller's request with the stored body; a report whose request nobody knows any more rests until somebody
    /// does, because its headers may be what the server trusts.
    private func ownRequest(
        for whole: Whole, _ stored: TransferRecord.StoredRequest, _ record: TransferRecord
    ) async throws(NoAnswer) -> TransferRequest {
        let report = whole.report
        let existing = ExistingReport(
            id: record.identifier,
            identifier: report.properties.name.map { String(decoding: $0, as: UTF8.self) },
            method: stored.method, url: stored.url, headerNames: stored.headerNames,
            submittedMilliseconds: record.firstSeenWall, attempts: record.attempts)
        let given = try await request(for: existing)
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
        let fields = given?.headerFields ?? HTTPFields()
        return try request(
            for: whole, to: endpoint,
            by: given?.method ?? HTTPRequest.Method(stored.method) ?? .post,
            with: fields.map { (name: $0.name.rawName, value: $0.value) },
            as: fields[.contentType] ?? report.properties.contentType)
    }

    private func request(for existing: ExistingReport) async throws(NoAnswer) -> HTTPRequest? {
        do {
            return try await OwnThreads.leave { try await callerRequests.request(for: existing) }
        } catch {
            if Task.isCancelled { throw NoAnswer.interrupted }
            // Nothing about its server. The type only: the error's text may hold what must not be logged.
            throw NoAnswer.unprepared("the program could not provide the request (\(type(of: error)))")
        }
    }

    // MARK: - Forms

    /// From the compressed form to another.
    private func apply(
        _ encoding: ReportEncoding, to request: inout TransferRequest, of report: StoredReport
    ) throws(NoAnswer) {
        switch encoding {
        case .file:
            request.fields[.contentEncoding] = nil
            request.fields[.contentType] = "application/gzip"
            // What is sent is the file; the payload inside has no digest of its own here.
            request.fields[.unencodedDigest] = nil
        case .identity:
            request.fields[.contentEncoding] = nil
            request.fields[.representationDigest] = StructuredField.digest(report.id)
            let payload = InflatedBody(
                directory: spool.queued, name: StoredReport.name(of: report.id), headerByteCount: report.headerByteCount
            )
            request.body = try body([.range(of: payload, offset: 0, length: report.size)])
        default: break
        }
    }

    // MARK: - Fields

    private func request(
        for whole: Whole, to endpoint: Endpoint, by method: HTTPRequest.Method,
        with headers: [(name: String, value: String)], as contentType: String
    ) throws(NoAnswer) -> TransferRequest {
        var fields = fields(of: whole.report, headers)
        fields[.contentType] = contentType
        let body = try body([.bytes(WireForm.prefix), whole.deflated])
        return TransferRequest(endpoint: endpoint, method: method, fields: fields, body: body)
    }

    private func body(_ segments: [TransferBody.Segment]) throws(NoAnswer) -> TransferBody {
        do {
            return try TransferBody(segments)
        } catch {
            throw NoAnswer.unsendable("the stored file is damaged: \(error)")
        }
    }

    private func fields(of report: StoredReport, _ headers: [(name: String, value: String)]) -> HTTPFields {
        let properties = report.properties
        var fields = HTTPFields()
        fields[.userAgent] = "Reports/\(ReportsVersion.current)"
        fields.add(headers)
        fields[.contentEncoding] = "gzip"
        fields[.idempotencyKey] = StructuredField.string(report.id.hex)
        fields[.unencodedDigest] = StructuredField.digest(report.id)
        fields[.representationDigest] = StructuredField.digest(report.wireHash)
        fields[.reportKind] = properties.kind.rawValue
        fields[.reportSignature] = properties.signature
        fields[.reportCollectedAt] = RFC3339.string(milliseconds: properties.collectedAt)
        fields[.reportOccurredAt] = properties.occurredAt.map { RFC3339.string(milliseconds: $0) }
        if !properties.annotations.isEmpty {
            fields[.reportAnnotations] = StructuredField.dictionary(properties.annotations)
        }
        return fields
    }
}

extension HTTPFields {
    /// Adds the user's fields: the same name twice is two lines, and any of them stands instead of a default.
    fileprivate mutating func add(_ others: [(name: String, value: String)]) {
        for name in Set(others.compactMap { HTTPField.Name($0.name) }) { self[name] = nil }
        for (name, value) in others where !HeaderRules.isReserved(name) {
            guard let name = HTTPField.Name(name) else { continue }
            append(HTTPField(name: name, value: value))
        }
    }
}

extension HTTPField.Name {
    fileprivate static let reportKind = known("Report-Kind")
    fileprivate static let reportSignature = known("Report-Signature")
    fileprivate static let reportCollectedAt = known("Report-Collected-At")
    fileprivate static let reportOccurredAt = known("Report-Occurred-At")
    fileprivate static let reportAnnotations = known("Report-Annotations")
}
