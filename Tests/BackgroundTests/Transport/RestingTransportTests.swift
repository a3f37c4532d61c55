import Background
import DurableIO
import SystemPackage
import TestSupport
import Testing

@Suite("A transport without work")
struct RestingTransportTests {
    @Test("its connections end after a while, and the next request gets a new one", arguments: [1, 8])
    func rests(count: Int) async throws {
        try await withTemporaryDirectory { path in
            let files = POSIXFileSystem()
            var timeouts = HTTPTransport.Timeouts()
            timeouts.rest = 1
            let fixture = TransportFixture(
                directory: try files.openDirectory(FilePath(path)),
                transport: try HTTPTransport.open(files: files, timeouts: timeouts))
            try await withLoopbackServer(.always(.response(201))) { server in
                for round in 1...2 {
                    for _ in 0..<count {
                        guard case .answer = await fixture.send(server.url("/one")) else {
                            Issue.record("no answer in round \(round)")
                            return
                        }
                    }
                    #expect(server.connectionCount == round)
                    await server.waitForNoConnections()
                }
            }
            await fixture.transport.shutdown()
        }
    }

    @Test("a request that takes longer than that is not cut off")
    func longRequest() async throws {
        try await withTemporaryDirectory { path in
            let files = POSIXFileSystem()
            var timeouts = HTTPTransport.Timeouts()
            timeouts.rest = 1
            let fixture = TransportFixture(
                directory: try files.openDirectory(FilePath(path)),
                transport: try HTTPTransport.open(files: files, timeouts: timeouts))
            let (first, mayAnswer) = (Gate(), Monitor(false))
            let script = ServerScript { request in
                guard request.index == 1 else { return .response(201) }
                first.open()
                mayAnswer.block { $0 }
                return .response(202)
            }
            try await withLoopbackServer(script) { server in
                _ = await fixture.send(server.url("/one"))
                async let slow = fixture.send(server.url("/two"))
                await first.wait()
                // Longer than the rest that the first request began.
                try await Task.sleep(for: .seconds(2.5))
                mayAnswer.withLock { $0 = true }
                guard case .answer(let answer) = await slow else {
                    Issue.record("the request was cut off")
                    return
                }
                #expect(answer.status == 202)
            }
            await fixture.transport.shutdown()
        }
    }
}
