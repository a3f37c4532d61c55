package import HTTPTypes

/// One request as the transport gets it: complete, credentials included. Never stored or logged.
package struct TransferRequest: Sendable {
    package var endpoint: Endpoint
    package var method: HTTPRequest.Method
    package var fields: HTTPFields
    /// `nil` for a request without one.
    package var body: TransferBody?
    /// From the last byte sent to the head of the answer, in seconds; `nil` is the transport's own, doubled
    /// ``patience`` times.
    package var answerTimeout: Int64?
    package var patience = 0
    /// Where the answer's body goes, if it is what the request is for.
    package var sink: (any AnswerSink)?
    /// Called with the number of bytes of the body that the connection has taken so far.
    package var onProgress: (@Sendable (UInt64) -> Void)?
    /// Whether it may go out once more at once when a kept connection turns out to have been closed. The default is
    /// `true`.
    package var mayBeRepeated = true
    /// Whether it goes over a connection of its own, and at most once: a server may close a kept connection just when a
    /// request goes out, and then nobody knows whether it has read the request. The default is `false`.
    package var isSentOnce = false
    /// Whether its body goes out in small pieces, so that also a slow way shows how fast it is. The default is `false`.
    package var isWatchedClosely = false
    /// How much of the answer's body is wanted, in bytes; `nil` is 1 KiB.
    package var answerByteCount: Int?
    /// Whose connection settings it uses: the name of a destination; `nil` for those of the run itself.
    package var connection: String?
    /// Whether the transport itself follows a 307 or 308 that leads to the same origin. The default is `true`.
    package var followsRedirects = true

    package init(
        endpoint: Endpoint, method: HTTPRequest.Method, fields: HTTPFields, body: TransferBody? = nil,
        answerTimeout: Int64? = nil
    ) {
        self.endpoint = endpoint
        self.method = method
        self.fields = fields
        self.body = body
        self.answerTimeout = answerTimeout
    }

    /// In bytes.
    package var bodyByteCount: UInt64 { body?.byteCount ?? 0 }

    /// The transfer has been tried so often, this time included.
    package mutating func growPatience(attempts: Int) {
        patience = min(max(0, attempts - 1), 9)
    }
}

/// Takes the body of an answer while it comes.
package protocol AnswerSink: Sendable {
    /// The head is there.
    /// - Returns: whether the body is wanted. If not, it is read like any answer's text.
    func wants(_ head: TransferAnswer) async throws -> Bool
    /// The next piece. Nothing more is read from the connection until this returns.
    func write(_ piece: [UInt8]) async throws
}

/// What came of a request, or of an exchange of several that make one.
package enum TransportResult: Sendable {
    case answer(TransferAnswer)
    /// The server has taken a part of the whole, or answered a question about it, and asked to wait before the next
    /// request.
    case postponed(TransferAnswer)
    case noAnswer(NoAnswer)
}

/// Sends requests: the one seam between the engine and the network. Total: whatever happens is a result.
package protocol Transport: Sendable {
    func send(_ request: TransferRequest) async -> TransportResult
    /// Closes the connections. Nothing is sent afterwards.
    func shutdown() async
}
