/// The header of a stored report: an ordinary gzip header (RFC 1952) that carries what a ledger row needs.
///
/// ```
/// offset   0  1f 8b 08, flags (extra field, name), modification time, 0, 255
///         10  length of the extra field, two bytes
///         12  'R' 'D' 41 0, then the record: 41 bytes from offset 16
///         57  'R' 'P' and a length, then the properties: JSON, opaque here
///             the name, Latin-1, ended by 0
/// ```
/// All numbers are little-endian. The record is known only when all is compressed; it is written as zeros and filled
/// in by one write at ``recordOffset``, before the file is synced. Properties that may get longer until then are padded
/// with blanks, and written again in their place.
package struct GzipMemberHeader: Hashable, Sendable {
    /// Where the bytes of the record begin in a header made here.
    package static let recordOffset = 16
    /// Where the bytes of the properties begin in a header made here.
    package static let propertiesOffset = recordOffset + Record.byteCount + 4
    /// The largest properties, in bytes: 48 KiB.
    package static let maximumPropertiesByteCount = 48 << 10
    /// The longest name, in bytes.
    package static let maximumNameByteCount = 255
    /// The size in bytes of the largest header made here: a file's first so many bytes are enough to parse it.
    package static let maximumByteCount =
        propertiesOffset + maximumPropertiesByteCount + maximumNameByteCount + 1

    /// When the payload was last changed, in seconds since 1970; 0 is unknown.
    package let modificationTime: UInt32
    /// The payload's name in Latin-1, without an end mark; made safe only in headers made here.
    package let name: [UInt8]?
    /// The JSON of the report; `nil` in gzip files that are not ours.
    package let properties: [UInt8]?
    /// What was known at the end; `nil` while it is zeros, and in gzip files that are not ours.
    package let record: Record?
    /// The size of the header in bytes: where the deflate stream begins.
    package let byteCount: Int

    /// Makes the header of a report that is about to be compressed.
    ///
    /// - Parameters:
    ///   - name: The payload's name as the file system has it, or `nil`; see ``safeName(_:)``.
    ///   - properties: The JSON of the report.
    ///   - modificationTime: Seconds since 1970.
    /// - Throws: ``GzipMemberHeaderError/propertiesTooLong(byteCount:)`` above 48 KiB.
    package init(
        name: [UInt8]?, properties: [UInt8], modificationTime: UInt32
    ) throws(GzipMemberHeaderError) {
        guard properties.count <= Self.maximumPropertiesByteCount else {
            throw .propertiesTooLong(byteCount: properties.count)
        }
        let safeName = name.flatMap(Self.safeName)
        let nameField = safeName.map { $0.count + 1 } ?? 0
        self.init(
            modificationTime: modificationTime, name: safeName, properties: properties, record: nil,
            byteCount: Self.propertiesOffset + properties.count + nameField)
    }

    init(modificationTime: UInt32, name: [UInt8]?, properties: [UInt8]?, record: Record?, byteCount: Int) {
        self.modificationTime = modificationTime
        self.name = name
        self.properties = properties
        self.record = record
        self.byteCount = byteCount
    }

    /// The header in bytes; without a record, zeros hold its place.
    ///
    /// Says of another program's header only what the properties of this value say.
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = [0x1f, 0x8b, 8, Flags.extra.rawValue | (name == nil ? 0 : Flags.name.rawValue)]
        bytes.reserveCapacity(Self.recordOffset + Record.byteCount + 4 + (properties?.count ?? 0) + 256)
        bytes.appendLittleEndian(modificationTime)
        bytes += [0, 0xff]
        let propertiesField = properties.map { $0.count + 4 } ?? 0
        bytes.appendLittleEndian(UInt16(4 + Record.byteCount + propertiesField))
        bytes += SubfieldID.record
        bytes.appendLittleEndian(UInt16(Record.byteCount))
        bytes += record?.encoded() ?? [UInt8](repeating: 0, count: Record.byteCount)
        if let properties {
            bytes += SubfieldID.properties
            bytes.appendLittleEndian(UInt16(properties.count))
            bytes += properties
        }
        if let name { bytes += name + [0] }
        return bytes
    }

    /// A name that is harmless wherever a gzip tool may use it, or `nil` for an empty one.
    ///
    /// Read as UTF-8 and written as Latin-1, as the format asks. What Latin-1 cannot show, control characters, `/` and
    /// a leading `.` become `_`; what exceeds 255 bytes is cut off. The exact name belongs in the properties.
    package static func safeName(_ name: [UInt8]) -> [UInt8]? {
        guard !name.isEmpty else { return nil }
        let underscore = UInt8(ascii: "_")
        var safe = String(decoding: name, as: UTF8.self).unicodeScalars.prefix(maximumNameByteCount).map { scalar in
            switch scalar.value {
            case 0x2f: underscore
            case 0x20...0x7e, 0xa0...0xff: UInt8(scalar.value)
            default: underscore
            }
        }
        if safe.first == UInt8(ascii: ".") { safe[0] = underscore }
        return safe
    }

    /// The bits of a gzip header's fourth byte.
    struct Flags: OptionSet {
        let rawValue: UInt8
        static let headerChecksum = Flags(rawValue: 1 << 1)
        static let extra = Flags(rawValue: 1 << 2)
        static let name = Flags(rawValue: 1 << 3)
        static let comment = Flags(rawValue: 1 << 4)
        static let reserved = Flags(rawValue: 0b1110_0000)
    }

    /// The two bytes that begin a sub-field of the extra field.
    enum SubfieldID {
        static let record = Array("RD".utf8)
        static let properties = Array("RP".utf8)
    }
}

/// Why a header could not be made or read.
package enum GzipMemberHeaderError: Error, Hashable, Sendable {
    /// The bytes end before the header does; try again with at least `needed` bytes from the start of the file.
    case truncated(needed: Int)
    /// No gzip header, or one that contradicts itself; says how.
    case malformed(String)
    /// The properties exceed ``GzipMemberHeader/maximumPropertiesByteCount``.
    case propertiesTooLong(byteCount: Int)
}
