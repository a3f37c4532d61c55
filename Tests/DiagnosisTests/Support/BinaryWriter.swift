/// Integers and texts one after the other, as a file of that byte order has them.
struct BinaryWriter {
    var bytes: [UInt8] = []
    var isBigEndian = false

    mutating func append<Value: FixedWidthInteger>(_: Value.Type, _ values: Value...) {
        for value in values { self.append(value) }
    }

    mutating func append(_ value: some FixedWidthInteger) {
        self.bytes += self.ordered(value)
    }

    /// An integer of 8 or 4 bytes.
    mutating func append(word value: UInt64, byteCount: Int) {
        if byteCount == 8 { self.append(value) } else { self.append(UInt32(truncatingIfNeeded: value)) }
    }

    mutating func append(_ text: String, paddedTo count: Int) {
        self.bytes += Array(text.utf8) + [UInt8](repeating: 0, count: count - text.utf8.count)
    }

    mutating func pad(to count: Int) {
        self.bytes += [UInt8](repeating: 0, count: max(0, count - self.bytes.count))
    }

    /// Replaces bytes that are there.
    mutating func put(_ value: some FixedWidthInteger, at offset: Int) {
        let bytes = self.ordered(value)
        self.bytes.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    mutating func put(word value: UInt64, byteCount: Int, at offset: Int) {
        if byteCount == 8 {
            self.put(value, at: offset)
        } else {
            self.put(UInt32(truncatingIfNeeded: value), at: offset)
        }
    }

    mutating func put(_ text: String, at offset: Int) {
        self.bytes.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }

    private func ordered<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: self.isBigEndian ? value.bigEndian : value.littleEndian) { Array($0) }
    }
}
