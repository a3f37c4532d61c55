import Glibc

/// One connection of a ``LoopbackServer``, on its own thread from the first byte to the last.
final class LoopbackConnection {
    private enum Flow {
        case goesOn
        case ends
    }

    private let server: LoopbackServer
    private let socket: Int32
    private let number: Int
    private let reader: SocketReader

    /// The request being answered, and what is left of its body.
    private var request = ReceivedRequest(
        method: "", target: "", version: "", headers: HeaderFields(), connection: 0, index: 0)
    private var body = BodyReader(HeaderFields())
    private var owesContinue = false
    private var isRecorded = false

    init(_ server: LoopbackServer, socket: Int32, number: Int) {
        self.server = server
        self.socket = socket
        self.number = number
        reader = SocketReader(socket)
    }

    /// Answers requests until either side ends the connection.
    func serve() {
        while readHead(), answerRequest() == .goesOn {}
    }

    private func answerRequest() -> Flow {
        defer { if !request.isComplete { server.script.onBreak?(request) } }
        if let early = server.script.onHead(request) {
            record()
            return finish(perform(early))
        }
        guard readBody(nil) == .goesOn else {
            record()
            return .ends
        }
        record()
        return finish(perform(server.script.onRequest(request)))
    }

    /// Makes ready for the next request on this connection, if there may be one.
    private func finish(_ flow: Flow) -> Flow {
        guard flow == .goesOn, readBody(nil) == .goesOn else { return .ends }
        return request.version == "HTTP/1.1" && !request.headers.has("close", in: "Connection") ? .goesOn : .ends
    }

    // MARK: Reading

    /// Reads the next request line and fields; `false` if there is none.
    private func readHead() -> Bool {
        guard let line = reader.line() else { return false }
        let parts = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }), parts[2].hasPrefix("HTTP/1.") else {
            return complain("request line: \(line)")
        }
        var headers = HeaderFields()
        while true {
            // A head that breaks off is none, however much of it makes sense.
            guard let line = reader.line() else { return false }
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
                return complain("header field: \(line)")
            }
            headers.all.append((String(line[..<colon]), trimmed(line[line.index(after: colon)...])))
        }
        let index = server.state.withLock { state in
            state.heads += 1
            return state.heads - 1
        }
        request = ReceivedRequest(
            method: parts[0], target: parts[1], version: parts[2], headers: headers, connection: number, index: index)
        body = BodyReader(headers)
        isRecorded = false
        owesContinue = headers.has("100-continue", in: "Expect") && !body.isEmpty
        return true
    }

    private func complain(_ message: String) -> Bool {
        server.state.withLock { $0.protocolErrors.append(message) }
        return false
    }

    /// Reads so many bytes of the body, or the rest; the connection ends if there are not so many.
    private func readBody(_ limit: Int?) -> Flow {
        guard !request.isComplete else { return .goesOn }
        if owesContinue, limit != 0 {
            owesContinue = false
            guard send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) == .goesOn else { return .ends }
        }
        var left = limit ?? .max
        while true {
            var interjection: Answer?
            let progress = body.read(upTo: left, from: reader) { piece in
                left -= piece.count
                request.bodyByteCount += piece.count
                if server.keepsBodies { request.body += piece }
                interjection = server.script.onBody?(request, piece)
                return interjection == nil
            }
            request.isComplete = progress == .end
            if case .malformed(let message) = progress { _ = complain(message) }
            updateRecord()
            // Out here, where the body is free to be read by the answer's steps.
            guard let interjection else { return progress == .end || progress == .more ? .goesOn : .ends }
            guard perform(interjection) == .goesOn else { return .ends }
        }
    }

    private func record() {
        isRecorded = true
        request.segmentCount = receivedSegmentCount
        server.state.withLock { $0.requests.append(request) }
    }

    /// `tcpi_data_segs_in` of Linux' `struct tcp_info`, which the C library's header ends before.
    private var receivedSegmentCount: Int {
        var info = [UInt32](repeating: 0, count: 64)
        var size = socklen_t(info.count * MemoryLayout<UInt32>.size)
        guard getsockopt(socket, Int32(IPPROTO_TCP), TCP_INFO, &info, &size) == 0 else { return 0 }
        return Int(info[38])
    }

    /// A request answered from its head is on record before its body.
    private func updateRecord() {
        guard isRecorded else { return }
        server.state.withLock { state in
            guard let place = state.requests.lastIndex(where: { $0.index == request.index }) else { return }
            state.requests[place] = request
        }
    }

    // MARK: Answering

    private func perform(_ answer: Answer) -> Flow {
        for step in answer.steps where perform(step) == .ends { return .ends }
        return .goesOn
    }

    private func answerWhole() -> Flow {
        readBody(nil) == .goesOn ? perform(server.script.onRequest(request)) : .ends
    }

    private func perform(_ step: Answer.Step) -> Flow {
        switch step {
        case .respond(let response, let pacing):
            let sent = send(response.encoded(answering: request.method), pacing)
            return response.headers.has("close", in: "Connection") ? .ends : sent
        case .send(let bytes, let times):
            for _ in 0..<times where send(bytes) == .ends { return .ends }
        case .readBody(let limit): return readBody(limit)
        case .whenComplete: return answerWhole()
        case .wait(let gate): return wait(at: gate)
        case .open(let gate): gate.open()
        case .pause(let milliseconds): return pause(milliseconds)
        case .finishSending: shutdown(socket, Int32(SHUT_WR))
        case .close: return .ends
        case .reset:
            // To close a socket that lingers for no time is to reset it.
            var noTime = linger(l_onoff: 1, l_linger: 0)
            setsockopt(socket, SOL_SOCKET, SO_LINGER, &noTime, socklen_t(MemoryLayout<linger>.size))
            return .ends
        case .stall:
            waitForHangUp()
            return .ends
        }
        return .goesOn
    }

    private func send(_ bytes: [UInt8], _ pacing: Answer.Pacing? = nil) -> Flow {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(pacing?.byteCount ?? rest.count)
            let count = piece.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return .ends }
            rest = rest.dropFirst(count)
            if let pacing, !rest.isEmpty, pause(pacing.milliseconds) == .ends { return .ends }
        }
        return .goesOn
    }

    private func wait(at gate: Gate) -> Flow {
        gate.whenOpen { [server] in server.state.withLock { _ in } }
        server.state.block { gate.isOpen || $0.isStopping }
        return gate.isOpen ? .goesOn : .ends
    }

    private func pause(_ milliseconds: Int) -> Flow {
        server.state.block(milliseconds: milliseconds) { $0.isStopping } ? .ends : .goesOn
    }

    /// Returns when the peer has closed or reset the connection or the server stops, without reading anything.
    private func waitForHangUp() {
        // POLLRDHUP, which the Glibc module leaves out.
        let peerHasFinished: Int16 = 0x2000
        var polled = pollfd(fd: socket, events: peerHasFinished, revents: 0)
        while poll(&polled, 1, -1) < 0 && errno == EINTR {}
    }
}
