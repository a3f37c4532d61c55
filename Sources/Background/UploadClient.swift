import DurableIO
import HTTPTypes
import Logging
import Synchronization
import SystemPackage

/// What the engine asks about uploads: it has the requests in memory and hands outcomes to those who wait.
final class UploadClient: TransferClient {
    private struct State {
        /// Kept until the transfer ends: the only place where header values are.
        var requests: [String: HTTPRequest] = [:]
        var tickets: [String?: [UploadTicket]] = [:]
        var nextTicket = 0
    }

    private let state = Mutex(State())
    private let files: any FileSystem
    private let requestProvider: (@Sendable (String) async throws -> HTTPRequest)?
    private let logger: Logger

    init(
        files: any FileSystem, requestProvider: (@Sendable (String) async throws -> HTTPRequest)?, logger: Logger
    ) {
        self.files = files
        self.requestProvider = requestProvider
        self.logger = logger
    }

    // MARK: - Waiting

    /// Registers somebody who wants to know how a transfer ends, or, without one, when the session does.
    func ticket(for identifier: String?) -> UploadTicket {
        state.withLock { state in
            state.nextTicket += 1
            let ticket = UploadTicket(identifier: identifier, number: state.nextTicket)
            state.tickets[identifier, default: []].append(ticket)
            return ticket
        }
    }

    /// The newest request of a transfer is the one that is sent.
    func remember(_ request: HTTPRequest, for identifier: String) {
        state.withLock { $0.requests[identifier] = request }
    }

    func giveBack(_ ticket: UploadTicket) {
        state.withLock { state in
            state.tickets[ticket.identifier]?.removeAll { $0 === ticket }
            if state.tickets[ticket.identifier]?.isEmpty == true { state.tickets[ticket.identifier] = nil }
        }
    }

    /// Ends every wait.
    func endAll(_ error: NetworkResponseError) {
        let tickets = state.withLock { state in
            defer { state.tickets = [:] }
            return state.tickets.values.joined().map { $0 }
        }
        for ticket in tickets { ticket.end(.failed(error)) }
    }

    /// Ends the waits for one transfer.
    func end(_ identifier: String, _ outcome: UploadOutcome) {
        let tickets = state.withLock { state in
            state.requests[identifier] = nil
            return state.tickets.removeValue(forKey: identifier) ?? []
        }
        for ticket in tickets { ticket.end(outcome) }
    }

    // MARK: - TransferClient

    func request(for record: TransferRecord) async -> PreparedRequest {
        guard let stored = record.request else { return .unsendable("the ledger has no request for it") }
        guard let request = await request(record.identifier) else {
            return .withheld("nobody knows its request")
        }
        guard let endpoint = try? request.endpoint, endpoint.origin == stored.origin else {
            return .withheld("its request goes to another server now")
        }
        do throws(NetworkResponseError) {
            let file = try UploadFile(stored.bodyPath, files: files)
            let hash = try await file.hash()
            guard file.byteCount == UInt64(clamping: record.byteCount), hash.hex == stored.bodyHash else {
                return .unsendable("\(stored.bodyPath) changed after it was handed over")
            }
            let fields = request.uploadFields(identifier: record.identifier, hash: hash, byteCount: file.byteCount)
            return .request(
                TransferRequest(endpoint: endpoint, method: request.method, fields: fields, body: file.body))
        } catch {
            return error.code == .cancelled ? .interrupted : .unsendable(error.message)
        }
    }

    private func request(_ identifier: String) async -> HTTPRequest? {
        if let request = state.withLock({ $0.requests[identifier] }) { return request }
        guard let requestProvider else { return nil }
        do {
            return try await requestProvider(identifier)
        } catch {
            // The error is the caller's and may hold anything, so only its type is said.
            logger.notice(
                "Request provider failed",
                metadata: ["transfer.id": "\(identifier)", "error": "\(type(of: error))"])
            return nil
        }
    }

    func receipt(of answer: TransferAnswer) -> String? {
        answer.body.isEmpty ? nil : String(decoding: answer.body, as: UTF8.self)
    }

    func didSettle(_ settlements: [Settlement]) async {
        for settlement in settlements {
            guard let outcome = UploadOutcome(settlement) else { continue }
            end(settlement.claim.record.identifier, outcome)
        }
    }

    func freeLedgerSpace() async -> Bool { false }
}

/// Somebody's wait for a transfer's end.
final class UploadTicket: Sendable {
    private struct State {
        var outcome: UploadOutcome?
        var waiter: CheckedContinuation<Void, Never>?
        var isCancelled = false
    }

    let identifier: String?
    let number: Int
    private let state = Mutex(State())

    init(identifier: String?, number: Int) {
        self.identifier = identifier
        self.number = number
    }

    /// What it ended with, if it has.
    var outcome: UploadOutcome? { state.withLock(\.outcome) }

    func end(_ outcome: UploadOutcome) {
        signal { $0.outcome = $0.outcome ?? outcome }
    }

    /// - Returns: `nil` when the task was cancelled first.
    func wait() async -> UploadOutcome? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.outcome != nil || state.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            signal { $0.isCancelled = true }
        }
        return outcome
    }

    private func signal(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
