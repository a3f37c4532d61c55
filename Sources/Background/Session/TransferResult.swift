import HTTPTypes

/// How a transfer ended for its caller: the state and reason of its row, as one of the four cases of a response.
enum TransferResult: Sendable {
    case success(HTTPResponse)
    case retry(HTTPResponse)
    case rejected(HTTPResponse)
    case failed(NetworkResponseError)

    /// - Returns: `nil` when the transfer goes on.
    init?(_ settlement: Settlement) {
        self.init(
            settlement.claim.record.label, settlement.verdict.state, reason: settlement.verdict.reason,
            note: settlement.verdict.note, answer: settlement.answer, error: settlement.error)
    }

    init?(_ record: TransferRecord) {
        self.init(
            record.label, record.state, reason: record.reason, note: record.note, answer: record.answer,
            error: record.lastError)
    }

    private init?(
        _ label: String, _ state: TransferState, reason: TransferReason?, note: String?, answer: String?, error: String?
    ) {
        let response = answer.flatMap(StoredAnswer.init).flatMap(HTTPResponse.init)
        let text = note ?? reason?.rawValue ?? error ?? ""
        switch (state, response) {
        case (.delivered, let response): self = .success(response ?? HTTPResponse(status: .ok))
        case (.held, let response?) where reason == .held(.caller): self = .retry(response)
        case (.rejected, let response?): self = .rejected(response)
        case (.rejected, nil) where reason == .held(.tls): self = .failed(.init(.notTrusted, error ?? text))
        case (.rejected, nil) where label == TransferKind.download.rawValue:
            self = .failed(.init(.contentMissing, text))
        case (.rejected, nil): self = .failed(.init(.unreadableFile, text))
        case (.exhausted, _): self = .failed(.init(.gaveUp, text))
        case (.evicted, _), (.removed, _): self = .failed(.init(.cancelled, "the transfer was cancelled"))
        case (.queued, _), (.sending, _), (.waiting, _), (.held, _): return nil
        }
    }

    /// Whether the ledger stores this result as the transfer's end. A retry, and a wait that was ended, are no ends.
    var isSettled: Bool {
        switch self {
        case .success, .rejected: true
        case .retry: false
        case .failed(let error): error.code != .cancelled && error.code != .storage
        }
    }

    var isSuccess: Bool {
        if case .success = self { true } else { false }
    }

    /// The answer, whatever its status. Throws an error when there is no answer.
    func answer() throws(NetworkResponseError) -> HTTPResponse {
        switch self {
        case .success(let response), .retry(let response), .rejected(let response): response
        case .failed(let error): throw error
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
