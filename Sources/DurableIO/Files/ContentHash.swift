import Crypto

/// The SHA-256 of some bytes: the identity of a report, and the check of what is stored and sent.
package struct ContentHash: Hashable, Sendable, CustomStringConvertible {
    /// 32 bytes.
    package let bytes: [UInt8]

    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// Reads 64 lower-case hexadecimal digits.
    package init?(hex: String) {
        self.init(hexDigits: Array(hex.utf8)[...])
    }

    /// The same of ASCII bytes.
    package init?(hexDigits digits: ArraySlice<UInt8>) {
        guard digits.count == 2 * Self.byteCount else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        var index = digits.startIndex
        while index < digits.endIndex {
            guard digits[index].isLowerHexDigit, digits[index + 1].isLowerHexDigit,
                let high = digits[index].hexDigitValue, let low = digits[index + 1].hexDigitValue
            else { return nil }
            bytes.append(high << 4 | low)
            index += 2
        }
        self.bytes = bytes
    }

    /// The hash of bytes that are all there.
    package init(of bytes: [UInt8]) {
        var hasher = Hasher()
        hasher.update(bytes)
        self = hasher.finish()
    }

    package static let byteCount = 32

    /// 64 lower-case hexadecimal digits.
    package var hex: String { bytes.hexDigits }

    package var description: String { hex }

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
            let digest = state.finalize()
            // A SHA-256 digest has 32 bytes, so this does not fail.
            return ContentHash(unchecked: Array(digest))
        }
    }

    private init(unchecked bytes: [UInt8]) {
        self.bytes = bytes
    }
}

extension ContentHash {
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

    /// The base64 form of structured fields and digest headers (RFC 9530).
    package var base64: String { Base64.encode(bytes) }
}
