extension GzipMemberHeader {
    /// The longest name or comment accepted from other programs, in bytes: 64 KiB, so that a search for its end ends.
    private static let maximumForeignTextByteCount = 64 << 10

    /// Reads the header at the beginning of a gzip file, ours or any other.
    ///
    /// Accepts whatever RFC 1952 allows; sub-fields that are not ours, or not as we write them, leave ``properties``
    /// and ``record`` `nil`. Nothing after the header is looked at.
    ///
    /// - Parameter bytes: The first bytes of the file; ``maximumByteCount`` of them suffice for our own.
    /// - Throws: ``GzipMemberHeaderError/truncated(needed:)`` if the header goes on beyond `bytes`,
    ///   ``GzipMemberHeaderError/malformed(_:)`` if no more bytes could make it one.
    package init(parsing bytes: some Collection<UInt8>) throws(GzipMemberHeaderError) {
        let parsed = bytes.withContiguousStorageIfAvailable { Self.parse(UnsafeRawBufferPointer($0)) }
        self = try (parsed ?? Array(bytes).withUnsafeBytes(Self.parse)).get()
    }

    // A result, because the closures of the standard library do not all carry typed errors through.
    private static func parse(_ bytes: UnsafeRawBufferPointer) -> Result<GzipMemberHeader, GzipMemberHeaderError> {
        Result { () throws(GzipMemberHeaderError) in try GzipMemberHeader(reading: bytes) }
    }

    private init(reading bytes: UnsafeRawBufferPointer) throws(GzipMemberHeaderError) {
        var reader = Reader(bytes: bytes)
        try reader.expect(WireForm.prefix.prefix(3), orElse: "no gzip header")
        let flags = Flags(rawValue: try reader.next(1)[0])
        guard flags.isDisjoint(with: .reserved) else { throw .malformed("reserved flags are set") }
        let modificationTime = try reader.takeInteger(UInt32.self)
        _ = try reader.next(2)

        var fields: (record: Record?, properties: [UInt8]?) = (nil, nil)
        if flags.contains(.extra) {
            let length = Int(try reader.takeInteger(UInt16.self))
            fields = Self.subfields(of: try reader.next(length))
        }
        let name = flags.contains(.name) ? try reader.takeText(upTo: Self.maximumForeignTextByteCount) : nil
        if flags.contains(.comment) { _ = try reader.takeText(upTo: Self.maximumForeignTextByteCount) }
        if flags.contains(.headerChecksum) {
            let computed = UInt16(truncatingIfNeeded: Zlib.crc32(0, reader.taken))
            guard try reader.takeInteger(UInt16.self) == computed else {
                throw .malformed("the header's checksum disagrees")
            }
        }
        self.init(
            modificationTime: modificationTime, name: name, properties: fields.properties, record: fields.record,
            byteCount: reader.offset)
    }

    /// Our own sub-fields: the record only as the first, where it can be filled in, the properties anywhere.
    private static func subfields(of extra: UnsafeRawBufferPointer) -> (record: Record?, properties: [UInt8]?) {
        var fields: (record: Record?, properties: [UInt8]?) = (nil, nil)
        var reader = Reader(bytes: extra)
        while let id = try? reader.next(2), let length = try? reader.takeInteger(UInt16.self),
            let data = try? reader.next(Int(length))
        {
            if data.count + 4 == reader.offset, id.elementsEqual(SubfieldID.record) {
                fields.record = Record(parsing: data)
            } else if fields.properties == nil, id.elementsEqual(SubfieldID.properties) {
                fields.properties = Array(data)
            }
        }
        return fields
    }
}

/// Takes one field after another from the front of some bytes, never beyond their end.
private struct Reader {
    let bytes: UnsafeRawBufferPointer
    var offset = 0

    /// All that has been taken.
    var taken: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[..<offset]) }

    mutating func next(_ count: Int) throws(GzipMemberHeaderError) -> UnsafeRawBufferPointer {
        let end = offset + count
        guard end <= bytes.count else { throw .truncated(needed: end) }
        defer { offset = end }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<end])
    }

    mutating func takeInteger<Value: FixedWidthInteger & BitwiseCopyable>(
        _: Value.Type
    ) throws(GzipMemberHeaderError) -> Value {
        Value(littleEndian: try next(MemoryLayout<Value>.size).loadUnaligned(as: Value.self))
    }

    /// Takes text and the zero that ends it, and returns the text.
    mutating func takeText(upTo limit: Int) throws(GzipMemberHeaderError) -> [UInt8] {
        let rest = bytes[offset...].prefix(limit + 1)
        guard let end = rest.firstIndex(of: 0) else {
            guard rest.count <= limit else { throw .malformed("a name or comment of more than \(limit) bytes") }
            throw .truncated(needed: bytes.count + 1)
        }
        defer { offset = end + 1 }
        return Array(rest[..<end])
    }

    /// Takes what has to be there; a difference in the bytes at hand counts more than that there are too few.
    mutating func expect(_ expected: ArraySlice<UInt8>, orElse problem: String) throws(GzipMemberHeaderError) {
        guard expected.starts(with: bytes[offset...].prefix(expected.count)) else { throw .malformed(problem) }
        _ = try next(expected.count)
    }
}
