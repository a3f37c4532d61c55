import Background
import DurableIO
import Foundation
import Reports
import TestSupport
import Testing

/// A stored payload that is inflated while it is read, from anywhere.
@Suite("Inflated bodies")
struct InflatedBodyTests {
    /// Text, noise and zeros, so that blocks are stored as well as deflated.
    private static func payload(_ count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: 3)
        var bytes: [UInt8] = []
        while bytes.count < count {
            bytes += Array(String(repeating: "a line of text\n", count: 3_000).utf8)
            bytes += (0..<40_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
            bytes += [UInt8](repeating: 0, count: 70_000)
        }
        return Array(bytes.prefix(count))
    }

    private func withBody(
        _ payload: [UInt8], _ body: (InflatedBody) throws -> Void
    ) async throws {
        try await withSpool { harness in
            let producer = ReportProducer(spool: harness.spool)
            let prepared = try producer.prepare(.bytes(payload), as: .init(kind: .log), from: "a test")
            try producer.store([prepared])
            let entry = try #require(try harness.spool.files.entries(of: harness.spool.collected).first)
            let report = try #require(try harness.spool.stored(entry, in: harness.spool.collected))
            try body(
                InflatedBody(
                    directory: harness.spool.collected, name: entry, headerByteCount: report.headerByteCount))
        }
    }

    /// Reads as the transport does, until there is nothing more or enough.
    private func read(_ body: InflatedBody, from offset: Int, count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var piece = [UInt8](repeating: 0, count: min(128 << 10, count - bytes.count))
            let got = try piece.withUnsafeMutableBytes {
                try body.read(into: $0, at: UInt64(offset + bytes.count), files: POSIXFileSystem())
            }
            if got == 0 { break }
            bytes += piece.prefix(got)
        }
        return bytes
    }

    @Test("they are the payload, to its last byte and no further", arguments: [0, 1, 4_096, 65_536, 65_537, 1_000_000])
    func whole(count: Int) async throws {
        let payload = Self.payload(count)
        try await withBody(payload) { body in
            let isSame = try read(body, from: 0, count: count + 100) == payload
            #expect(isSame)
        }
    }

    @Test("reading goes on anywhere, forwards and backwards")
    func anywhere() async throws {
        let payload = Self.payload(600_000)
        var generator = SeededGenerator(seed: 4)
        try await withBody(payload) { body in
            for _ in 0..<60 {
                let offset = Int.random(in: 0...payload.count, using: &generator)
                let count = Int.random(in: 0...100_000, using: &generator)
                let isSame = try read(body, from: offset, count: count) == Array(payload[offset...].prefix(count))
                #expect(isSame, "\(count) from \(offset)")
            }
        }
    }

    @Test("a file that is gone is an error of the file's, and the next read begins again")
    func gone() async throws {
        try await withSpool { harness in
            let body = InflatedBody(directory: harness.spool.queued, name: "none.gz", headerByteCount: 10)
            for _ in 0..<2 {
                #expect(throws: FileSystemError.self) { try read(body, from: 0, count: 10) }
            }
        }
    }
}
