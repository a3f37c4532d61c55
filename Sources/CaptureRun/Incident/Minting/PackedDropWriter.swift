import Diagnosis
import DurableIO

/// Writes a packed drop: one gzip member of stored blocks, whose header describes the payload (`RP`).
///
/// The owner of the spool unpacks and compresses it; no program that only drops needs zlib.
struct PackedDropWriter {
    let files: any FileSystem

    /// What the header says of the payload.
    struct Description {
        var name: String
        var kind: String
        /// In milliseconds since 1970.
        var collectedAt: Int64
        var occurredAt: Int64?
        var annotations: [String: String]

        fileprivate var bytes: [UInt8] {
            var json = JSONObject()
            json["v"] = .integer(1)
            json["kind"] = .string(kind)
            json["kind_from"] = .string("given")
            json["name"] = .string(name)
            json["collected_at"] = .string(RFC3339.string(milliseconds: collectedAt))
            json["occurred_at"] = occurredAt.map { .string(RFC3339.string(milliseconds: $0)) }
            json["annotations"] = .object(annotations)
            return JSONValue.object(json).utf8Bytes
        }
    }

    /// The most bytes of a stored block.
    private static let blockByteCount = Int(UInt16.max)
    /// The largest description in bytes; the field's own bound is a little larger.
    static let maximumDescriptionByteCount = 48 << 10

    /// Writes the drop into a new file.
    /// - Returns: the SHA-256 of the payload, and its size in bytes.
    func write(
        _ content: RuntimeReport.Content, as description: Description, to file: borrowing OwnedDescriptor
    ) throws(FileSystemError) -> (id: ContentHash, byteCount: UInt64) {
        try files.write(Self.header(description), to: file)
        var (hasher, checksum, offset) = (SHA256(), CRC32(), UInt64(0))
        while true {
            let block = try block(of: content, at: offset)
            if block.isEmpty { break }
            let count = UInt16(block.count)
            try files.write([0] + count.littleEndianBytes + (~count).littleEndianBytes + block, to: file)
            hasher.update(block)
            checksum.update(block)
            offset += UInt64(block.count)
        }
        // An empty last block, since the end of a file is known only behind it.
        try files.write([1, 0, 0, 0xff, 0xff], to: file)
        let size = UInt32(truncatingIfNeeded: offset)
        try files.write(checksum.value.littleEndianBytes + size.littleEndianBytes, to: file)
        guard let id = ContentHash(bytes: hasher.finish()) else { preconditionFailure("a SHA-256 has 32 bytes") }
        return (id, offset)
    }

    private func block(
        of content: RuntimeReport.Content, at offset: UInt64
    ) throws(FileSystemError) -> [UInt8] {
        switch content {
        case .bytes(let bytes): Array(bytes.dropFirst(Int(offset)).prefix(Self.blockByteCount))
        case .file(let file): try files.read(file.file, limit: Self.blockByteCount, at: offset)
        case .none: []
        }
    }

    private static func header(_ description: Description) -> [UInt8] {
        var fitting = description
        var bytes = fitting.bytes
        // The caller's annotations have no bound together; those that come last in order go first.
        while bytes.count > maximumDescriptionByteCount, let last = fitting.annotations.keys.max() {
            fitting.annotations[last] = nil
            bytes = fitting.bytes
        }
        let field = Array("RP".utf8) + UInt16(bytes.count).littleEndianBytes + bytes
        return [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff] + UInt16(field.count).littleEndianBytes + field
    }
}

/// The checksum of gzip (RFC 1952, section 8).
struct CRC32 {
    private var register = UInt32.max

    var value: UInt32 { ~register }

    mutating func update(_ bytes: [UInt8]) {
        var register = register
        for byte in bytes { register = Self.table[Int(UInt8(truncatingIfNeeded: register) ^ byte)] ^ register >> 8 }
        self.register = register
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xedb8_8320 : sum >> 1 }
    }
}

extension FixedWidthInteger {
    var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
