extension GzipMemberHeader {
    /// What is known of a report only when all of it is compressed.
    ///
    /// 41 bytes: the version (1), the size of the payload as a little-endian 64-bit number, the SHA-256 of the wire
    /// form. A version of 0 is a record that was never filled in.
    package struct Record: Hashable, Sendable {
        /// The size of an encoded record in bytes.
        package static let byteCount = 1 + 8 + digestByteCount
        /// The size of a SHA-256 in bytes.
        package static let digestByteCount = 32
        /// The version written here, and the only one read.
        package static let version: UInt8 = 1

        /// The size of the uncompressed payload in bytes.
        package let payloadByteCount: UInt64
        /// The SHA-256 of the ``WireForm``, 32 bytes.
        package let wireDigest: [UInt8]

        /// Makes a record.
        ///
        /// - Precondition: `wireDigest` has 32 bytes.
        package init(payloadByteCount: UInt64, wireDigest: [UInt8]) {
            precondition(wireDigest.count == Self.digestByteCount)
            self.payloadByteCount = payloadByteCount
            self.wireDigest = wireDigest
        }

        /// Reads a record; `nil` if it has another size, or a version that is not ours.
        init?(parsing bytes: UnsafeRawBufferPointer) {
            guard bytes.count == Self.byteCount, bytes[0] == Self.version else { return nil }
            self.payloadByteCount = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
            self.wireDigest = Array(bytes[9...])
        }

        /// The bytes to be written at ``GzipMemberHeader/recordOffset``.
        package func encoded() -> [UInt8] {
            var bytes = [Self.version]
            bytes.reserveCapacity(Self.byteCount)
            bytes.appendLittleEndian(payloadByteCount)
            return bytes + wireDigest
        }
    }
}

extension [UInt8] {
    mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}
