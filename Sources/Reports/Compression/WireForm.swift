/// What leaves the machine of a stored member: a constant header, then the member without its own.
///
/// The stored header names the file and carries annotations; none of that is sent in the body. The deflate stream and
/// its trailer are sent as they lie on disk, so nothing is compressed twice and the digest is known beforehand.
package struct WireForm: Hashable, Sendable {
    /// The header of every wire form: no flag, no time, no name, unknown system.
    package static let prefix: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]
    /// The size in bytes of the CRC-32 and the length (both little-endian) that end a member.
    package static let trailerByteCount = 8
    /// The fewest bytes after a header: the two bytes of an empty deflate stream and the trailer.
    package static let minimumBodyByteCount = 2 + trailerByteCount

    /// The end of every member: its payload's CRC-32, and its length modulo 4 GiB.
    package static func trailer(checksum: UInt32, payloadByteCount: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(trailerByteCount)
        bytes.appendLittleEndian(checksum)
        bytes.appendLittleEndian(UInt32(truncatingIfNeeded: payloadByteCount))
        return bytes
    }

    /// The bytes of the stored file that follow ``prefix``.
    package let range: Range<UInt64>

    /// The size of the wire form in bytes: its `Content-Length`.
    package var byteCount: UInt64 { UInt64(Self.prefix.count) + range.upperBound - range.lowerBound }

    /// The wire form of a stored file, or `nil` if the file is too short to hold a member.
    ///
    /// - Parameters:
    ///   - headerByteCount: The size of the stored header, ``GzipMemberHeader/byteCount``.
    ///   - fileByteCount: The size of the stored file.
    package init?(headerByteCount: Int, fileByteCount: UInt64) {
        guard let start = UInt64(exactly: headerByteCount), fileByteCount >= start,
            fileByteCount - start >= UInt64(Self.minimumBodyByteCount)
        else { return nil }
        self.range = start..<fileByteCount
    }
}
