extension JSONValue: CustomStringConvertible {
    /// The value as compact JSON on one line; see ``write(into:)``.
    package var description: String {
        String(decoding: self.utf8Bytes, as: UTF8.self)
    }

    /// The value as compact JSON on one line, in UTF-8; see ``write(into:)``.
    package var utf8Bytes: [UInt8] {
        var bytes: [UInt8] = []
        self.write(into: &bytes)
        return bytes
    }

    /// Appends the value as compact JSON, without a line feed anywhere.
    ///
    /// Every character that could steer a terminal is escaped: C0, DEL and C1 controls, the line and paragraph
    /// separators and the bidirectional controls. So the output may be printed as it is, whoever wrote the strings.
    /// A double that is not finite has no form in JSON and becomes `null`.
    package func write(into bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): bytes.append(contentsOf: String(value).utf8)
        case .double(let value): bytes.append(contentsOf: (value.isFinite ? value.description : "null").utf8)
        case .string(let value): Self.write(value, into: &bytes)
        case .array(let elements): Self.write(elements, into: &bytes)
        case .object(let object): object.write(into: &bytes)
        }
    }

    private static func write(_ elements: [JSONValue], into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            element.write(into: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    fileprivate static func write(_ text: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            case _ where scalar.isSteering:
                Self.writeEscape(of: scalar, into: &bytes)
            case _ where scalar.isASCII:
                bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            default:
                bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)

    // None of the escaped characters lies outside the basic plane, so four digits are enough.
    private static func writeEscape(of scalar: Unicode.Scalar, into bytes: inout [UInt8]) {
        bytes.append(contentsOf: "\\u".utf8)
        for shift in [12, 8, 4, 0] as [UInt32] {
            bytes.append(self.hexDigits[Int(scalar.value >> shift & 15)])
        }
    }
}

extension JSONObject: CustomStringConvertible {
    /// The object as compact JSON on one line; see ``JSONValue/write(into:)``.
    package var description: String {
        JSONValue.object(self).description
    }

    fileprivate func write(into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        for (index, member) in self.members.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            JSONValue.write(member.key, into: &bytes)
            bytes.append(UInt8(ascii: ":"))
            member.value.write(into: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }
}

extension Unicode.Scalar {
    /// Whether a terminal may obey this character instead of showing it. The other targets have the same rule of their
    /// own, because this one uses no other; a test holds the two together.
    fileprivate var isSteering: Bool {
        switch self.value {
        case 0..<0x20, 0x7f...0x9f: true
        case 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}
