import Digests
import DurableIO
import Reports
import TestSupport
import Testing

/// What has arrived at a server, taken apart by programs that are not ours.
enum Deliveries {
    /// The payload of a request: exactly one gzip member, unpacked by gzip(1).
    static func payload(_ request: ReceivedRequest) async throws -> [UInt8] {
        let unpacked = try await runAsynchronously(
            "gzip", ["-dc"], environment: ["PATH": "/usr/bin:/bin"], input: request.body)
        try #require(unpacked.status == 0, "\(unpacked.errors)")
        // gzip(1) also takes several members; ours takes one and nothing behind it.
        var inflater = try Inflater(.gzip)
        var count = 0
        try request.body.withUnsafeBytes { bytes in
            try inflater.write(bytes) { piece throws(any Error) in count += piece.count }
        }
        try inflater.finish()
        #expect(count == unpacked.stdout.count)
        return unpacked.stdout
    }

    /// Checks everything that the design says of a request, and gives the id it carries.
    @discardableResult
    static func check(_ request: ReceivedRequest, holds payload: [UInt8]) async throws -> String {
        let id = ContentHash.of(payload)
        #expect(try await Self.payload(request) == payload)
        #expect(request.method == "PUT")
        #expect(request.target == "/" + id.hex)
        #expect(request.headers.values("Content-Length") == ["\(request.body.count)"])
        #expect(request.headers["Transfer-Encoding"] == nil)
        #expect(request.headers.values("Content-Encoding") == ["gzip"])
        #expect(request.headers.values("Idempotency-Key") == ["\"\(id.hex)\""])
        #expect(request.headers.values("Unencoded-Digest") == ["sha-256=:\(id.base64):"])
        #expect(request.headers.values("Repr-Digest") == ["sha-256=:\(ContentHash.of(request.body).base64):"])
        #expect(request.headers["Report-Kind"].flatMap(ReportKind.init(rawValue:)) != nil)
        #expect(request.headers["Report-Collected-At"].flatMap(RFC3339.milliseconds) != nil)
        #expect(request.headers["User-Agent"]?.hasPrefix("Reports/") == true)
        #expect(request.headers.values("Content-Type").count == 1)
        // The header's flags: no name, no extra field, nothing local.
        #expect(request.body.prefix(10) == [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
        return id.hex
    }

    /// The texts that arrived, unpacked, in the order of their arrival.
    static func texts(_ server: LoopbackServer) async throws -> [String] {
        var texts: [String] = []
        for request in server.requests where request.isComplete {
            texts.append(String(decoding: try await payload(request), as: UTF8.self))
        }
        return texts
    }

    /// The ids that arrived, as the idempotency key tells.
    static func ids(_ server: LoopbackServer) -> [String] {
        server.requests.compactMap { $0.headers["Idempotency-Key"].map { String($0.dropFirst().dropLast()) } }
    }
}

extension ServerScript {
    /// Takes everything.
    static var accepting: ServerScript { .always(.response(201)) }
}

extension ContentHash {
    static func of(_ bytes: [UInt8]) -> ContentHash {
        ContentHash(of: bytes)
    }

    static func of(_ text: String) -> ContentHash { of(Array(text.utf8)) }
}
