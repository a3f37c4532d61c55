/// Writes a message of a protocol buffer (proto3), field by field.
///
/// Each call writes one field, whatever its value: a caller leaves out a field that has its default.
struct ProtobufWriter: Sendable {
    private(set) var bytes: [UInt8] = []

    init() {}

    /// Makes the bytes of a message.
    static func message(_ write: (inout ProtobufWriter) -> Void) -> [UInt8] {
        var writer = ProtobufWriter()
        write(&writer)
        return writer.bytes
    }

    /// A number of a variable size: `int64`, `bool`, or an enumeration. A negative `int64` is the number with the same
    /// 64 bits.
    mutating func write(_ field: Int, varint value: UInt64) {
        key(field, .varint)
        varint(value)
    }

    /// A `fixed64`.
    mutating func write(_ field: Int, fixed value: UInt64) {
        key(field, .fixed)
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// A `string`.
    mutating func write(_ field: Int, text value: String) {
        key(field, .sized)
        varint(UInt64(value.utf8.count))
        bytes += Array(value.utf8)
    }

    /// A message within the message.
    mutating func write(_ field: Int, message content: (inout ProtobufWriter) -> Void) {
        let content = Self.message(content)
        key(field, .sized)
        varint(UInt64(content.count))
        bytes += content
    }

    private enum Form: UInt64 {
        case varint = 0
        case fixed = 1
        case sized = 2
    }

    private mutating func key(_ field: Int, _ form: Form) {
        varint(UInt64(field) << 3 | form.rawValue)
    }

    /// Seven bits a byte, the lowest ones first.
    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}
