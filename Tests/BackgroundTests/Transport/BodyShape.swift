import Background
import Digests
import DurableIO
import TestSupport
import Testing

/// A body for a test, as a list of stretches that are given or lie in a file.
struct BodyShape: Sendable, CustomTestStringConvertible {
    /// Each with its number of bytes.
    enum Stretch: Sendable {
        case given(Int)
        case file(Int)

        var byteCount: Int {
            switch self {
            case .given(let count), .file(let count): count
            }
        }
    }

    let testDescription: String
    let stretches: [Stretch]

    init(_ testDescription: String, _ stretches: [Stretch]) {
        self.testDescription = testDescription
        self.stretches = stretches
    }

    /// Of a stream's first piece.
    private static let piece = 128 << 10
    /// The most that goes in one buffer.
    private static let small = 256 << 10

    static let all: [BodyShape] = [
        BodyShape("no segment", []),
        BodyShape("empty segments", [.given(0), .file(0), .given(0)]),
        BodyShape("bytes", [.given(7)]),
        BodyShape("a range", [.file(7)]),
        BodyShape("bytes, a range, bytes", [.given(10), .file(100), .given(12)]),
        BodyShape("empty segments between others", [.given(0), .file(9), .file(0), .given(3), .given(0)]),
        BodyShape("many tiny ones", (0..<400).map { $0 % 3 == 0 ? .file(1) : .given(1) }),
        BodyShape("as much as fits one buffer", [.given(1_000), .file(small - 1_010), .given(10)]),
        BodyShape("one byte more", [.given(1_000), .file(small - 1_010), .given(11)]),
        BodyShape("borders where pieces end", [.given(piece), .file(piece), .given(2 * piece), .file(piece)]),
        BodyShape(
            "borders beside the ends of pieces", [.given(piece - 1), .file(piece + 2), .given(2 * piece), .file(1)]),
        BodyShape("a form around a large file", [.given(200), .file(700_000), .given(40)]),
        BodyShape("large bytes between ranges", [.file(3), .given(600_000), .file(5)]),
        BodyShape("tiny ones, many of them", (0..<4_000).map { $0 % 2 == 0 ? .given(97) : .file(53) }),
    ]

    var byteCount: Int { stretches.reduce(0) { $0 + $1.byteCount } }

    /// Where the stretches end.
    var borders: [Int] {
        var end = 0
        return stretches.map { stretch in
            end += stretch.byteCount
            return end
        }
    }

    /// The body, and the bytes that it stands for. The ranges lie apart from each other in one new file.
    func make(in directory: Directory) throws -> (body: TransferBody, bytes: [UInt8]) {
        let files = POSIXFileSystem()
        let name: EntryName = "segments"
        let gap = 3
        let content = TransportFixture.bytes(byteCount + gap * (stretches.count + 1))
        try files.remove(name, in: directory)
        let file = try files.createFile(name, in: directory)
        try files.write(content, to: file)
        let source = FileBody(directory: directory, name: name)
        var (segments, bytes, offset): ([TransferBody.Segment], [UInt8], Int) = ([], [], gap)
        for (number, stretch) in stretches.enumerated() {
            switch stretch {
            case .given(let count):
                let given = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) }
                segments.append(.bytes(given))
                bytes += given
            case .file(let count):
                segments.append(.range(of: source, offset: UInt64(offset), length: UInt64(count)))
                bytes += content[offset..<offset + count]
                offset += count + gap
            }
        }
        return (try TransferBody(segments), bytes)
    }
}

extension TransferBody {
    /// All of the bytes, read segment by segment.
    func content() throws -> [UInt8] {
        var content: [UInt8] = []
        for segment in segments {
            switch segment {
            case .bytes(let bytes): content += bytes
            case .range(let source, let offset, let length):
                var bytes = [UInt8](repeating: 0, count: Int(length))
                let count = try bytes.withUnsafeMutableBytes { buffer throws(FileSystemError) in
                    try source.read(into: buffer, at: offset, files: POSIXFileSystem())
                }
                content += bytes.prefix(count)
            }
        }
        return content
    }
}

/// The difference of two large arrays takes minutes to tell, that of their hashes does not.
func sha256(_ bytes: [UInt8]) -> ContentHash {
    var hasher = ContentHash.Hasher()
    hasher.update(bytes)
    return hasher.finish()
}
