/// Reads the tokens of JSON: strings, numbers and words, byte by byte.
struct JSONScanner {
    private let buffer: UnsafeBufferPointer<UInt8>
    private let repairsUTF8: Bool
    /// The offset of the next byte.
    private(set) var position = 0
    /// Whether a string was not valid UTF-8 and has U+FFFD in it now.
    private(set) var hasRepairs = false

    init(_ buffer: UnsafeBufferPointer<UInt8>, repairsUTF8: Bool) {
        self.buffer = buffer
        self.repairsUTF8 = repairsUTF8
    }

    /// The fault of a byte that cannot stand here.
    var unexpectedByte: JSONParsingError {
        JSONParsingError(code: .unexpectedByte, offset: self.position)
    }

    private var truncated: JSONParsingError {
        JSONParsingError(code: .truncated, offset: self.buffer.count)
    }

    mutating func advance() {
        self.position += 1
    }

    mutating func skipWhiteSpace() {
        while self.position < self.buffer.count {
            switch self.buffer[self.position] {
            case 0x20, 0x0a, 0x0d, 0x09: self.position += 1
            default: return
            }
        }
    }

    /// The next byte that is not white space; it stays the next one.
    mutating func nextSignificantByte() throws(JSONParsingError) -> UInt8 {
        self.skipWhiteSpace()
        guard self.position < self.buffer.count else { throw self.truncated }
        return self.buffer[self.position]
    }

    /// Reads a string, a number or a word.
    /// - Parameters:
    ///   - byte: the next byte.
    ///   - mayEndInput: whether the input may end behind a number; see ``readNumber(mayEndInput:)``.
    /// - Returns: the value.
    /// - Throws: `JSONParsingError` with the first fault.
    mutating func readScalar(startingWith byte: UInt8, mayEndInput: Bool) throws(JSONParsingError) -> JSONValue {
        switch byte {
        case UInt8(ascii: "\""):
            return .string(try self.readString())
        case UInt8(ascii: "t"):
            try self.readWord("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try self.readWord("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try self.readWord("null")
            return .null
        default:
            return try self.readNumber(mayEndInput: mayEndInput)
        }
    }

    /// Reads `true`, `false` or `null`.
    mutating func readWord(_ word: StaticString) throws(JSONParsingError) {
        let start = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        for byte in start {
            guard self.position < self.buffer.count else { throw self.truncated }
            guard self.buffer[self.position] == byte else { throw self.unexpectedByte }
            self.position += 1
        }
    }

    // MARK: - Strings

    /// Reads a string, from its opening to its closing quote.
    mutating func readString() throws(JSONParsingError) -> String {
        let start = self.position + 1
        self.position = start
        try self.skipPlainBytes()
        if self.buffer[self.position] == UInt8(ascii: "\"") {
            let text = try self.text(of: UnsafeBufferPointer(rebasing: self.buffer[start..<self.position]), at: start)
            self.position += 1
            return text
        }
        return try self.readRestOfString(from: start)
    }

    /// Reads a string like all others, for its faults alone.
    mutating func skipString() throws(JSONParsingError) {
        let start = self.position + 1
        self.position = start
        try self.skipPlainBytes()
        guard self.buffer[self.position] == UInt8(ascii: "\"") else {
            _ = try self.readRestOfString(from: start)
            return
        }
        let bytes = UnsafeBufferPointer(rebasing: self.buffer[start..<self.position])
        if !bytes.allSatisfy({ $0 < 0x80 }) { _ = try self.text(of: bytes, at: start) }
        self.position += 1
    }

    /// Ends at a quote or a backslash.
    private mutating func skipPlainBytes() throws(JSONParsingError) {
        while self.position < self.buffer.count {
            let byte = self.buffer[self.position]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return }
            guard byte >= 0x20 else { throw self.unexpectedByte }
            self.position += 1
        }
        throw self.truncated
    }

    private mutating func readRestOfString(from start: Int) throws(JSONParsingError) -> String {
        var bytes: [UInt8] = []
        var plain = start
        while true {
            try self.skipPlainBytes()
            bytes.append(contentsOf: self.buffer[plain..<self.position])
            if self.buffer[self.position] == UInt8(ascii: "\"") { break }
            let scalar = try self.readEscape()
            bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            plain = self.position
        }
        self.position += 1
        return try bytes.withUnsafeBufferPointer { bytes throws(JSONParsingError) in
            try self.text(of: bytes, at: start)
        }
    }

    private mutating func text(
        of bytes: UnsafeBufferPointer<UInt8>, at start: Int
    ) throws(JSONParsingError) -> String {
        // Nearly all of them, and for those the general way costs more than all else together.
        if bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        guard self.repairsUTF8 else { throw JSONParsingError(code: .invalidUTF8, offset: start) }
        self.hasRepairs = true
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads one escape sequence; both of them for a surrogate pair.
    private mutating func readEscape() throws(JSONParsingError) -> Unicode.Scalar {
        guard self.position + 1 < self.buffer.count else { throw self.truncated }
        self.position += 1
        let byte = self.buffer[self.position]
        if byte == UInt8(ascii: "u") { return try self.readUnicodeEscape() }
        let scalar: Unicode.Scalar? =
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): Unicode.Scalar(byte)
            case UInt8(ascii: "b"): "\u{8}"
            case UInt8(ascii: "f"): "\u{c}"
            case UInt8(ascii: "n"): "\n"
            case UInt8(ascii: "r"): "\r"
            case UInt8(ascii: "t"): "\t"
            default: nil
            }
        guard let scalar else { throw self.unexpectedByte }
        self.position += 1
        return scalar
    }

    private mutating func readUnicodeEscape() throws(JSONParsingError) -> Unicode.Scalar {
        let first = try self.readFourDigits()
        guard (0xd800..<0xdc00).contains(first) else { return Unicode.Scalar(first) ?? "\u{fffd}" }
        let next = self.position
        guard next + 1 < self.buffer.count, self.buffer[next] == UInt8(ascii: "\\"),
            self.buffer[next + 1] == UInt8(ascii: "u")
        else { return "\u{fffd}" }
        self.position += 1
        let second = try self.readFourDigits()
        guard (0xdc00..<0xe000).contains(second) else {
            // Not its other half: left for the next turn, which may find a character of its own there.
            self.position = next
            return "\u{fffd}"
        }
        return Unicode.Scalar(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)) ?? "\u{fffd}"
    }

    /// Reads the digits after the `u` that is the next byte.
    private mutating func readFourDigits() throws(JSONParsingError) -> UInt32 {
        self.position += 1
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard self.position < self.buffer.count else { throw self.truncated }
            guard let digit = self.buffer[self.position].hexValue else { throw self.unexpectedByte }
            value = value << 4 | UInt32(digit)
            self.position += 1
        }
        return value
    }

    // MARK: - Numbers

    /// Reads a number, as an integer if it is written as one and fits.
    ///
    /// Unless it may end the input, a number that reaches the last byte counts as cut.
    mutating func readNumber(mayEndInput: Bool) throws(JSONParsingError) -> JSONValue {
        let start = self.position
        let isNegative = self.buffer[start] == UInt8(ascii: "-")
        if isNegative { self.position += 1 }
        let digits = self.position
        var magnitude: UInt64 = 0
        var fits = true
        while let digit = self.digitHere {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            fits = fits && !overflow && !carry
            magnitude = sum
            self.position += 1
        }
        try self.requireDigit(after: digits)
        guard self.position == digits + 1 || self.buffer[digits] != UInt8(ascii: "0") else {
            self.position = digits + 1
            throw self.unexpectedByte
        }
        let isWhole = try self.skipFraction()
        guard mayEndInput || self.position < self.buffer.count else { throw self.truncated }
        if isWhole, fits, let value = Self.integer(magnitude, isNegative: isNegative) { return .integer(value) }
        let text = String(decoding: self.buffer[start..<self.position], as: UTF8.self)
        return .double(Double(text) ?? (isNegative ? -.infinity : .infinity))
    }

    /// Whether there was neither fraction nor exponent.
    private mutating func skipFraction() throws(JSONParsingError) -> Bool {
        var isWhole = true
        if self.position < self.buffer.count, self.buffer[self.position] == UInt8(ascii: ".") {
            isWhole = false
            self.position += 1
            try self.skipDigits()
        }
        if self.position < self.buffer.count, self.buffer[self.position] | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            self.position += 1
            if self.position < self.buffer.count,
                self.buffer[self.position] == UInt8(ascii: "+") || self.buffer[self.position] == UInt8(ascii: "-")
            {
                self.position += 1
            }
            try self.skipDigits()
        }
        return isWhole
    }

    private mutating func skipDigits() throws(JSONParsingError) {
        let start = self.position
        while self.digitHere != nil { self.position += 1 }
        try self.requireDigit(after: start)
    }

    private func requireDigit(after start: Int) throws(JSONParsingError) {
        guard self.position == start else { return }
        throw self.position < self.buffer.count ? self.unexpectedByte : self.truncated
    }

    private var digitHere: UInt8? {
        guard self.position < self.buffer.count else { return nil }
        let digit = self.buffer[self.position] &- UInt8(ascii: "0")
        return digit < 10 ? digit : nil
    }

    private static func integer(_ magnitude: UInt64, isNegative: Bool) -> Int64? {
        guard isNegative else { return Int64(exactly: magnitude) }
        // A negative zero is a double; as an integer it would lose its sign.
        guard magnitude > 0 else { return nil }
        return magnitude <= UInt64(Int64.max) + 1 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
    }
}
