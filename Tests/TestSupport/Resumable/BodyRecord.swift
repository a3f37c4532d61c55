import Digests
import DurableIO

/// A body as a server remembers it: its bytes, or only their number and hash.
struct BodyRecord: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var byteCount = 0
    private var hasher = ContentHash.Hasher()
    private let keepsBytes: Bool
    /// Where it can go back to without the bytes.
    private var marks: [(byteCount: Int, hasher: ContentHash.Hasher)] = []

    init(keepsBytes: Bool) {
        self.keepsBytes = keepsBytes
    }

    /// In lower-case hexadecimal digits.
    var sha256: String { hasher.finish().hex }

    var digest: [UInt8] { hasher.finish().bytes }

    mutating func append(_ piece: UnsafeRawBufferPointer) {
        byteCount += piece.count
        hasher.update(piece)
        if keepsBytes { bytes += piece }
    }

    mutating func append(_ piece: ArraySlice<UInt8>) {
        piece.withUnsafeBytes { append($0) }
    }

    /// Makes this length one that ``truncate(to:)`` can return to exactly.
    mutating func mark() {
        marks.append((byteCount, hasher))
    }

    /// Forgets what is behind a length; without the bytes, what is behind the last mark that is not beyond it.
    mutating func truncate(to length: Int) {
        guard length < byteCount else { return }
        marks.removeAll { $0.byteCount > length }
        if keepsBytes {
            bytes.removeLast(byteCount - length)
            byteCount = length
            hasher = ContentHash.Hasher()
            hasher.update(bytes)
        } else {
            byteCount = marks.last?.byteCount ?? 0
            hasher = marks.last?.hasher ?? ContentHash.Hasher()
        }
    }
}
