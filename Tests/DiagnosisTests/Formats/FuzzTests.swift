import Diagnosis
import TestSupport
import Testing

@Suite("No input harms the recognition")
struct FuzzTests {
    /// A payload to begin with.
    struct Seed: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]

        /// The real payloads, and a sample of each format of text.
        static let all =
            CorpusFile.all.map { Seed(testDescription: $0.name, bytes: Array($0.bytes.prefix(6_000))) }
            + FormatSample.all.map { Seed(testDescription: $0.format, bytes: $0.bytes) }
    }

    /// Recognises, and checks what holds for every input.
    private func check(_ bytes: [UInt8], name: String) {
        let diagnosis = recognize(bytes, name: name, content: CorpusFile.contentOfGzipFile)
        #expect(!diagnosis.format.isEmpty && !diagnosis.contentType.isEmpty && !diagnosis.summary.isEmpty)
        guard let crash = diagnosis.crash else { return }
        #expect(crash.threads.count <= Crash.Bounds.threadCount && crash.images.count <= Crash.Bounds.imageCount)
        #expect(crash.threads.reduce(0) { $0 + $1.frames.count } <= Crash.Bounds.totalFrameCount)
    }

    /// Other bytes in a few places, and a piece that is gone, or is there twice.
    private func mutated(_ original: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
            let index = Int.random(in: bytes.indices, using: &generator)
            bytes[index] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
        }
        let start = Int.random(in: bytes.indices, using: &generator)
        let piece = bytes[start...].prefix(Int.random(in: 0..<500, using: &generator))
        if Bool.random(using: &generator) {
            bytes.insert(contentsOf: Array(piece), at: Int.random(in: bytes.indices, using: &generator))
        } else {
            bytes.removeSubrange(piece.indices)
        }
        return bytes
    }

    @Test("a payload may end anywhere", arguments: Seed.all)
    func truncation(seed: Seed) {
        for length in stride(from: 0, through: min(seed.bytes.count, 2_000), by: 23) {
            self.check(Array(seed.bytes.prefix(length)), name: seed.testDescription)
        }
    }

    @Test("bits may flip, and pieces vanish or repeat", arguments: Seed.all)
    func mutation(seed: Seed) {
        var generator = SeededGenerator(seed: UInt64(seed.testDescription.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) }))
        guard !seed.bytes.isEmpty else { return }
        for _ in 0..<30 { self.check(self.mutated(seed.bytes, &generator), name: seed.testDescription) }
    }

    @Test("lines of several formats may stand among each other", arguments: FormatSample.all)
    func mixture(sample: FormatSample) {
        var generator = SeededGenerator(seed: 12)
        for _ in 0..<8 {
            let other = FormatSample.all.randomElement(using: &generator)?.bytes ?? []
            let lines = (sample.bytes.split(separator: 0x0a) + other.split(separator: 0x0a))
                .shuffled(using: &generator)
            self.check(Array(lines.joined(separator: [0x0a])), name: sample.format)
        }
    }

    @Test(
        "random bytes behind any magic number are survived",
        arguments: [
            [0x1f, 0x8b], [0x28, 0xb5, 0x2f, 0xfd], [0x7f, 0x45, 0x4c, 0x46, 2, 1], [0x7f, 0x45, 0x4c, 0x46, 1, 2],
            Array("MDMP".utf8), Array("LPKSHHRH".utf8), Array("__CURSOR=\nA\n".utf8), Array("plcrash\u{1}".utf8),
            [0x4d, 0x44, 0x4d, 0x50, 0x93, 0xa7, 0, 0], Array("KDUMP   \u{6}\0\0\0".utf8), Array("PAGEDU64".utf8),
            [0xcf, 0xfa, 0xed, 0xfe], [0x50, 0x2a, 0x4d, 0x18], [0x08, 0x01, 0x12],
            [0xff, 0xfe], [0xfe, 0xff], [0xef, 0xbb, 0xbf], Array("{".utf8), Array("*** Signal 4".utf8), [],
        ] as [[UInt8]])
    func randomBytes(magic: [UInt8]) {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<40 {
            let count = Int.random(in: 0..<300, using: &generator)
            var bytes = magic + (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            // Type 4, so that an ELF file is a core dump and its tables are read.
            if magic.count == 6, bytes.count > 20 {
                bytes.replaceSubrange(16..<18, with: magic[5] == 1 ? [4, 0] : [0, 4])
            }
            self.check(bytes, name: "core")
        }
    }
}
