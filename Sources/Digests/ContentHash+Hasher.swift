import Crypto
package import DurableIO

extension ContentHash {
    /// The hash of bytes that are all there.
    package init(of bytes: [UInt8]) {
        var hasher = Hasher()
        hasher.update(bytes)
        self = hasher.finish()
    }

    /// The hash of bytes that come in pieces.
    package struct Hasher: Sendable {
        private var state = SHA256()

        package init() {}

        package mutating func update(_ bytes: UnsafeRawBufferPointer) {
            state.update(bufferPointer: bytes)
        }

        package mutating func update(_ bytes: [UInt8]) {
            bytes.withUnsafeBytes { state.update(bufferPointer: $0) }
        }

        /// The hash of all that came so far; the hasher may go on.
        package func finish() -> ContentHash {
            guard let hash = ContentHash(bytes: Array(state.finalize())) else {
                preconditionFailure("a SHA-256 digest has 32 bytes")
            }
            return hash
        }
    }

    /// The hash of a whole file, and how many bytes that were.
    ///
    /// Large files take seconds, in which the task may be cancelled. Where the file's size is known, a small one does
    /// not wait for large ones.
    package static func of(
        _ file: borrowing OwnedDescriptor, size: UInt64? = nil, files: any FileSystem
    ) async throws -> (hash: ContentHash, byteCount: UInt64) {
        let slot = try await PayloadSlots.shared.slot(for: size)
        var hasher = Hasher()
        var count: UInt64 = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        while case let got = try files.read(file, into: buffer, at: count), got > 0 {
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
            count += UInt64(got)
            try Task.checkCancellation()
            slot.pause()
        }
        return (hasher.finish(), count)
    }
}
