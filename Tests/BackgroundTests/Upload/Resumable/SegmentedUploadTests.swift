import Background
import DurableIO
import TestSupport
import Testing

/// Bodies of segments that go in parts: the parts' borders are not those of the segments.
@Suite("Bodies of segments in parts", .timeLimit(.minutes(10)))
struct SegmentedUploadTests {
    private static let part = 50_000
    /// Bytes to 70,000, a range to 230,000, bytes to 290,001, tiny ones of both kinds to 296,001, and a range to the
    /// end.
    private static let shape = BodyShape(
        "segments of each kind",
        [.given(70_000), .file(160_000), .given(60_001)] + (0..<400).map { $0 % 2 == 0 ? .given(13) : .file(17) }
            + [.file(90_000)])

    private func withPeers(
        _ check: (TransportFixture, DraftResumableServer, inout PartSender, [UInt8]) async throws -> Void
    ) async throws {
        try await withTransport { fixture in
            let server = try DraftResumableServer()
            defer { server.stop() }
            var sender = try PartSender(
                fixture, server.url("/reports/1"), byteCount: Self.shape.byteCount, part: Self.part)
            let (body, bytes) = try Self.shape.make(in: fixture.directory)
            sender.body = body
            try await check(fixture, server, &sender, bytes)
            #expect(server.reports.map(\.sha256) == [sha256(bytes).hex])
            #expect(server.reports(withKey: PartSender.key).count == 1)
        }
    }

    @Test("parts cut through segments of each kind, and make the whole")
    func whole() async throws {
        try await withPeers { _, server, sender, _ in
            #expect(await sender.attempt().answer?.status == 200)
            let parts = server.requests.filter { $0.method == "PATCH" }
            #expect(parts.count == (Self.shape.byteCount + Self.part - 1) / Self.part)
            #expect(parts.dropLast().allSatisfy { $0.bodyByteCount == Self.part })
        }
    }

    /// Within each kind of segment, at borders between two, and one byte beside these.
    private static let positions = [
        20_000, 69_999, 70_000, 70_001, 130_000, 229_999, 230_000, 230_001, 280_000, 290_001, 290_014, 290_020, 295_999,
        296_001, 296_002, 330_000, 386_000,
    ]

    @Test("a part that is cut off is gone on with at the byte where it was cut", arguments: positions)
    func cutOff(position: Int) async throws {
        try await withPeers { _, server, sender, _ in
            let (number, count) = (position / Self.part + 1, position % Self.part)
            server.inject(.breakOff(afterByteCount: count), into: .append, from: number)
            #expect(await sender.attempts(atMost: 3).answer?.status == 200)
            let offsets = server.requests.filter { $0.method == "PATCH" }.map { $0.headers["Upload-Offset"] }
            #expect(offsets.contains("\(position)"), "\(offsets)")
        }
    }

    @Test("a life that ends after any part is followed by one that makes the body anew and goes on", arguments: 1...7)
    func nextLife(writes: Int) async throws {
        try await withPeers { fixture, server, sender, bytes in
            sender.stopsAfterProgress = writes
            _ = await sender.attempt()
            #expect(sender.saved != nil)
            #expect(server.reports.count == 0)
            sender.body = try Self.shape.make(in: fixture.directory).body
            sender.stopsAfterProgress = nil
            #expect(await sender.attempt().answer?.status == 200)
            // What was acknowledged is not sent again.
            #expect(server.requests.reduce(0) { $0 + $1.bodyByteCount } <= bytes.count + Self.part)
        }
    }
}
