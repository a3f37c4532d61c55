import Background
import DurableIO
import SystemPackage
import TestSupport
import Testing

@Suite("Bodies of segments", .timeLimit(.minutes(10)))
struct TransferBodyTests {
    /// The body's beginning and end, and each border of its segments and pieces, with one byte more and less.
    private static func positions(in shape: BodyShape) -> [Int] {
        let pieces = stride(from: 0, to: shape.byteCount, by: 128 << 10)
        let near = (shape.borders + pieces + [shape.byteCount]).flatMap { [$0 - 1, $0, $0 + 1] }
        return Set(near).filter { (0...shape.byteCount).contains($0) }.sorted()
    }

    /// Parts between any two of the positions where those are few, else from each to some others.
    private static func parts(of shape: BodyShape) -> [Range<Int>] {
        let positions = positions(in: shape)
        if positions.count <= 24 {
            return positions.flatMap { start in positions.filter { $0 >= start }.map { start..<$0 } }
        }
        return positions.enumerated().filter { shape.byteCount < 1_000 || $0.offset % 97 == 0 }.flatMap { _, start in
            [0, start, start + 1, start + 2, start + 500, shape.byteCount].map {
                min(start, $0)..<min(max(start, $0), shape.byteCount)
            }
        }
    }

    @Test("a body is its segments one after the other, and a part is a stretch of that", arguments: BodyShape.all)
    func parts(shape: BodyShape) throws {
        try withTemporaryDirectory { path in
            let directory = try POSIXFileSystem().openDirectory(FilePath(path))
            let (body, bytes) = try shape.make(in: directory)
            #expect(body.byteCount == UInt64(shape.byteCount))
            #expect(sha256(try body.content()) == sha256(bytes))
            for part in Self.parts(of: shape) {
                let cut = body[UInt64(part.lowerBound)..<UInt64(part.upperBound)]
                #expect(cut.byteCount == UInt64(part.count))
                #expect(cut.segments.allSatisfy { $0.byteCount > 0 })
                let isSame = sha256(try cut.content()) == sha256(Array(bytes[part]))
                #expect(isSame, "\(part)")
            }
        }
    }

    @Test("a part of a part is a part", arguments: BodyShape.all)
    func partsOfParts(shape: BodyShape) throws {
        try withTemporaryDirectory { path in
            let (body, bytes) = try shape.make(in: try POSIXFileSystem().openDirectory(FilePath(path)))
            var rest = body
            var position = 0
            while rest.byteCount > 0 {
                let count = min(rest.byteCount, max(1, body.byteCount / 7))
                let isSame = try rest[0..<count].content() == Array(bytes[position..<position + Int(count)])
                #expect(isSame, "at \(position)")
                rest = rest[count..<rest.byteCount]
                position += Int(count)
            }
            #expect(position == shape.byteCount)
        }
    }

    @Test("a body arrives byte for byte with its length", arguments: BodyShape.all)
    func arrival(shape: BodyShape) async throws {
        try await withTransport { fixture in
            try await withLoopbackServer(.always(.response(201))) { server in
                let (body, bytes) = try shape.make(in: fixture.directory)
                try await Self.expect(body, bytes, over: fixture, server)
            }
        }
    }

    @Test(
        "so does each part that begins or ends at a border of segments, or beside one",
        arguments: BodyShape.all.filter { (2...4).contains($0.stretches.count) && $0.byteCount > 256 << 10 })
    func arrivalOfParts(shape: BodyShape) async throws {
        try await withTransport { fixture in
            try await withLoopbackServer(.always(.response(201))) { server in
                let (body, bytes) = try shape.make(in: fixture.directory)
                let positions = shape.borders.dropLast().flatMap { [$0 - 1, $0, $0 + 1] }
                for part in positions.flatMap({ [0..<$0, $0..<shape.byteCount] }) {
                    let cut = body[UInt64(part.lowerBound)..<UInt64(part.upperBound)]
                    try await Self.expect(cut, Array(bytes[part]), over: fixture, server)
                }
            }
        }
    }

    private static func expect(
        _ body: TransferBody, _ bytes: [UInt8], over fixture: TransportFixture, _ server: LoopbackServer
    ) async throws {
        let request = TransferRequest(endpoint: try Endpoint(server.url()), method: .put, fields: [:], body: body)
        let answer = try #require(await fixture.transport.send(request).answer)
        #expect(answer.isWholeBodySent)
        #expect(answer.bytesSent == UInt64(bytes.count))
        let received = try #require(server.requests.last)
        #expect(received.headers.values("Content-Length") == ["\(bytes.count)"])
        let isSame = received.body == bytes
        #expect(isSame)
    }

    // MARK: - Sources

    @Test("a source is read in order, each byte once, however little it gives at a time", arguments: [9_000, 900_000])
    func order(count: Int) async throws {
        try await withTransport { fixture in
            try await withLoopbackServer(.always(.response(201))) { server in
                let bytes = TransportFixture.bytes(count)
                let source = RecordingSource(bytes, most: 7_000)
                let middle = UInt64(count / 3)
                let body = try TransferBody([
                    .bytes([1, 2]), .range(of: source, offset: 0, length: middle), .bytes([3]),
                    .range(of: source, offset: middle, length: UInt64(count) - middle), .bytes([4]),
                ])
                let expected = [1, 2] + bytes[..<Int(middle)] + [3] + bytes[Int(middle)...] + [4]
                try await Self.expect(body, expected, over: fixture, server)
                var end: UInt64 = 0
                for read in source.reads.value {
                    #expect(read.lowerBound == end)
                    end = read.upperBound
                }
                #expect(end == UInt64(count))
            }
        }
    }

    @Test("a source that ends within a segment ends the request, wherever that segment is", arguments: [10, 400 << 10])
    func shortSource(count: Int) async throws {
        try await withTransport { fixture in
            try await withLoopbackServer(.always(.response(201))) { server in
                let source = RecordingSource(TransportFixture.bytes(count), most: count)
                let range = TransferBody.Segment.range(of: source, offset: 1, length: UInt64(count))
                for segments in [[range], [.bytes([1]), range, .bytes([2])], [range, .bytes([2])]] {
                    let request = TransferRequest(
                        endpoint: try Endpoint(server.url()), method: .put, fields: [:],
                        body: try TransferBody(segments))
                    guard case .noAnswer(.unsendable) = await fixture.transport.send(request) else {
                        Issue.record("sent")
                        continue
                    }
                }
                #expect(server.requests.allSatisfy { !$0.isComplete })
            }
        }
    }

    // MARK: - Sizes

    private static let huge: [[(offset: UInt64, length: UInt64)]] = [
        [(0, .max)], [(0, UInt64(Int64.max) + 1)], [(1, UInt64(Int64.max))], [(.max, 1)], [(UInt64(Int64.max), 1)],
        [(0, UInt64(Int64.max)), (0, 1)], [(0, 1), (0, UInt64(Int64.max))], [(0, 1 << 62), (0, 1 << 62)],
    ]

    @Test("more bytes than a file can have make no body", arguments: huge)
    func tooLarge(ranges: [(offset: UInt64, length: UInt64)]) {
        let source = RecordingSource([], most: 1)
        #expect(throws: TransferBody.TooLarge.self) {
            try TransferBody(ranges.map { .range(of: source, offset: $0.offset, length: $0.length) })
        }
    }

    @Test("as many as a file can have do, and are cut at any place")
    func largest() throws {
        let source = RecordingSource([], most: 1)
        let body = try TransferBody([.bytes([1]), .range(of: source, offset: 0, length: UInt64(Int64.max) - 1)])
        #expect(body.byteCount == UInt64(Int64.max))
        let end = body[UInt64(Int64.max) - 1..<UInt64(Int64.max)]
        guard case .range(_, let offset, let length) = try #require(end.segments.first) else {
            Issue.record("bytes")
            return
        }
        #expect(offset == UInt64(Int64.max) - 2)
        #expect(length == 1)
    }
}

/// Bytes in memory that come a few at a time; which of them were read is written down.
final class RecordingSource: BodySource {
    private let bytes: [UInt8]
    private let most: Int
    let reads = Monitor<[Range<UInt64>]>([])

    init(_ bytes: [UInt8], most: Int) {
        self.bytes = bytes
        self.most = most
    }

    var path: String { "memory" }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, files: any FileSystem
    ) throws(FileSystemError) -> Int {
        let rest = bytes.dropFirst(Int(offset)).prefix(min(buffer.count, most))
        buffer.copyBytes(from: rest)
        reads.withLock { $0.append(offset..<offset + UInt64(rest.count)) }
        return rest.count
    }
}
