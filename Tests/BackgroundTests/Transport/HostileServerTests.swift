import Background
import TestSupport
import Testing

/// Servers that mean harm or have lost their way: whatever they do, a send ends in its time with one outcome.
@Suite("Hostile servers", .timeLimit(.minutes(10)))
struct HostileServerTests {
    /// What has to come of a send.
    enum Expected: Sendable {
        case status(Int)
        /// No answer; the connection had been made.
        case failure
        /// An answer or none: a reset may overtake what was sent before it.
        case statusOrFailure(Int)
    }

    struct Hostility: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var script: ServerScript
        var expected: Expected

        init(_ name: String, _ script: ServerScript, _ expected: Expected) {
            testDescription = name
            self.script = script
            self.expected = expected
        }
    }

    /// Beyond all time-outs of the test's transport (5 s at most in one send), on a machine that is busy.
    private static let bound: Duration = .seconds(20)
    private static let sizes = [5, 400 << 10]

    private static let okay = "HTTP/1.1 200 OK\r\n"

    /// For a while the client is given time to read, because a reset may discard what it has not read.
    private static let aMoment = Answer.pause(milliseconds: 300)

    static let resets: [Hostility] = [
        Hostility("reset at the head", .early(.reset), .failure),
        Hostility("closed at the head", .early(.close), .failure),
        Hostility("reset after the body", .always(.reset), .failure),
        Hostility("end of sending without an answer", .always(.finishSending.then(.stall)), .failure),
        Hostility("reset in the status line", .always(.raw("HTTP/1.1 20").then(aMoment).then(.reset)), .failure),
        Hostility("closed in the head", .always(.raw(okay + "Content-Le").then(.close)), .failure),
        Hostility(
            "reset in the answer's text",
            .always(.raw(okay + "Content-Length: 10\r\n\r\nabc").then(aMoment).then(.reset)), .status(200)),
        Hostility("413 and a reset", .early(.response(413, text: "too large").then(.reset)), .statusOrFailure(413)),
        Hostility(
            "413, a moment, and a reset", .early(.response(413).then(aMoment).then(.reset)), .status(413)),
    ]

    static let silences: [Hostility] = [
        Hostility("a head of a byte each second", .always(.drip(200, everyMilliseconds: 1_000)), .failure),
        Hostility("interim answers without end", .always(interim(count: 500, everyMilliseconds: 20)), .failure),
        Hostility(
            "100,000 interim answers at once",
            .always(.raw(String(repeating: "HTTP/1.1 102 Wait\r\n\r\n", count: 100_000)).then(.stall)), .failure),
        Hostility(
            "header fields without end, one each 20 ms",
            .always(.raw(okay).then(repeated(.raw("X: y\r\n").then(.pause(milliseconds: 20)), 500))), .failure),
        Hostility(
            "empty lines without end", .always(repeated(.raw("\r\n").then(.pause(milliseconds: 20)), 500)), .failure),
        Hostility(
            "a text of a byte each 100 ms",
            .always(.raw(okay + "Content-Length: 99\r\n\r\n").then(.drip(200, everyMilliseconds: 100))),
            .status(200)),
        Hostility("an answer from the head, then silence", .early(.response(401).then(.stall)), .status(401)),
    ]

    static let nonsense: [Hostility] = [
        Hostility("a field of 1 MiB", .always(.raw(okay + "X: " + letters(1 << 20)).then(.stall)), .failure),
        Hostility(
            "20,000 fields", .always(.raw(okay + String(repeating: "X: y\r\n", count: 20_000)).then(.stall)), .failure),
        Hostility("a reason of 1 MiB", .always(.raw("HTTP/1.1 200 " + letters(1 << 20)).then(.stall)), .failure),
        Hostility("a status line without end", .always(.raw(letters(1 << 20)).then(.stall)), .failure),
        Hostility(
            "two lengths", .always(.raw(okay + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab").then(.stall)),
            .failure),
        Hostility("a length below zero", .always(.raw(okay + "Content-Length: -1\r\n\r\n").then(.stall)), .failure),
        Hostility("a NUL in a field", .always(.raw(okay + "X: a\u{0}b\r\n\r\n").then(.stall)), .failure),
        Hostility("another protocol", .always(.raw("220 mail.example ESMTP\r\n").then(.stall)), .failure),
        Hostility("a TLS alert", .always(.raw([21, 3, 1, 0, 2, 2, 80]).then(.stall)), .failure),
        Hostility("HTTP of the future", .always(.raw("HTTP/4.2 200 OK\r\n\r\n").then(.close)), .failure),
        Hostility(
            "pieces that are none",
            .always(.raw(okay + "Transfer-Encoding: chunked\r\n\r\nzz\r\n").then(.stall)), .status(200)),
        Hostility(
            "a login page", .always(.response(200, headers: [("Content-Type", "text/html")], text: "<html>")),
            .status(200)),
    ]

    @Test("ends in its time, and the bytes are nobody's guess", arguments: resets + silences + nonsense, sizes)
    func outcome(_ hostility: Hostility, byteCount: Int) async throws {
        try await withTransport(progress: 2) { fixture in
            try await withLoopbackServer(hostility.script, keepsBodies: false) { server in
                let request = try fixture.request(server.url(), byteCount: byteCount, answerTimeout: 1)
                let start = ContinuousClock.now
                let outcome = await fixture.transport.send(request)
                #expect(ContinuousClock.now - start < Self.bound)
                switch hostility.expected {
                case .status(let status): #expect(outcome.answer?.status == status, "\(outcome)")
                case .failure: #expect(outcome.failure?.didConnect == true, "\(outcome)")
                case .statusOrFailure(let status):
                    #expect(outcome.answer?.status == status || outcome.failure?.didConnect == true, "\(outcome)")
                }
                // One request per send: what fails over a fresh connection is not repeated behind the engine's back.
                #expect(server.requests.count == 1)
            }
        }
    }

    @Test("an answer sent before its request was asked for is nobody's answer", arguments: sizes)
    func answerInStock(byteCount: Int) async throws {
        try await withTransport { fixture in
            // The first answer brings a second one along; whatever is sent next must not take it for its own.
            let script = ServerScript { request in
                request.index == 0
                    ? .raw(Self.okay + "Content-Length: 0\r\n\r\n" + Self.okay + "Content-Length: 0\r\n\r\n")
                    : .response(503)
            }
            try await withLoopbackServer(script) { server in
                #expect(await fixture.send(server.url()).answer?.status == 200)
                let request = try fixture.request(server.url(), byteCount: byteCount, answerTimeout: 2)
                let outcome = await fixture.transport.send(request)
                #expect(outcome.answer?.status == 503, "\(outcome)")
                #expect(server.requests.last?.bodyByteCount == byteCount)
            }
        }
    }

    @Test("whatever a redirect's target looks like, nothing goes to another server", arguments: sizes)
    func redirects(byteCount: Int) async throws {
        try await withTransport { fixture in
            try await withLoopbackServer(.always(.response(200))) { other in
                for target in [
                    other.url("/x"), "//127.0.0.1:\(other.port)/x", "http://localhost:\(other.port)/x",
                    "HTTP://127.0.0.1:\(other.port)", "https://127.0.0.1:\(other.port)/", "ftp://127.0.0.1/",
                    "\\\\127.0.0.1:\(other.port)\\x", "javascript:0", "", "http://", "/ x",
                ] {
                    let script = ServerScript.always(.response(307, headers: [("Location", target)]))
                    try await withLoopbackServer(script) { server in
                        var request = try fixture.request(server.url(), byteCount: byteCount)
                        request.fields[.authorization] = "Bearer secret"
                        let outcome = await fixture.transport.send(request)
                        #expect(outcome.answer?.status == 307, "\(target): \(outcome)")
                        // With this server's own name in front, and in place of a user's.
                        let disguised = "http://127.0.0.1:\(server.port)@127.0.0.1:\(other.port)/"
                        #expect(request.endpoint.resolving(location: disguised) == nil)
                        #expect(server.requests.count == 1)
                    }
                }
                #expect(other.connectionCount == 0)
            }
        }
    }

    @Test("https to a port that speaks plain HTTP is a failure, not a question of trust")
    func plainPort() async throws {
        try await withTransport { fixture in
            try await withLoopbackServer(.always(.response(200))) { server in
                let request = try fixture.request("https://127.0.0.1:\(server.port)/", answerTimeout: 1)
                let failure = try #require(await fixture.transport.send(request).failure)
                #expect(failure.bytesSent == 0)
                #expect(server.requests.isEmpty)
            }
        }
    }

    private static func interim(count: Int, everyMilliseconds pause: Int) -> Answer {
        repeated(.raw("HTTP/1.1 103 Early\r\nLink: </x>\r\n\r\n").then(.pause(milliseconds: pause)), count)
    }

    private static func repeated(_ answer: Answer, _ count: Int) -> Answer {
        (1..<count).reduce(answer) { sum, _ in sum.then(answer) }
    }

    private static func letters(_ count: Int) -> String {
        String(repeating: "a", count: count)
    }
}
