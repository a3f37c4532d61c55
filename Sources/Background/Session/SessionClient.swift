import DurableIO
package import HTTPTypes
package import Logging
import Synchronization

/// The queue's client for a session's transfers: keeps their requests in memory, makes the attempts, and hands results
/// to the callers that wait.
package final class SessionClient: TransferClient {
    typealias RequestProvider = @Sendable (String) async throws -> HTTPRequest

    private struct State {
        /// The requests by row, each kept until its transfer ends. The values of header fields are nowhere else.
        var requests: [String: HTTPRequest] = [:]
        var providers: [TransferKind: RequestProvider] = [:]
        /// The function by which attempts store how far they have come; `nil` before there is a queue.
        var ledger: AttemptLedger?
    }

    let waiters = TransferWaiters()
    let earlier = EarlierTransfers()
    private let progress: ProgressWatchers
    private let state = Mutex(State())
    private let place: LedgerPlace
    private let logger: Logger

    package init(_ place: LedgerPlace, progress: ProgressWatchers, logger: Logger) {
        self.place = place
        self.progress = progress
        self.logger = logger
    }

    /// Writes an attempt's progress down; durable on return.
    typealias AttemptLedger =
        @Sendable (
            _ rowName: String, _ progress: String?, _ byteCount: Int64?, _ hasAdvanced: Bool
        ) async throws -> Void

    func write(to ledger: @escaping AttemptLedger) {
        state.withLock { $0.ledger = ledger }
    }

    /// Keeps the request of a transfer. The newest request is the one that is sent.
    package func remember(_ request: HTTPRequest, for rowName: String) {
        state.withLock { $0.requests[rowName] = request }
    }

    func setProvider(_ provider: RequestProvider?, for kind: TransferKind) {
        state.withLock { $0.providers[kind] = provider }
    }

    /// Tells all waiting callers how a transfer has ended, or that it goes on only after a caller asks for it.
    func end(_ rowName: String, _ result: TransferResult) {
        state.withLock { $0.requests[rowName] = nil }
        waiters.end(rowName, result)
        earlier.end(rowName)
        progress.end(rowName)
    }

    // MARK: - TransferClient

    package func attempt(_ claim: Claim, over transport: any Transport) async -> AttemptReport {
        let record = claim.record
        guard let stored = record.request else {
            return AttemptReport(.unsendable("the ledger has no request for it"))
        }
        guard let request = await request(record) else { return AttemptReport(.withheld("nobody knows its request")) }
        guard let endpoint = try? request.endpoint, endpoint.origin == stored.origin else {
            return AttemptReport(.withheld("its request goes to another server now"))
        }
        let name = record.identifier
        let note: @Sendable (TransferProgress) -> Void = { [progress] in progress.note($0, of: name) }
        switch TransferKind(rawValue: record.label) {
        case .download:
            let downloads: DownloadDirectory
            do {
                downloads = try DownloadDirectory(files: place.files, root: place.directory)
            } catch {
                return AttemptReport(.localTrouble("\(error)"))
            }
            let attempt = DownloadAttempt(
                record: record, request: request, endpoint: endpoint, downloads: downloads, transport: transport,
                onProgress: note,
                keep: { [self] in try await keep(name, $0, $1, $2) })
            switch await attempt.run() {
            case .content(let answer): return report(.answer(answer), from: endpoint, proof: .given)
            case .other(let result): return report(result, from: endpoint)
            }
        case .upload, nil:
            let result = await UploadAttempt(record: record, stored: stored, request: request, endpoint: endpoint)
                .run(
                    files: place.files, over: transport, onProgress: note,
                    keep: { [self] progress, hasAdvanced in try await keep(name, progress, nil, hasAdvanced) })
            return report(result, from: endpoint)
        }
    }

    /// Judges a result by the rules of HTTP. A caller may ask later for the answer and for the beginning of its body.
    private func report(
        _ result: TransportResult, from endpoint: Endpoint, proof: Judgement.Proof = .notDemanded
    ) -> AttemptReport {
        let wall = place.clock.wallMilliseconds
        return AttemptReport(result, at: wall, keepsAnswer: true) { answer in
            var judgement = Judgement.http(answer, isSecure: endpoint.isSecure, proof: proof, at: wall)
            judgement.receipt = answer.body.isEmpty ? nil : String(decoding: answer.body, as: UTF8.self)
            return judgement
        }
    }

    private func keep(
        _ rowName: String, _ progress: String?, _ byteCount: Int64?, _ hasAdvanced: Bool
    ) async throws {
        guard let ledger = state.withLock(\.ledger) else { return }
        try await ledger(rowName, progress, byteCount, hasAdvanced)
    }

    private func request(_ record: TransferRecord) async -> HTTPRequest? {
        let kind = TransferKind(ofRow: record.identifier)
        let (known, provider) = state.withLock { ($0.requests[record.identifier], $0.providers[kind]) }
        if let known { return known }
        guard let provider else { return nil }
        let identifier = kind.identifier(ofRow: record.identifier)
        do {
            return try await OwnThreads.leave { try await provider(identifier) }
        } catch {
            // The error comes from the caller and may hold anything, so only its type is logged.
            logger.notice(
                "Request provider failed",
                metadata: ["transfer.id": "\(identifier)", "error": "\(type(of: error))"])
            return nil
        }
    }

    package func didSettle(_ settlements: [Settlement]) async {
        for settlement in settlements {
            let name = settlement.claim.record.identifier
            if let result = TransferResult(settlement) {
                end(name, result)
            } else if settlement.verdict.reason == .held(.caller) {
                // The transfer rests without an answer. So only the waits for earlier transfers end, and not the wait
                // of a caller for this transfer.
                earlier.end(name)
            }
        }
    }

    package func freeLedgerSpace() async -> Bool { (try? place.freeReserve()) ?? false }
}
