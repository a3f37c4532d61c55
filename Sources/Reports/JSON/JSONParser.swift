/// Reads one JSON value from the front of a buffer.
///
/// Open arrays and objects lie on a stack of their own, so that depth costs no stack of the thread. Their elements
/// share one array, and each container takes its tail when it closes. A fault ends the reading; what is open then is
/// closed as it is.
struct JSONParser {
    private struct Container {
        let isObject: Bool
        /// Where its elements begin in `values`.
        let firstValue: Int
        /// Where its keys begin in `keys`.
        let firstKey: Int
    }

    /// What may come next.
    private enum Expectation {
        case value
        case valueOrEnd
        case keyOrEnd
        case key
        case commaOrEnd
        case nothing
    }

    private var scanner: JSONScanner
    private let maximumDepth: Int
    private let keptDepth: Int
    private var containers: [Container] = []
    private var values: [JSONValue] = []
    private var keys: [String] = []

    /// - Parameters:
    ///   - buffer: the text.
    ///   - maximumDepth: more containers inside each other are a fault.
    ///   - keptDepth: what lies inside so many containers or more is read like all else, and left out.
    ///   - repairsUTF8: whether invalid UTF-8 is no fault.
    init(_ buffer: UnsafeBufferPointer<UInt8>, maximumDepth: Int, keptDepth: Int = .max, repairsUTF8: Bool) {
        self.scanner = JSONScanner(buffer, repairsUTF8: repairsUTF8)
        self.maximumDepth = maximumDepth
        self.keptDepth = keptDepth
    }

    private var isKept: Bool { self.containers.count <= self.keptDepth }

    /// Reads the value and the white space around it.
    mutating func run() -> JSONPrefix {
        var fault: JSONParsingError?
        do throws(JSONParsingError) {
            var expectation = Expectation.value
            while expectation != .nothing {
                expectation = try self.step(expectation)
            }
            self.scanner.skipWhiteSpace()
        } catch {
            fault = error
            while !self.containers.isEmpty { self.closeContainer() }
        }
        return JSONPrefix(
            value: self.values.first, error: fault, byteCount: self.scanner.position,
            hasRepairs: self.scanner.hasRepairs)
    }

    private mutating func step(_ expectation: Expectation) throws(JSONParsingError) -> Expectation {
        let byte = try self.scanner.nextSignificantByte()
        switch (expectation, byte) {
        case (.valueOrEnd, UInt8(ascii: "]")), (.keyOrEnd, UInt8(ascii: "}")):
            return self.finishContainer()
        case (.value, _), (.valueOrEnd, _):
            return try self.readValue(startingWith: byte)
        case (.keyOrEnd, UInt8(ascii: "\"")), (.key, UInt8(ascii: "\"")):
            try self.readKey()
            guard try self.scanner.nextSignificantByte() == UInt8(ascii: ":") else { throw self.scanner.unexpectedByte }
            self.scanner.advance()
            return .value
        case (.commaOrEnd, UInt8(ascii: ",")):
            self.scanner.advance()
            return self.containers.last?.isObject == true ? .key : .value
        case (.commaOrEnd, UInt8(ascii: "]")) where self.containers.last?.isObject == false,
            (.commaOrEnd, UInt8(ascii: "}")) where self.containers.last?.isObject == true:
            return self.finishContainer()
        default:
            throw self.scanner.unexpectedByte
        }
    }

    private mutating func readValue(startingWith byte: UInt8) throws(JSONParsingError) -> Expectation {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            return try self.openContainer(isObject: byte == UInt8(ascii: "{"))
        case UInt8(ascii: "\"") where !self.isKept:
            try self.scanner.skipString()
        case UInt8(ascii: "\""):
            self.keep(.string(try self.scanner.readString()))
        case UInt8(ascii: "t"):
            try self.scanner.readWord("true")
            self.keep(.bool(true))
        case UInt8(ascii: "f"):
            try self.scanner.readWord("false")
            self.keep(.bool(false))
        case UInt8(ascii: "n"):
            try self.scanner.readWord("null")
            self.keep(.null)
        default:
            // At the top level nothing has to follow a number; inside, its end is seen only by what follows.
            self.keep(try self.scanner.readNumber(mayEndInput: self.containers.isEmpty))
        }
        return self.containers.isEmpty ? .nothing : .commaOrEnd
    }

    private mutating func readKey() throws(JSONParsingError) {
        guard self.isKept else { return try self.scanner.skipString() }
        self.keys.append(try self.scanner.readString())
    }

    private mutating func keep(_ value: JSONValue) {
        if self.isKept { self.values.append(value) }
    }

    private mutating func openContainer(isObject: Bool) throws(JSONParsingError) -> Expectation {
        guard self.containers.count < self.maximumDepth else {
            throw JSONParsingError(code: .tooDeep, offset: self.scanner.position)
        }
        self.scanner.advance()
        self.containers.append(
            Container(isObject: isObject, firstValue: self.values.count, firstKey: self.keys.count))
        return isObject ? .keyOrEnd : .valueOrEnd
    }

    private mutating func finishContainer() -> Expectation {
        self.scanner.advance()
        self.closeContainer()
        return self.containers.isEmpty ? .nothing : .commaOrEnd
    }

    private mutating func closeContainer() {
        guard let container = self.containers.popLast() else { return }
        let closed = container.isObject ? self.object(of: container) : self.array(of: container)
        self.keys.removeLast(self.keys.count - container.firstKey)
        self.values.removeLast(self.values.count - container.firstValue)
        self.keep(closed)
    }

    // Apart from what removes the elements: a slice that is still alive then would have all of them copied.

    private func object(of container: Container) -> JSONValue {
        var members: [JSONObject.Member] = []
        // A key whose value was cut is one more key than values.
        let count = min(self.keys.count - container.firstKey, self.values.count - container.firstValue)
        members.reserveCapacity(count)
        for index in 0..<count {
            let (key, value) = (self.keys[container.firstKey + index], self.values[container.firstValue + index])
            members.append(JSONObject.Member(key: key, value: value))
        }
        return .object(JSONObject(members))
    }

    private func array(of container: Container) -> JSONValue {
        .array(Array(self.values[container.firstValue...]))
    }
}
