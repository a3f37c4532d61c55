package import Background
package import DurableIO
import HTTPTypes
import Logging
import Synchronization

/// Works for the engine on the reports' behalf: makes each request, and moves files once the ledger says so.
final class ReportSender: TransferClient {
    private let spool: ReportSpool
    private let destination: Destination?
    private let logger: Logger
    private let host: String
    private let state = Mutex(State())
    /// Whether this process still is the owner.
    private let isOwner: @Sendable () -> Bool
    private let onSettled: @Sendable (SubmissionProgress) -> Void

    private struct State {
        var progress = SubmissionProgress()
        var hasMovedFiles = false
        var hasMisplacedFiles = false
    }

    init(
        spool: ReportSpool, destination: Destination?, logger: Logger, isOwner: @escaping @Sendable () -> Bool,
        onSettled: @escaping @Sendable (SubmissionProgress) -> Void = { _ in }
    ) {
        self.spool = spool
        self.destination = destination
        self.logger = logger
        self.isOwner = isOwner
        self.onSettled = onSettled
        host = CurrentProcess.hostName
    }

    /// What the attempts of this run came to.
    var progress: SubmissionProgress { state.withLock(\.progress) }

    func mayGoOn() throws {
        guard isOwner() else {
            throw ReportsError(.spoolNotUsable, "owner.lock was replaced: another process may own the spool now")
        }
    }

    // MARK: - Requests

    func attempt(_ record: TransferRecord, over transport: any Transport) async -> TransportOutcome {
        do {
            var request = try await request(for: record)
            request.growPatience(attempts: record.attempts)
            return await transport.send(request)
        } catch {
            return error.outcome
        }
    }

    /// Why there is no request.
    private struct Obstacle: Error {
        let outcome: TransportOutcome

        init(_ outcome: TransportOutcome) {
            self.outcome = outcome
        }
    }

    private func request(for record: TransferRecord) async throws(Obstacle) -> TransferRequest {
        guard let destination else { throw Obstacle(.cancelled) }
        guard let id = ContentHash(hex: record.identifier) else {
            throw Obstacle(.unreadableBody("its row holds no report id"))
        }
        let report = try wholeReport(id)
        let headers = try await headers(of: destination)
        do {
            return try request(for: report, to: destination, headers)
        } catch {
            throw Obstacle(.unreadableBody("\(error)"))
        }
    }

    /// Frozen bytes that are not what was stored must not go out under their id.
    private func wholeReport(_ id: ContentHash) throws(Obstacle) -> StoredReport {
        let name = StoredReport.name(of: id)
        do {
            guard let report = try spool.stored(name, in: spool.queued) else { throw Obstacle(.missingBody) }
            guard try spool.isWhole(report, named: name, in: spool.queued) else {
                throw Obstacle(.unreadableBody("the stored bytes are damaged"))
            }
            return report
        } catch let obstacle as Obstacle {
            throw obstacle
        } catch let error as DamagedReport {
            throw Obstacle(.unreadableBody("the stored file is damaged: \(error)"))
        } catch let error as FileSystemError {
            throw Obstacle(.reading(error))
        } catch {
            throw Obstacle(.unreadableBody("\(error)"))
        }
    }

    private func headers(of destination: Destination) async throws(Obstacle) -> [(name: String, value: String)] {
        do {
            return try await destination.provider()
        } catch {
            // The type only: the error's text may hold what must not be logged.
            let reason = "the headers could not be had (\(type(of: error)))"
            throw Obstacle(.failure(TransportFailure(reason, didConnect: false, bytesSent: 0)))
        }
    }

    private func request(
        for report: StoredReport, to destination: Destination, _ headers: [(name: String, value: String)]
    ) throws(ReportsError) -> TransferRequest {
        let endpoint = try destination.endpoint(
            id: report.id.hex, kind: report.properties.kind.rawValue, host: host)
        let body = TransferBody(
            prefix: WireForm.prefix, directory: spool.queued, name: StoredReport.name(of: report.id),
            offset: UInt64(report.headerByteCount),
            length: report.wireSize - UInt64(WireForm.prefix.count))
        return TransferRequest(
            endpoint: endpoint, method: destination.namesReports ? .put : .post, fields: fields(of: report, headers),
            body: body)
    }

    private func fields(of report: StoredReport, _ headers: [(name: String, value: String)]) -> HTTPFields {
        let properties = report.properties
        var fields = HTTPFields()
        fields[.userAgent] = "Reports/\(ReportsVersion.current)"
        fields.add(headers)
        fields[.contentType] = properties.contentType
        fields[.contentEncoding] = "gzip"
        fields.set("Idempotency-Key", to: StructuredFields.string(report.id.hex))
        fields.set("Unencoded-Digest", to: "sha-256=:\(report.id.base64):")
        fields.set("Repr-Digest", to: "sha-256=:\(report.wireHash.base64):")
        fields.set("Report-Kind", to: properties.kind.rawValue)
        fields.set("Report-Collected-At", to: RFC3339.string(milliseconds: properties.collectedAt))
        if !properties.annotations.isEmpty {
            fields.set("Report-Annotations", to: StructuredFields.dictionary(properties.annotations))
        }
        return fields
    }

    /// The answer's `Location` and its first KiB, as JSON.
    func receipt(of answer: TransferAnswer) -> String? {
        var object = JSONObject()
        object["status"] = JSONValue(answer.status)
        object["location"] = JSONValue(answer.fields[.location])
        object["body"] = answer.body.isEmpty ? .null : .string(String(decoding: answer.body, as: UTF8.self))
        return JSONValue.object(object).description
    }

    // MARK: - Files

    func didSettle(_ settlements: [Settlement]) async {
        for settlement in settlements {
            release(settlement.claim.record, settlement.verdict.state)
        }
        let progress = state.withLock { state in
            for settlement in settlements { state.progress.count(settlement) }
            return state.progress
        }
        onSettled(progress)
    }

    private func release(_ record: TransferRecord, _ verdict: TransferState) {
        guard let id = ContentHash(hex: record.identifier), !verdict.isLive else { return }
        do {
            try spool.release(id, as: verdict)
            state.withLock { $0.hasMovedFiles = true }
        } catch {
            // The verdict is durable; the next owner moves the file.
            state.withLock { $0.hasMisplacedFiles = true }
            logger.warning("Report's file not moved", metadata: ["report.id": "\(id)", "error": "\(error)"])
        }
    }

    /// Makes durable where files went. To be called before the ledger is closed in order, because after an orderly end
    /// nobody looks for files in the wrong room.
    func syncRooms() throws {
        guard state.withLock(\.hasMovedFiles) else { return }
        try spool.files.syncDirectory(spool.queued)
        try spool.files.syncDirectory(spool.parked)
        state.withLock { $0.hasMovedFiles = false }
    }

    /// Whether a file could not be put where its verdict wants it.
    var hasMisplacedFiles: Bool { state.withLock(\.hasMisplacedFiles) }

    func noteMovedFiles() {
        state.withLock { $0.hasMovedFiles = true }
    }

    func freeLedgerSpace() async -> Bool {
        (try? spool.files.remove(ReportSpool.reserveName, in: spool.root)) ?? false
    }
}

/// What a run has done so far.
package struct SubmissionProgress: Hashable, Sendable {
    package var delivered = 0
    package var rejected = 0
    package var exhausted = 0
    package var attempts = 0

    mutating func count(_ settlement: Settlement) {
        attempts += 1
        switch settlement.verdict.state {
        case .delivered: delivered += 1
        case .rejected: rejected += 1
        case .exhausted: exhausted += 1
        default: break
        }
    }
}

extension ReportSpool {
    /// Puts a report's file where its settled state wants it: away, or into `parked/`.
    package func release(_ id: ContentHash, as state: TransferState) throws(FileSystemError) {
        let name = StoredReport.name(of: id)
        if state.isParked {
            guard try files.metadata(of: name, in: queued) != nil else { return }
            try files.renameReplacing(name, in: queued, to: name, in: parked)
        } else {
            try files.remove(name, in: queued)
            try files.remove(name, in: parked)
        }
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

    /// Sets a field by a name that is a token; anything else is passed over, having been refused at the edge.
    fileprivate mutating func set(_ name: String, to value: String) {
        guard let name = HTTPField.Name(name) else { return }
        self[name] = value
    }
}

/// The version of this library, as servers see it.
public enum ReportsVersion {
    /// Major, minor and patch (semver.org).
    public static let current = "0.1.0"
}
