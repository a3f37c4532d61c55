/// Reads JSON token by token, without making values of arrays and objects.
///
/// For documents that are too deep to be a value in memory: a stack of 500 calls whose frames lie inside each other. It
/// ends at the first fault, or at the end of the outermost value.
struct JSONWalker {
    enum Token {
        case beginObject
        case beginArray
        /// The innermost array or object ends.
        case end
        case key(String)
        /// A string, a number, a truth value or `null`.
        case scalar(JSONValue)
    }

    private var scanner: JSONScanner
    /// Of each open container whether it is an object.
    private var containers: [Bool] = []
    private var hasEnded = false
    /// Whether the innermost container has had an element or a member, and what comes next is behind a comma.
    private var needsComma = false
    /// Whether the value of a key comes next.
    private var hasKey = false

    init(_ buffer: UnsafeBufferPointer<UInt8>) {
        self.scanner = JSONScanner(buffer, repairsUTF8: true)
    }

    /// The next token; `nil` behind the last one, and from the first fault on.
    mutating func next() -> Token? {
        guard !self.hasEnded else { return nil }
        do throws(JSONParsingError) {
            return try self.readToken()
        } catch {
            self.hasEnded = true
            return nil
        }
    }

    private mutating func readToken() throws(JSONParsingError) -> Token {
        var byte = try self.scanner.nextSignificantByte()
        if let isObject = self.containers.last, !self.hasKey {
            if byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) { return self.endContainer() }
            if self.needsComma {
                guard byte == UInt8(ascii: ",") else { throw self.scanner.unexpectedByte }
                self.scanner.advance()
                byte = try self.scanner.nextSignificantByte()
            }
            if isObject { return try self.readKey(startingWith: byte) }
        }
        self.hasKey = false
        return try self.readValue(startingWith: byte)
    }

    private mutating func readKey(startingWith byte: UInt8) throws(JSONParsingError) -> Token {
        guard byte == UInt8(ascii: "\"") else { throw self.scanner.unexpectedByte }
        let key = try self.scanner.readString()
        guard try self.scanner.nextSignificantByte() == UInt8(ascii: ":") else { throw self.scanner.unexpectedByte }
        self.scanner.advance()
        self.hasKey = true
        return .key(key)
    }

    private mutating func readValue(startingWith byte: UInt8) throws(JSONParsingError) -> Token {
        if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
            self.scanner.advance()
            self.containers.append(byte == UInt8(ascii: "{"))
            self.needsComma = false
            return byte == UInt8(ascii: "{") ? .beginObject : .beginArray
        }
        let value = try self.scanner.readScalar(startingWith: byte, mayEndInput: self.containers.isEmpty)
        self.needsComma = true
        self.hasEnded = self.containers.isEmpty
        return .scalar(value)
    }

    private mutating func endContainer() -> Token {
        self.scanner.advance()
        self.containers.removeLast()
        self.needsComma = true
        self.hasEnded = self.containers.isEmpty
        return .end
    }
}
