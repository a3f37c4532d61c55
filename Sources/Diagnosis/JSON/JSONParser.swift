/// Reads one JSON value from the front of a buffer.
///
/// Open arrays and objects lie on a stack of their own, so that depth costs no stack of the thread. Their elements
/// share one array, and each container takes its tail when it closes. A fault ends the reading; what is open then is
/// closed as it is.
///
/// The memory of what it makes is bounded by ``JSONParser/Bounds``, because a byte of text can become some twenty bytes
/// of values: `[[1],[1],[1]]`.
struct JSONParser {
    /// What a reading does not go beyond.
    struct Bounds {
        /// How many containers may lie inside each other. More of them are a fault.
        var depth = JSONValue.defaultMaximumDepth
        /// What lies inside so many containers or more is read like all else, and left out.
        var keptDepth = Int.max
        /// How many values are kept at most.
        var keptCount = JSONValue.maximumValueCount
        /// Whether more values than that are no fault: they are read like all else, and left out.
        var omitsSurplus: Bool
    }

    private struct Container {
        let isObject: Bool
        /// Whether it becomes a part of the value that is read.
        let isKept: Bool
        /// Whether what lies in it may.
        let keepsContents: Bool
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
    private let bounds: Bounds
    private var containers: [Container] = []
    private var values: [JSONValue] = []
    private var keys: [String] = []
    /// How many values have been kept.
    private var keptCount = 0
    private var hasOmissions = false
    /// Whether the member whose key was read last is kept.
    private var keepsMember = true

    /// - Parameters:
    ///   - buffer: the text.
    ///   - bounds: what the reading does not go beyond.
    ///   - repairsUTF8: whether invalid UTF-8 is no fault.
    init(_ buffer: UnsafeBufferPointer<UInt8>, bounds: Bounds, repairsUTF8: Bool) {
        self.scanner = JSONScanner(buffer, repairsUTF8: repairsUTF8)
        self.bounds = bounds
    }

    /// Decides whether the next member or element is kept.
    private mutating func keepsAnother() throws(JSONParsingError) -> Bool {
        guard self.containers.last?.keepsContents ?? true else { return false }
        guard self.keptCount < self.bounds.keptCount else {
            guard self.bounds.omitsSurplus else {
                throw JSONParsingError(code: .tooManyValues, offset: self.scanner.position)
            }
            self.hasOmissions = true
            return false
        }
        self.keptCount += 1
        return true
    }

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
            hasRepairs: self.scanner.hasRepairs, hasOmissions: self.hasOmissions)
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
        let isMember = self.containers.last?.isObject == true
        let isKept = isMember ? self.keepsMember : try self.keepsAnother()
        if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
            return try self.openContainer(isObject: byte == UInt8(ascii: "{"), isKept: isKept)
        }
        if byte == UInt8(ascii: "\""), !isKept {
            try self.scanner.skipString()
        } else {
            // At the top level nothing has to follow a number; inside, its end is seen only by what follows.
            let value = try self.scanner.readScalar(startingWith: byte, mayEndInput: self.containers.isEmpty)
            if isKept { self.values.append(value) }
        }
        return self.containers.isEmpty ? .nothing : .commaOrEnd
    }

    private mutating func readKey() throws(JSONParsingError) {
        self.keepsMember = try self.keepsAnother()
        guard self.keepsMember else { return try self.scanner.skipString() }
        self.keys.append(try self.scanner.readString())
    }

    private mutating func openContainer(isObject: Bool, isKept: Bool) throws(JSONParsingError) -> Expectation {
        guard self.containers.count < self.bounds.depth else {
            throw JSONParsingError(code: .tooDeep, offset: self.scanner.position)
        }
        self.scanner.advance()
        self.containers.append(
            Container(
                isObject: isObject, isKept: isKept,
                keepsContents: isKept && self.containers.count < self.bounds.keptDepth,
                firstValue: self.values.count, firstKey: self.keys.count))
        return isObject ? .keyOrEnd : .valueOrEnd
    }

    private mutating func finishContainer() -> Expectation {
        self.scanner.advance()
        self.closeContainer()
        return self.containers.isEmpty ? .nothing : .commaOrEnd
    }

    private mutating func closeContainer() {
        guard let container = self.containers.popLast(), container.isKept else { return }
        let closed = container.isObject ? self.object(of: container) : self.array(of: container)
        self.keys.removeLast(self.keys.count - container.firstKey)
        self.values.removeLast(self.values.count - container.firstValue)
        self.values.append(closed)
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
