import Background
import DurableIO
import Foundation
import TestSupport
import Testing

/// The time-outs of the settings, and addresses of both families.
@Suite("Time-outs and addresses", .timeLimit(.minutes(10)))
struct TimeoutTests {
    @Test("the defaults are those of the documentation")
    func defaults() {
        let timeouts = HTTPTransport.Timeouts(ConnectionTimeouts())
        #expect([timeouts.connect, timeouts.progress, timeouts.answer] == [5, 60, 300])
    }

    @Test(
        "a time-out is rounded up, never nothing and never without end",
        arguments: [
            (Duration.seconds(2), Int64(2)), (.milliseconds(1_001), 2), (.milliseconds(1), 1), (.zero, 1),
            (.seconds(-5), 1),
            (.seconds(Int64.max), 31_536_000),
        ])
    func rounding(given: Duration, seconds: Int64) {
        var timeouts = ConnectionTimeouts()
        timeouts.answer = given
        #expect(HTTPTransport.Timeouts(timeouts).answer == seconds)
    }

    @Test("a server that does not answer gets the settings' time, and no more")
    func answer() async throws {
        try await withLoopbackServer(.always(.stall)) { server in
            var settings = ConnectionSettings()
            settings.proxy = .none
            settings.timeouts.answer = .seconds(1)
            settings.timeouts.connect = .seconds(1)
            let transport = try HTTPTransport.open(files: POSIXFileSystem(), settings: settings)
            try await withTransport { fixture in
                for byteCount in [5, 400 << 10] {
                    var request = try fixture.request(server.url(), byteCount: byteCount)
                    request.answerTimeout = nil
                    let start = ContinuousClock.now
                    let failure = await transport.send(request).failure
                    #expect(failure?.didConnect == true, "\(String(describing: failure))")
                    // The default would be five minutes.
                    #expect(ContinuousClock.now - start < .seconds(60))
                }
            }
            await transport.shutdown()
        }
    }

    @Test(
        "a server on IPv6 alone is reached by its address, and by a name that has both",
        .enabled(if: LoopbackServer.hasIPv6, "needs IPv6 on the loopback interface"))
    func onlyIPv6() async throws {
        let server = try LoopbackServer(.always(.response(201)), isIPv6: true)
        defer { server.stop() }
        try await withTransport { fixture in
            let urls =
                ["http://[::1]:\(server.port)/a"] + (Self.hasBothNames ? ["http://localhost:\(server.port)/b"] : [])
            for url in urls {
                let outcome = await fixture.send(url)
                #expect(outcome.answer?.status == 201, "\(url): \(outcome)")
            }
        }
        #expect(server.requests.first?.headers["Host"] == "[::1]:\(server.port)")
    }

    @Test(
        "a server on IPv4 alone is reached by a name that has both",
        .enabled(if: hasBothNames, "needs a localhost with addresses of both families"))
    func onlyIPv4() async throws {
        try await withLoopbackServer(.always(.response(201))) { server in
            try await withTransport { fixture in
                let outcome = await fixture.send("http://localhost:\(server.port)/")
                #expect(outcome.answer?.status == 201, "\(outcome)")
            }
        }
    }

    /// Whether the hosts file gives `localhost` both addresses.
    private static let hasBothNames: Bool = {
        let lines = ((try? String(contentsOfFile: "/etc/hosts", encoding: .utf8)) ?? "").split(separator: "\n")
        let addresses = lines.map { $0.split(whereSeparator: \.isWhitespace) }
            .filter { $0.dropFirst().contains("localhost") }.compactMap(\.first)
        return LoopbackServer.hasIPv6 && addresses.contains("127.0.0.1") && addresses.contains("::1")
    }()
}
