/// What a ``LoopbackServer`` answers: a decision for each request, made on that connection's thread.
package struct ServerScript: Sendable {
    /// Decides from the head alone, before any of the body is read; `nil` leaves it to ``onRequest``.
    package var onHead: @Sendable (ReceivedRequest) -> Answer?

    /// Decides about a request whose body has been read to its end.
    package var onRequest: @Sendable (ReceivedRequest) -> Answer

    /// Sees each piece of a body as it arrives; an answer other than `nil` is given in mid-body, before the next piece.
    package var onBody: (@Sendable (ReceivedRequest, ArraySlice<UInt8>) -> Answer?)?

    /// Is told of a request whose connection ended, for whatever reason, before its body did.
    package var onBreak: (@Sendable (ReceivedRequest) -> Void)?

    /// A script that looks at each complete request.
    package init(_ onRequest: @escaping @Sendable (ReceivedRequest) -> Answer) {
        onHead = { _ in nil }
        self.onRequest = onRequest
    }

    /// The same answer to every request.
    package static func always(_ answer: Answer) -> ServerScript {
        ServerScript { _ in answer }
    }

    /// One answer after another, in the order in which the heads arrive; the last one for all that follow.
    package static func inTurn(_ first: Answer, _ others: Answer...) -> ServerScript {
        let answers = [first] + others
        return ServerScript { answers[min($0.index, answers.count - 1)] }
    }

    /// The same answer to every request, given before the body is read.
    package static func early(_ answer: Answer) -> ServerScript {
        ServerScript.always(.close).deciding { _ in answer }
    }

    /// This script, with some requests answered from their heads: those for which `onHead` is not `nil`.
    package func deciding(onHead: @escaping @Sendable (ReceivedRequest) -> Answer?) -> ServerScript {
        var script = self
        script.onHead = onHead
        return script
    }
}
