import CZlib

/// What deflating and inflating share: constants of zlib, and its input pointers.
enum Zlib {
    /// Raw deflate with the full 32 KiB window.
    static let rawWindowBits: Int32 = -15
    /// A gzip wrapper, whose checksum zlib computes, around the same.
    static let gzipWindowBits: Int32 = 15 + 16
    /// The most bytes given to zlib at once: its counters have 32 bits, ours 64.
    static let maximumStep = 1 << 30

    /// Points a stream at the first bytes of `bytes`, at most ``maximumStep`` of them.
    ///
    /// - Returns: How many bytes the stream was given.
    static func setInput(of stream: UnsafeMutablePointer<z_stream>, from bytes: UnsafeRawBufferPointer) -> Int {
        let count = min(bytes.count, maximumStep)
        // zlib declares its input as mutable for the sake of old compilers and only reads it.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(count)
        return count
    }

    /// Forgets the caller's bytes, which are not ours beyond the call.
    static func clearInput(of stream: UnsafeMutablePointer<z_stream>) {
        stream.pointee.next_in = nil
        stream.pointee.avail_in = 0
    }

    /// The CRC-32 of gzip, continued from `checksum`; 0 begins.
    static func crc32(_ checksum: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        // For zlib, no address means "begin anew", not "nothing to add".
        guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return checksum }
        return UInt32(truncatingIfNeeded: crc32_z(UInt(checksum), base, bytes.count))
    }

    /// The CRC-32 of two stretches of bytes, one after the other.
    ///
    /// - Parameters:
    ///   - first: the CRC-32 of the first one.
    ///   - second: the CRC-32 of the second one.
    ///   - byteCount: the size of the second one in bytes.
    /// - Returns: the CRC-32 of both.
    static func combined(_ first: UInt32, with second: UInt32, byteCount: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32_combine(UInt(first), UInt(second), Int(clamping: byteCount)))
    }
}
