import HTTPTypes

/// How a transfer ended as far as its caller is concerned: the ledger's words made into a `NetworkResponse`.
enum UploadOutcome: Sendable {
    case success(HTTPResponse)
    case retry(HTTPResponse)
    case rejected(HTTPResponse)
    case failed(NetworkResponseError)

    /// - Returns: `nil` when the transfer goes on.
    init?(_ settlement: Settlement) {
        self.init(
            settlement.verdict.state, reason: settlement.verdict.reason, answer: settlement.answer,
            error: settlement.error)
    }

    init?(_ record: TransferRecord) {
        self.init(record.state, reason: record.reason, answer: record.answer, error: record.lastError)
    }

    private init?(_ state: TransferState, reason: String?, answer: String?, error: String?) {
        let response = answer.flatMap(StoredAnswer.init).flatMap(HTTPResponse.init)
        let text = reason ?? error ?? ""
        switch (state, response) {
        case (.delivered, let response): self = .success(response ?? HTTPResponse(status: .ok))
        case (.held, let response?) where reason == Verdict.callerReason: self = .retry(response)
        case (.rejected, let response?): self = .rejected(response)
        case (.rejected, nil) where reason == HoldReason.tls.rawValue: self = .failed(.init(.notTrusted, error ?? text))
        case (.rejected, nil): self = .failed(.init(.unreadableFile, text))
        case (.exhausted, _): self = .failed(.init(.gaveUp, text))
        case (.evicted, _), (.removed, _): self = .failed(.init(.cancelled, "the transfer was cancelled"))
        case (.queued, _), (.sending, _), (.waiting, _), (.held, _): return nil
        }
    }

    /// Whether the ledger has it as the transfer's end. A retry, or a wait that was ended, is not one.
    var isSettled: Bool {
        switch self {
        case .success, .rejected: true
        case .retry: false
        case .failed(let error): error.code != .cancelled && error.code != .storage
        }
    }

    var networkResponse: NetworkResponse<Void> {
        switch self {
        case .success(let response): .success(.init(value: (), response: response))
        case .retry(let response): .retry(response)
        case .rejected(let response): .rejected(response)
        case .failed(let error): .failed(error)
        }
    }
}

extension HTTPResponse {
    /// `nil` for a number that is no status.
    fileprivate init?(_ answer: StoredAnswer) {
        guard (100...999).contains(answer.status) else { return nil }
        self.init(status: Status(code: answer.status), headerFields: answer.fields)
    }
}
