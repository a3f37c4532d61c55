/// Reads integers from a payload that nobody vouches for: what lies outside of the window is `nil`, never a trap.
///
/// Offsets count from the beginning of the payload, in its head and in its tail.
struct ByteReader {
    private let head: ArraySlice<UInt8>
    private let tail: ArraySlice<UInt8>
    /// How many bytes the payload has.
    let byteCount: Int
    var isBigEndian: Bool

    init(_ window: PayloadWindow, isBigEndian: Bool = false) {
        (self.head, self.tail, self.byteCount) = (window.head, window.tail, window.byteCount)
        self.isBigEndian = isBigEndian
    }

    /// A window onto bytes that are all there.
    init(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool = false) {
        (self.head, self.tail, self.byteCount) = (bytes, [], bytes.count)
        self.isBigEndian = isBigEndian
    }

    /// The bytes of a range, if all of them are in the window, on one side of its gap.
    func bytes(at offset: Int, count: Int) -> ArraySlice<UInt8>? {
        guard offset >= 0, count >= 0, count <= self.byteCount, offset <= self.byteCount - count else { return nil }
        if offset <= self.head.count - count { return self.head.dropFirst(offset).prefix(count) }
        let start = offset - (self.byteCount - self.tail.count)
        return start >= 0 ? self.tail.dropFirst(start).prefix(count) : nil
    }

    /// The bytes from an offset on, as many of them as the window has without a gap, at most `limit`.
    func available(at offset: Int, limit: Int) -> ArraySlice<UInt8> {
        guard offset >= 0, limit > 0, offset < self.byteCount else { return [] }
        if offset < self.head.count { return self.head.dropFirst(offset).prefix(limit) }
        let start = offset - (self.byteCount - self.tail.count)
        return start >= 0 ? self.tail.dropFirst(start).prefix(limit) : []
    }

    func integer<Value: FixedWidthInteger>(_: Value.Type, at offset: Int) -> Value? {
        guard let bytes = self.bytes(at: offset, count: Value.bitWidth / 8) else { return nil }
        var value: Value = 0
        if self.isBigEndian {
            for byte in bytes { value = value << 8 | Value(truncatingIfNeeded: byte) }
        } else {
            for byte in bytes.reversed() { value = value << 8 | Value(truncatingIfNeeded: byte) }
        }
        return value
    }

    /// A stored offset or length, if it lies within the payload; so sums of a few of them cannot overflow.
    func offset<Value: FixedWidthInteger & UnsignedInteger>(_: Value.Type, at offset: Int) -> Int? {
        guard let value = self.integer(Value.self, at: offset), value <= UInt64(self.byteCount) else { return nil }
        return Int(value)
    }

    /// The text in a field of fixed length, up to its first NUL.
    func text(at offset: Int, byteCount: Int) -> String? {
        self.bytes(at: offset, count: byteCount).map { $0.prefix { $0 != 0 }.trimmed.text }
    }
}
