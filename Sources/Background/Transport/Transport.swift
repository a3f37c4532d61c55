package import DurableIO
package import HTTPTypes

/// One request as the transport gets it: complete, credentials included. Never stored or logged.
package struct TransferRequest: Sendable {
    package var endpoint: Endpoint
    package var method: HTTPRequest.Method
    package var fields: HTTPFields
    /// `nil` for a request without one.
    package var body: TransferBody?
    /// From the last byte sent to the head of the answer, in seconds; `nil` is the transport's own, doubled ``patience``
    /// times.
    package var answerTimeout: Int64?
    package var patience = 0
    /// Where the answer's body goes, if it is what the request is for.
    package var sink: (any AnswerSink)?
    /// Called with the number of bytes of the body that the connection has taken so far.
    package var onProgress: (@Sendable (UInt64) -> Void)?
    /// Whether it may go out once more at once when a kept connection turns out to have been closed. The default is
    /// `true`.
    package var mayBeRepeated = true
    /// How much of the answer's body is wanted, in bytes; `nil` is 1 KiB.
    package var answerByteCount: Int?

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

/// What came of a request.
package enum TransportOutcome: Sendable {
    case answer(TransferAnswer)
    case failure(TransportFailure)
    /// The certificate was not accepted, the text says why.
    case untrusted(String)
    /// The body could not be read as promised.
    case unreadableBody(String)
    /// A read of the body failed; the next one may not.
    case failedRead(String)
    case missingBody
    /// This machine could not do it just now, whatever the server or the body are like.
    case localTrouble(String)
    /// Never sent: whoever knows a part of the request could not say it just now.
    case unprepared(String)
    /// The server has taken a part of the whole, or answered a question about it, and asked to wait before the next
    /// request.
    case postponed(TransferAnswer)
    /// Never sent: nobody could make the request.
    case withheld(String)
    case cancelled
}

extension TransportOutcome {
    /// Of an error met while a body was read: only what the file itself does not give is the file's fault, too many open
    /// files are this machine's.
    package static func reading(_ error: FileSystemError) -> TransportOutcome {
        guard error.operation == .read else { return .localTrouble("\(error)") }
        if error.errno == .badMessage {
            return .unreadableBody("the stored file is damaged: its bytes are not those that were stored")
        }
        return error.errno == .ioError ? .failedRead("\(error)") : .unreadableBody("\(error)")
    }
}

/// An answer's head and the beginning of its body.
package struct TransferAnswer: Sendable {
    package var status: Int
    package var fields: HTTPFields
    /// The first KiB.
    package var body: [UInt8]
    package var bytesSent: UInt64
    /// Whether the whole request had been written when the answer was complete.
    package var isWholeBodySent: Bool
    /// Whether the request went to this machine itself, where no portal sits in between.
    package var isLoopback: Bool
    /// Whether the body is what was asked for, so that its type says nothing about who has answered.
    package var carriesContent = false
    /// Whether it lacks the proof of receipt that its sender demands: then no 2xx is a delivery.
    package var lacksAcknowledgement = false
    /// Whether it has the proof, so that its type says nothing about who has answered.
    package var hasAcknowledgement = false
    /// The URL that was answered, which is not the request's where redirects were followed; `nil` for an answer that came
    /// from something in between.
    package var endpoint: Endpoint?

    package init(
        status: Int, fields: HTTPFields, body: [UInt8], bytesSent: UInt64, isWholeBodySent: Bool, isLoopback: Bool
    ) {
        self.status = status
        self.isLoopback = isLoopback
        self.fields = fields
        self.body = body
        self.bytesSent = bytesSent
        self.isWholeBodySent = isWholeBodySent
    }
}

extension TransferAnswer {
    /// How long the server asks to wait, in milliseconds; `nil` when it does not. `wall` is this machine's clock, in
    /// milliseconds since 1970.
    func retryAfter(at wall: Int64) -> Int64? {
        RetryAfter.delay(header: fields[values: .retryAfter].first, date: fields[.date], nowMilliseconds: wall)
    }

    /// Whether the server asks to wait at all. A date without the answer's own counts as one to come.
    var asksToWait: Bool { retryAfter(at: 0) ?? 0 > 0 }
}

/// A request without an answer.
package struct TransportFailure: Sendable, CustomStringConvertible {
    /// For people, without anything secret.
    package var description: String
    /// Whether a connection was made at all.
    package var didConnect: Bool
    package var bytesSent: UInt64
    /// Whether the connection ended under the request, as one does that had been idle for too long.
    package var isConnectionLost: Bool

    package init(_ description: String, didConnect: Bool, bytesSent: UInt64, isConnectionLost: Bool = false) {
        self.description = description
        self.didConnect = didConnect
        self.bytesSent = bytesSent
        self.isConnectionLost = isConnectionLost
    }
}

/// Sends requests: the one seam between the engine and the network. Total: whatever happens is an outcome.
package protocol Transport: Sendable {
    func send(_ request: TransferRequest) async -> TransportOutcome
    /// Closes the connections. Nothing is sent afterwards.
    func shutdown() async
}
