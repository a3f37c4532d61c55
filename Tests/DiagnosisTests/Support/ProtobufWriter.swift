/// Fields of a protocol buffer, one after the other.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    init(_ write: (inout ProtobufWriter) -> Void = { _ in }) {
        write(&self)
    }

    mutating func number(_ field: Int, _ value: UInt64) {
        self.varint(UInt64(field) << 3)
        self.varint(value)
    }

    mutating func text(_ field: Int, _ text: String) {
        self.data(field, Array(text.utf8))
    }

    mutating func data(_ field: Int, _ bytes: [UInt8]) {
        self.varint(UInt64(field) << 3 | 2)
        self.varint(UInt64(bytes.count))
        self.bytes += bytes
    }

    mutating func message(_ field: Int, _ write: (inout ProtobufWriter) -> Void) {
        self.data(field, ProtobufWriter(write).bytes)
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.bytes.append(UInt8(rest))
    }
}
