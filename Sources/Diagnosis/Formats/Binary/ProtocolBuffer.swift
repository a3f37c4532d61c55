/// A message of a protocol buffer, field by field, without its schema.
///
/// The fields of the outermost message and those of the messages in it are read only as far as somebody asks for them;
/// nothing recurses. A message that is cut gives the fields up to the cut, the last one as far as it is there.
package struct ProtocolBuffer: Sequence, IteratorProtocol {
    package enum Value {
        case number(UInt64)
        /// A text, bytes, or a message within the message.
        case bytes(ArraySlice<UInt8>)
    }

    private var rest: ArraySlice<UInt8>

    package init(_ bytes: ArraySlice<UInt8>) {
        self.rest = bytes
    }

    /// The next field with its number; `nil` at the end, and where no field can be read.
    package mutating func next() -> (number: Int, value: Value)? {
        guard let key = self.varint(), let number = Int(exactly: key >> 3), number > 0 else { return nil }
        switch key & 7 {
        case 0: return self.varint().map { (number, .number($0)) }
        case 1: return self.fixed(8).map { (number, .number($0)) }
        case 5: return self.fixed(4).map { (number, .number($0)) }
        case 2:
            guard let length = self.varint() else { return nil }
            let content = self.rest.prefix(Int(clamping: length))
            self.rest = self.rest[content.endIndex...]
            return (number, .bytes(content))
        default: return nil
        }
    }

    private mutating func fixed(_ count: Int) -> UInt64? {
        guard self.rest.count >= count else { return nil }
        var value: UInt64 = 0
        for byte in self.rest.prefix(count).reversed() { value = value << 8 | UInt64(byte) }
        self.rest = self.rest.dropFirst(count)
        return value
    }

    /// Seven bits a byte, the lowest ones first, at most ten bytes.
    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for (index, byte) in self.rest.prefix(10).enumerated() {
            value |= UInt64(byte & 0x7f) << UInt64(7 * index)
            if byte < 0x80 {
                self.rest = self.rest.dropFirst(index + 1)
                return value
            }
        }
        return nil
    }
}

extension ProtocolBuffer.Value {
    package var number: UInt64? {
        guard case .number(let number) = self else { return nil }
        return number
    }

    /// A number that is stored as the 64 bits of a signed one.
    package var signedNumber: Int64? {
        self.number.map { Int64(bitPattern: $0) }
    }

    package var bytes: ArraySlice<UInt8>? {
        guard case .bytes(let bytes) = self else { return nil }
        return bytes
    }

    var text: String? {
        self.bytes?.text.nonEmpty
    }

    var isTrue: Bool {
        self.number.map { $0 != 0 } ?? false
    }

    /// A text that may be longer than a name.
    package var longText: String? {
        self.bytes.map { String(decoding: $0.prefix(Crash.Bounds.messageByteCount), as: UTF8.self) }?.nonEmpty
    }

    package var message: ProtocolBuffer {
        ProtocolBuffer(self.bytes ?? [])
    }
}
