/// Reads integers from bytes nobody vouches for: what lies outside is `nil`, never a trap.
struct ByteReader {
    let bytes: [UInt8]
    var isBigEndian = false

    func integer<Value: FixedWidthInteger>(_: Value.Type, at offset: Int) -> Value? {
        let byteCount = Value.bitWidth / 8
        guard offset >= 0, offset <= self.bytes.count - byteCount else { return nil }
        var value: Value = 0
        for index in 0..<byteCount {
            let position = self.isBigEndian ? offset + index : offset + byteCount - 1 - index
            value = value << 8 | Value(truncatingIfNeeded: self.bytes[position])
        }
        return value
    }

    /// A stored offset or length, if it lies within the bytes at hand; so sums of a few of them cannot overflow.
    func offset<Value: FixedWidthInteger & UnsignedInteger>(_: Value.Type, at offset: Int) -> Int? {
        guard let value = self.integer(Value.self, at: offset), value <= UInt64(self.bytes.count) else { return nil }
        return Int(value)
    }

    /// The text in a field of fixed length, up to its first NUL.
    func text(at offset: Int, byteCount: Int) -> String? {
        guard offset >= 0, byteCount >= 0, byteCount <= self.bytes.count, offset <= self.bytes.count - byteCount else {
            return nil
        }
        return self.bytes[offset..<offset + byteCount].prefix { $0 != 0 }.trimmed.text
    }
}
