import Foundation
import TestSupport
import Testing

/// The judges themselves: that they start, keep what they should, and are passed on to by a server that loses answers.
@Suite("Judges of S3", .timeLimit(.minutes(2)))
struct JudgeTests {
    @Test("moto starts, has a bucket and ends", .needs(.moto))
    func moto() async throws { try await expectBucket(.moto) }

    @Test("rclone starts, keeps a bucket over a restart and ends", .needs(.rclone))
    func rclone() async throws { try await expectBucket(.rclone, isKept: true) }

    @Test("OpenStack Swift starts, keeps a bucket over a restart and ends", .needs(.openStackSwift))
    func openStackSwift() async throws { try await expectBucket(.openStackSwift, isKept: true) }

    private func expectBucket(_ judge: Judge, isKept: Bool = false) async throws {
        let server = try await judge.serving { server in
            try await server.makeBucket("crashes")
            #expect(try await server.objects(in: "crashes").isEmpty)
            await server.peer.end()
            await #expect(throws: JudgeServer.CommandFailed.self) { _ = try await server.objects(in: "crashes") }
            try await server.peer.startAgain()
            if !isKept { try await server.makeBucket("crashes") }
            #expect(try await server.objects(in: "crashes").isEmpty)
            return server
        }
        await #expect(throws: JudgeServer.CommandFailed.self) { _ = try await server.objects(in: "crashes") }
    }

    @Test("a server in front passes requests on, loses an answer, or gives another one", .needs(.moto))
    func forwarding() async throws {
        try await Judge.moto.serving { server in
            let script = ServerScript.forwarding(to: server.peer.port) { request in
                switch request.target {
                case "/lost": .lost
                case "/replaced": .replaced(.response(503))
                default: .passed
                }
            }
            try await withLoopbackServer(script) { front in try await expectForwarding(server, front) }
        }
    }

    /// Has three buckets made through the server in front.
    private func expectForwarding(_ server: JudgeServer, _ front: LoopbackServer) async throws {
        func put(_ path: String) throws -> String {
            let client = try LoopbackClient(port: front.port)
            let host = "127.0.0.1:\(server.peer.port)"
            try client.send("PUT \(path) HTTP/1.1\r\nHost: \(host)\r\nContent-Length: 0\r\n")
            try client.send("Connection: close\r\n\r\n")
            return try client.receive()
        }
        #expect(try put("/passed").hasPrefix("HTTP/1.1 200"))
        #expect(throws: SocketError.self) { _ = try put("/lost") }
        #expect(try put("/replaced").hasPrefix("HTTP/1.1 503"))
        #expect(try await server.objects(in: "passed").isEmpty)
        #expect(try await server.objects(in: "lost").isEmpty)
        await #expect(throws: JudgeServer.CommandFailed.self) { _ = try await server.objects(in: "replaced") }
    }
}
