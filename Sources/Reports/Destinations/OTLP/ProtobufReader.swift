import Diagnosis

/// Reads a message of a protocol buffer without its schema, and strictly: bytes behind the last whole field, or a field
/// that is cut, make it none. So a text is not taken for a message.
struct ProtobufReader {
    private var rest: ArraySlice<UInt8>

    /// The fields of a message, in their order; `nil` when the bytes are none.
    static func fields(of bytes: ArraySlice<UInt8>) -> [(number: Int, value: ProtocolBuffer.Value)]? {
        var reader = ProtobufReader(rest: bytes)
        var fields: [(number: Int, value: ProtocolBuffer.Value)] = []
        while !reader.rest.isEmpty {
            guard let field = reader.field() else { return nil }
            fields.append(field)
        }
        return fields
    }

    private mutating func field() -> (number: Int, value: ProtocolBuffer.Value)? {
        guard let key = varint(), let number = Int(exactly: key >> 3), number > 0 else { return nil }
        switch key & 7 {
        case 0: return varint().map { (number, .number($0)) }
        case 1: return bytes(8).map { (number, .bytes($0)) }
        case 2: return varint().flatMap { bytes(Int(clamping: $0)) }.map { (number, .bytes($0)) }
        case 5: return bytes(4).map { (number, .bytes($0)) }
        default: return nil
        }
    }

    private mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// Seven bits a byte, the lowest ones first, at most ten bytes.
    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for (index, byte) in rest.prefix(10).enumerated() {
            value |= UInt64(byte & 0x7f) << UInt64(7 * index)
            if byte < 0x80 {
                rest = rest.dropFirst(index + 1)
                return value
            }
        }
        return nil
    }
}
