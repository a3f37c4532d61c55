import Glibc

extension ServerScript {
    /// What becomes of the answer to a forwarded request.
    package enum Delivery: Sendable {
        /// The client gets it.
        case passed
        /// The connection is reset in its place: the server has the request, and the client does not know.
        case lost
        /// The client gets another answer, and the server no request.
        case replaced(Answer)
    }

    /// Passes requests on to another server, as they came: signatures cover the name of the host.
    ///
    /// - Parameters:
    ///   - port: where that server listens, on 127.0.0.1.
    ///   - delivery: what becomes of each answer.
    /// - Returns: the script.
    package static func forwarding(
        to port: UInt16, _ delivery: @escaping @Sendable (ReceivedRequest) -> Delivery = { _ in .passed }
    ) -> ServerScript {
        ServerScript { request in
            let delivery = delivery(request)
            if case .replaced(let answer) = delivery { return answer }
            guard let answer = try? forward(request, to: port) else { return .response(502) }
            if case .lost = delivery { return .reset }
            return .raw(answer).then(.close)
        }
    }

    /// Sends a request on a connection of its own.
    /// - Returns: the whole answer, head included.
    private static func forward(_ request: ReceivedRequest, to port: UInt16) throws -> String {
        let client = try LoopbackClient(port: port)
        var head = "\(request.method) \(request.target) HTTP/1.1\r\n"
        for field in request.headers.all where field.name.lowercased() != "connection" {
            head += "\(field.name): \(field.value)\r\n"
        }
        try client.send(Array((head + "Connection: close\r\n\r\n").utf8) + request.body)
        return try client.receive()
    }
}
