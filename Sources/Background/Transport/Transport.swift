package import DurableIO
package import HTTPTypes

/// The bytes of a request: some that are given, then a range of a file.
package struct TransferBody: Sendable {
    package var prefix: [UInt8]
    package var directory: Directory
    package var name: EntryName
    package var offset: UInt64
    /// Of the file's part, in bytes.
    package var length: UInt64

    package init(prefix: [UInt8] = [], directory: Directory, name: EntryName, offset: UInt64, length: UInt64) {
        self.prefix = prefix
        self.directory = directory
        self.name = name
        self.offset = offset
        self.length = length
    }

    package var byteCount: UInt64 { UInt64(prefix.count) + length }
}

/// One request as the transport gets it: complete, credentials included. Never stored or logged.
package struct TransferRequest: Sendable {
    package var endpoint: Endpoint
    package var method: HTTPRequest.Method
    package var fields: HTTPFields
    /// `nil` for a request without one.
    package var body: TransferBody?
    /// From the last byte sent to the head of the answer, in seconds.
    package var answerTimeout: Int64
    /// Where the answer's body goes, if it is what the request is for.
    package var sink: (any AnswerSink)?
    /// Called with the number of bytes of the body that the connection has taken so far.
    package var onProgress: (@Sendable (UInt64) -> Void)?
    /// Whether it may go out once more at once when a kept connection turns out to have been closed. The default is
    /// `true`.
    package var mayBeRepeated = true

    package init(
        endpoint: Endpoint, method: HTTPRequest.Method, fields: HTTPFields, body: TransferBody? = nil,
        answerTimeout: Int64 = 300
    ) {
        self.endpoint = endpoint
        self.method = method
        self.fields = fields
        self.body = body
        self.answerTimeout = answerTimeout
    }

    /// In bytes.
    package var bodyByteCount: UInt64 { body?.byteCount ?? 0 }

    /// A slow server gets twice the time at each further try of the same transfer, up to 30 minutes.
    package mutating func growPatience(attempts: Int) {
        answerTimeout = min(1_800, answerTimeout << Int64(min(max(0, attempts - 1), 4)))
    }
}

/// Takes the body of an answer while it comes.
package protocol AnswerSink: Sendable {
    /// The head is there.
    /// - Returns: whether the body is wanted. If not, it is read like any answer's text.
    func wants(_ head: TransferAnswer) async throws -> Bool
    /// The next piece. Nothing more is read from the connection until this returns.
    func take(_ piece: [UInt8]) async throws
}

/// What came of a request. Every case but the last two is a fact about the other side or the body.
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
    /// Never sent: nobody could make the request.
    case withheld(String)
    case cancelled
}

extension TransportOutcome {
    /// Of an error met while a body was read: only what the file itself does not give is the file's fault, too many open
    /// files are this machine's.
    package static func reading(_ error: FileSystemError) -> TransportOutcome {
        guard error.operation == .read else { return .localTrouble("\(error)") }
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
