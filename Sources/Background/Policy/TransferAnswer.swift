package import HTTPTypes

/// An HTTP answer as it came: its head, the beginning of its body, and how much of the request was sent for it.
///
/// It says what happened, not what that means: the meaning is a ``Judgement``.
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
    /// The URL that was answered, which is not the request's where redirects were followed; `nil` for an answer that
    /// came from something in between.
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
