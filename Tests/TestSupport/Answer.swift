/// What a ``LoopbackServer`` does about one request: steps, taken in order.
///
/// After the last step the connection is kept alive for the next request, the rest of the body having been read, unless
/// a step ended it or either side said `Connection: close`.
package struct Answer: Sendable {
    enum Step: Sendable {
        case respond(Response, Pacing?)
        case send([UInt8], times: Int)
        case readBody(Int?)
        case whenComplete
        case wait(Gate)
        case open(Gate)
        case pause(milliseconds: Int)
        case finishSending
        case close
        case reset
        case stall
    }

    struct Response: Sendable {
        var status: Int
        var headers: HeaderFields
        var body: [UInt8]
    }

    struct Pacing: Sendable {
        var byteCount: Int
        var milliseconds: Int
    }

    private(set) var steps: [Step]

    /// These steps, then those of `next`.
    package func then(_ next: Answer) -> Answer {
        Answer(steps: steps + next.steps)
    }

    /// A response; `Content-Length` is added unless the fields frame the body or the status has none.
    ///
    /// With `Connection: close` among the fields the connection ends after it. A 1xx is an interim response: go on with
    /// ``then(_:)``.
    package static func response(
        _ status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) -> Answer {
        let response = Response(status: status, headers: HeaderFields(headers), body: body)
        return Answer(steps: [.respond(response, nil)])
    }

    /// A response with a text as its body.
    package static func response(
        _ status: Int, headers: [(name: String, value: String)] = [], text: String
    ) -> Answer {
        .response(status, headers: headers, body: Array(text.utf8))
    }

    /// A response, head and all, sent a few bytes at a time with a pause after each piece.
    package static func drip(
        _ status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = [], byteCount: Int = 1,
        everyMilliseconds milliseconds: Int
    ) -> Answer {
        let response = Response(status: status, headers: HeaderFields(headers), body: body)
        let pacing = Pacing(byteCount: max(1, byteCount), milliseconds: milliseconds)
        return Answer(steps: [.respond(response, pacing)])
    }

    /// Bytes as they are: garbage, half a head, a body shorter than promised.
    package static func raw(_ bytes: [UInt8]) -> Answer { .raw(bytes, times: 1) }

    /// The same bytes again and again, for large bodies that nobody holds in memory.
    package static func raw(_ bytes: [UInt8], times: Int) -> Answer { Answer(steps: [.send(bytes, times: times)]) }

    /// A text as it is; line ends are the caller's.
    package static func raw(_ text: String) -> Answer { .raw(Array(text.utf8)) }

    /// Closes the connection. If part of the body is unread, the kernel makes a reset of it.
    package static var close: Answer { Answer(steps: [.close]) }

    /// Ends the connection with a reset (RST): what was sent and not yet read by the peer may be lost.
    package static var reset: Answer { Answer(steps: [.reset]) }

    /// Does nothing more on this connection, neither reading nor sending, until the peer hangs up or the server stops.
    package static var stall: Answer { Answer(steps: [.stall]) }

    /// Says that nothing more will be sent (FIN) and goes on reading.
    package static var finishSending: Answer { Answer(steps: [.finishSending]) }

    /// Waits until the gate is open, then answers.
    package static func delay(until gate: Gate, then answer: Answer) -> Answer {
        Answer(steps: [.wait(gate)] + answer.steps)
    }

    /// Opens a gate, so that a test learns that the steps before this one have been taken.
    package static func open(_ gate: Gate) -> Answer { Answer(steps: [.open(gate)]) }

    /// Waits for a time, in milliseconds: for slow answers, not for order.
    package static func pause(milliseconds: Int) -> Answer { Answer(steps: [.pause(milliseconds: milliseconds)]) }

    /// Reads so many more bytes of the body, or what is left of it. For answers given from the head.
    package static func readBody(_ byteCount: Int? = nil) -> Answer { Answer(steps: [.readBody(byteCount)]) }

    /// Reads what is left of the body, then does what ``ServerScript/onRequest`` says. For interim answers from the
    /// head.
    package static var whenComplete: Answer { Answer(steps: [.whenComplete]) }
}

extension Answer.Response {
    /// The bytes to send in answer to a request with `method`.
    func encoded(answering method: String) -> [UInt8] {
        var head = "HTTP/1.1 \(status) Scripted\r\n"
        for field in headers.all { head += "\(field.name): \(field.value)\r\n" }
        let hasNoBody = status < 200 || status == 204 || status == 304
        let isFramed = headers["Content-Length"] != nil || headers["Transfer-Encoding"] != nil
        if !hasNoBody && !isFramed { head += "Content-Length: \(body.count)\r\n" }
        return Array((head + "\r\n").utf8) + (hasNoBody || method == "HEAD" ? [] : body)
    }
}
