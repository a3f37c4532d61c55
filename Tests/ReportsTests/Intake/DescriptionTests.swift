import Diagnosis
import DurableIO
import Foundation
import Reports
import SystemPackage
import TestSupport
import Testing

@Suite("The description of a report is written after the payload's last byte")
struct DescriptionTests {
    /// A log of 3 MiB whose last lines are a panic.
    private static let late: [UInt8] = {
        let line = "2026-11-28T08:00:00.004Z  INFO gateway: listening on 0.0.0.0:8443\n"
        let log = String(repeating: line, count: (3 << 20) / line.utf8.count)
        let panic = """

            thread 'main' (4711) panicked at src/session.rs:204:38:
            called `Option::unwrap()` on a `None` value
            stack backtrace:
               0: gateway::session::resume
                         at ./src/session.rs:204:38

            """
        return Array((log + panic).utf8)
    }()

    enum Way: CaseIterable, Sendable {
        case bytes, file, growingFile, pipe
    }

    private func collect(
        _ bytes: [UInt8], by way: Way, _ harness: SpoolHarness, as description: ReportCollector.Description
    ) throws -> StoredReport {
        let path = harness.path + "/../payload"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let files = harness.spool.files
        let file = try files.openFile(FilePath(path))
        let facts = try files.metadata(of: file)
        let source: PayloadSource
        switch way {
        case .bytes: source = .bytes(bytes)
        case .file: source = .file(file, facts: facts)
        case .growingFile: source = .growingFile(file, facts: facts)
        case .pipe: source = .pipe(file)
        }
        let producer = ReportProducer(spool: harness.spool)
        let prepared = try producer.prepare(source, as: description, from: "test")
        try producer.store([prepared])
        return prepared.report
    }

    private func stored(_ harness: SpoolHarness) throws -> StoredReport {
        let entry = try #require(try harness.entries("collected").first.flatMap(EntryName.init))
        return try #require(try harness.spool.stored(entry, in: harness.spool.collected))
    }

    @Test("a crash at the end of a large payload is seen, however the payload comes", arguments: Way.allCases)
    func lateCrash(way: Way) async throws {
        try await withSpool { harness in
            let report = try collect(Self.late, by: way, harness, as: .init(annotations: ["a": "b"]))
            let read = try stored(harness).properties
            #expect(read == report.properties)
            #expect(read.kind == .crash)
            #expect(read.kindSource == .recognised)
            #expect(read.format == "rust-panic")
            #expect(read.summary.contains("Option::unwrap()"))
            #expect(read.signature?.utf8.count == 16)
            #expect(read.annotations == ["a": "b"])
            #expect(!read.isSnapshot)
        }
    }

    @Test("a kind that was given stays")
    func givenKind() async throws {
        try await withSpool { harness in
            let report = try collect(Self.late, by: .pipe, harness, as: .init(kind: .log))
            #expect(report.properties.kind == .log)
            #expect(report.properties.kindSource == .given)
            #expect(report.properties.format == "rust-panic")
        }
    }

    @Test("where annotations leave too little room, the summary gets shorter, and all else is there")
    func littleRoom() async throws {
        try await withSpool { harness in
            var annotations = ["fill": "f"]
            for number in 10..<57 { annotations["key\(number)"] = String(repeating: "v", count: 1_020) }
            let bytes = Array(Self.late.suffix(1_000))
            let roomy = try collect(bytes, by: .bytes, harness, as: .init(annotations: annotations))
            // The whole description would be 30 bytes too long.
            let missing = GzipMemberHeader.maximumPropertiesByteCount + 30 - roomy.properties.json.utf8Bytes.count
            annotations["fill"] = String(repeating: "f", count: try #require(missing > 0 ? 1 + missing : nil))
            let report = try collect(Self.late, by: .pipe, harness, as: .init(annotations: annotations))
            let entries = try harness.entries("collected").compactMap(EntryName.init)
            let read = try #require(
                try entries.compactMap { try harness.spool.stored($0, in: harness.spool.collected) }
                    .first { $0.id == report.id }
            ).properties
            #expect(read.kind == .crash)
            #expect(read.signature == report.properties.signature)
            #expect(read.annotations == annotations)
            #expect(read.summary.count < report.properties.summary.count)
            #expect(report.properties.summary.hasPrefix(read.summary))
        }
    }

    @Test("the description of a small payload takes no more room than it needs")
    func noPadding() async throws {
        try await withSpool { harness in
            let report = try collect(Array("a line\n".utf8), by: .file, harness, as: .init())
            let entry = try #require(try harness.entries("collected").first)
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(harness.path)/collected/\(entry)")))
            let header = try GzipMemberHeader(parsing: bytes)
            #expect(header.properties == report.properties.json.utf8Bytes)
        }
    }
}

@Suite("The window onto a payload that comes in pieces")
struct PayloadExcerptTests {
    @Test("however it is cut into pieces, it shows the first MiB and the last 256 KiB")
    func pieces() {
        var generator = SeededGenerator(seed: 5)
        let size = PayloadWindow.headByteCount + 3 * PayloadWindow.tailByteCount + 17
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 % 251) }
        // Where a byte stands is told by what is recognised: a NUL makes text binary.
        for offset in [0, PayloadWindow.headByteCount - 1, size - PayloadWindow.tailByteCount, size - 1] {
            var bytes = payload.map { $0 < 0x20 ? UInt8(ascii: "x") : $0 & 0x7f }
            bytes[offset] = 0
            #expect(format(of: bytes, &generator) == "binary", "\(offset)")
        }
        for offset in [PayloadWindow.headByteCount, size - PayloadWindow.tailByteCount - 1] {
            var bytes = payload.map { $0 & 0x7f < 0x20 ? UInt8(ascii: "x") : $0 & 0x7f }
            bytes[offset] = 0
            #expect(format(of: bytes, &generator) == "text", "\(offset)")
        }
    }

    private func format(of bytes: [UInt8], _ generator: inout SeededGenerator) -> String {
        var excerpt = PayloadExcerpt()
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...400_000, using: &generator))
                excerpt.add(UnsafeRawBufferPointer(rebasing: piece))
                rest = rest[piece.endIndex...]
            }
        }
        return excerpt.diagnosis(name: []).format
    }
}
