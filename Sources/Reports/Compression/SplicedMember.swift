import CZlib

/// A gzip member that is made of some bytes and a stored deflate stream behind them, without inflating the stream.
///
/// The bytes are compressed up to a byte boundary, where the stored stream goes on as it lies. The member's checksum is
/// computed from the two checksums of its parts. The size of the payload matters only for that: the stream is neither
/// read nor copied. Receivers see one ordinary member (RFC 1952). The method is that of `gzjoin` in zlib's examples.
package struct SplicedMember: Sendable {
    /// The member's header, and the bytes compressed. The stored stream follows.
    package let beginning: [UInt8]
    /// What follows the stored stream.
    package let trailer: [UInt8]

    /// - Parameters:
    ///   - bytes: what the inflated member begins with.
    ///   - storedTrailer: the eight bytes that end the stored member.
    ///   - payloadByteCount: the true size of the stored payload. The trailer has it modulo 4 GiB only, and the
    ///     checksum needs all of it.
    /// - Throws: ``ZlibError`` for want of memory.
    package init(
        _ bytes: [UInt8], before storedTrailer: [UInt8], payloadByteCount: UInt64
    ) throws(ZlibError) {
        precondition(storedTrailer.count == WireForm.trailerByteCount)
        beginning = try WireForm.prefix + Self.compressed(bytes)
        let stored = storedTrailer.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let checksum = Zlib.combined(
            bytes.withUnsafeBytes { Zlib.crc32(0, $0) }, with: stored, byteCount: payloadByteCount)
        trailer = WireForm.trailer(checksum: checksum, payloadByteCount: UInt64(bytes.count) &+ payloadByteCount)
    }

    private static func compressed(_ bytes: [UInt8]) throws(ZlibError) -> [UInt8] {
        try Deflater.bytes(of: bytes) { deflater, output throws(CompressionFailure<Never>) in
            try deflater.flush(to: output)
        }
    }
}

extension WireForm {
    /// One whole gzip member of some bytes in memory.
    /// - Throws: ``ZlibError`` for want of memory.
    package static func member(of bytes: [UInt8]) throws(ZlibError) -> [UInt8] {
        let body = try Deflater.bytes(of: bytes) { deflater, output throws(CompressionFailure<Never>) in
            try deflater.finish(to: output)
        }
        let checksum = bytes.withUnsafeBytes { Zlib.crc32(0, $0) }
        return prefix + body + trailer(checksum: checksum, payloadByteCount: UInt64(bytes.count))
    }
}

extension Deflater {
    fileprivate typealias Output = (UnsafeRawBufferPointer) throws(Never) -> Void

    /// Compresses bytes, and ends as `end` says.
    fileprivate static func bytes(
        of bytes: [UInt8], _ end: (inout Deflater, Output) throws(CompressionFailure<Never>) -> Void
    ) throws(ZlibError) -> [UInt8] {
        var deflater = try Deflater(level: .balanced, windowByteCount: 16 << 10)
        var result: [UInt8] = []
        do throws(CompressionFailure<Never>) {
            try bytes.span.withUnsafeBytes { bytes throws(CompressionFailure<Never>) in
                try deflater.write(bytes) { result += $0 }
            }
            try end(&deflater) { result += $0 }
        } catch {
            switch error {
            case .zlib(let error): throw error
            }
        }
        return result
    }
}
