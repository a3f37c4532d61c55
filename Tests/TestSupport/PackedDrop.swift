/// A packed drop as a program without zlib writes it: one gzip member with an `RP` sub-field, in stored blocks.
///
/// All of it is made here by RFC 1951 and 1952, so that nothing of what is tested makes its own input.
package struct PackedDrop: Sendable {
    package var payload: [UInt8]
    /// The text of `RP`; `nil` leaves the sub-field out.
    package var properties: String?
    /// What else the extra field holds, before `RP`.
    package var otherFields: [UInt8] = []
    /// FNAME.
    package var fileName: [UInt8]?

    package init(_ payload: String, properties: String? = #"{"v":1}"#) {
        self.init(Array(payload.utf8), properties: properties)
    }

    package init(_ payload: [UInt8], properties: String? = #"{"v":1}"#) {
        self.payload = payload
        self.properties = properties
    }

    /// The member.
    package var bytes: [UInt8] { header + Self.blocks(payload) + trailer }

    package var header: [UInt8] {
        var extra = otherFields
        if let properties { extra += Self.field("RP", Array(properties.utf8)) }
        let flags: UInt8 = (extra.isEmpty ? 0 : 4) | (fileName == nil ? 0 : 8)
        var header: [UInt8] = [0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 0xff]
        if !extra.isEmpty { header += Self.littleEndian(UInt16(extra.count)) + extra }
        if let fileName { header += fileName + [0] }
        return header
    }

    package var trailer: [UInt8] {
        Self.littleEndian(Self.checksum(payload)) + Self.littleEndian(UInt32(truncatingIfNeeded: payload.count))
    }

    /// A sub-field of the extra field.
    package static func field(_ id: StaticString, _ data: [UInt8]) -> [UInt8] {
        id.withUTF8Buffer { Array($0) } + littleEndian(UInt16(data.count)) + data
    }

    /// A deflate stream of stored blocks.
    private static func blocks(_ payload: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = []
        var rest = payload[...]
        repeat {
            let block = rest.prefix(Int(UInt16.max))
            rest = rest.dropFirst(block.count)
            let count = UInt16(block.count)
            stream += [rest.isEmpty ? 1 : 0] + littleEndian(count) + littleEndian(~count) + block
        } while !rest.isEmpty
        return stream
    }

    private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// CRC-32, bit by bit.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xedb8_8320 : sum >> 1 }
        }
    }
}
