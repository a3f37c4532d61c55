import Background
import Digests
import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

/// The three forms in which a payload may leave.
@Suite("Encodings", .timeLimit(.minutes(10)))
struct WireEncodingTests {
    /// Small, streamed, and sent in parts.
    private static let sizes = [0, 5, 400 << 10, 20 << 20]

    private static func payload(_ count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: 5)
        var bytes = (0..<count / 2).map { _ in UInt8.random(in: 0...255, using: &generator) }
        bytes += Array(repeating: UInt8(ascii: "x"), count: count - bytes.count)
        return bytes
    }

    private func send(
        _ payload: [UInt8], as encoding: ReportEncoding, _ check: (ReceivedRequest, _ id: ContentHash) throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            try await withLoopbackServer(.always(.response(201))) { server in
                var destination = Destination.http(server.url("/{id}"))
                destination.encoding = encoding
                let reporter = try Reporter(spool: FilePath(directory + "/spool"), destination: destination)
                try await reporter.collect(payload, kind: .log)
                #expect(try await reporter.submitPending().delivered == 1)
                // Large ones are preceded by questions about parts.
                let request = try #require(server.requests.last { $0.method == "PUT" })
                #expect(request.headers["Transfer-Encoding"] == nil)
                #expect(request.headers["Content-Length"] == "\(request.body.count)")
                #expect(request.headers["Idempotency-Key"] == "\"\(ContentHash.of(bytes: payload).hex)\"")
                let digest = "sha-256=:\(ContentHash.of(bytes: request.body).base64):"
                #expect(request.headers["Repr-Digest"] == digest)
                try check(request, ContentHash.of(bytes: payload))
            }
        }
    }

    @Test("identity is the payload itself, with its exact length", arguments: sizes)
    func identity(count: Int) async throws {
        let payload = Self.payload(count)
        try await send(payload, as: .identity) { request, id in
            let isSame = request.body == payload
            #expect(isSame)
            #expect(request.headers["Content-Encoding"] == nil)
            #expect(request.headers["Unencoded-Digest"] == "sha-256=:\(id.base64):")
            #expect(request.headers["Content-Type"] != "application/gzip")
        }
    }

    @Test(
        "file is a gzip file, and said to be nothing else",
        .enabled(if: findExecutable("gunzip") != nil, "needs gunzip"),
        arguments: sizes)
    func file(count: Int) async throws {
        let payload = Self.payload(count)
        try await send(payload, as: .file) { request, _ in
            #expect(request.headers["Content-Encoding"] == nil)
            #expect(request.headers["Content-Type"] == "application/gzip")
            #expect(request.headers["Unencoded-Digest"] == nil)
            let isSame = try run("gunzip", ["-c"], input: request.body).stdout == payload
            #expect(isSame)
        }
    }

    @Test("a body that is inflated goes in parts to a server that takes them, and arrives whole")
    func parts() async throws {
        let payload = Self.payload(20 << 20)
        try await withTemporaryDirectory { directory in
            let server = try DraftResumableServer()
            defer { server.stop() }
            var destination = Destination.http(server.url("/{id}"))
            destination.encoding = .identity
            let reporter = try Reporter(spool: FilePath(directory + "/spool"), destination: destination)
            try await reporter.collect(payload, kind: .log)
            #expect(try await reporter.submitPending().delivered == 1)
            let report = try #require(server.reports.first)
            #expect(server.reports.count == 1)
            #expect(report.uploadPath != nil)
            #expect(report.sha256 == ContentHash.of(bytes: payload).hex)
        }
    }

    @Test("415 holds all of the server's reports, and the next submit in another form sends them")
    func unsupported() async throws {
        let script = ServerScript { request in
            request.headers["Content-Encoding"] == nil ? .response(201) : .response(415)
        }
        try await withTemporaryDirectory { directory in
            try await withLoopbackServer(script) { server in
                let spool = FilePath(directory + "/spool")
                var destination = Destination.http(server.url("/{id}"))
                let first = try Reporter(spool: spool, destination: destination)
                for number in 0..<20 { try await first.collect(Array("report \(number)".utf8)) }
                let summary = try await first.submitPending()
                #expect(summary.delivered == 0 && summary.rejected == 0 && summary.held > 0)
                destination.encoding = .identity
                let second = try Reporter(spool: spool, destination: destination)
                #expect(try await second.submitPending().delivered == 20)
            }
        }
    }
}
