/// Why bytes are not JSON, and where.
package struct JSONParsingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong.
    package enum Code: Sendable, Hashable {
        /// The input ends inside a value.
        case truncated
        /// A byte that cannot stand here.
        case unexpectedByte
        /// A string that is not valid UTF-8.
        case invalidUTF8
        /// More arrays and objects inside each other than allowed.
        case tooDeep
        /// More values than allowed.
        case tooManyValues
        /// A whole value, and then something else than white space.
        case trailingBytes
    }

    package var code: Code
    /// The offset of the first byte that could not be used, from the beginning of the input.
    package var offset: Int

    package init(code: Code, offset: Int) {
        self.code = code
        self.offset = offset
    }

    package var description: String {
        let reason =
            switch self.code {
            case .truncated: "ends too early"
            case .unexpectedByte: "unexpected byte"
            case .invalidUTF8: "invalid UTF-8"
            case .tooDeep: "nested too deeply"
            case .tooManyValues: "too many values"
            case .trailingBytes: "something follows the value"
            }
        return "not JSON: \(reason) at byte \(self.offset)"
    }
}

/// What a tolerant reading of JSON gave.
package struct JSONPrefix: Sendable, Hashable {
    /// What could be read: open arrays and objects closed, the string or number that was cut left out.
    package var value: JSONValue?
    /// What ended the reading before the value was whole; `nil` when it is.
    package var error: JSONParsingError?
    /// How many bytes were read, white space after the value included.
    package var byteCount: Int
    /// Whether a string was not valid UTF-8 and has U+FFFD in it now.
    package var hasRepairs: Bool
    /// Whether some of what was read is left out, because it had more values than ``JSONValue/maximumValueCount``.
    package var hasOmissions: Bool

    /// Whether the value was read to its end; something else may follow it.
    package var isComplete: Bool { self.error == nil }
    /// Whether all that was wrong is that the input ended.
    package var isTruncated: Bool { self.error?.code == .truncated }
}

extension JSONValue {
    /// How deeply arrays and objects may lie inside each other, if nothing else is said.
    package static let defaultMaximumDepth = 128

    /// How deep a document may be that is a document at all. Only ``defaultMaximumDepth`` of it are kept.
    static let longestDepth = 4_096

    /// How many values one reading keeps at most: members, elements, and the outermost value.
    ///
    /// They take some 20 MiB at the worst, and the texts of long strings some seven times their bytes in the input
    /// besides. Documents that are meant to be read have a value for every ten bytes or so.
    package static let maximumValueCount = 1 << 18

    /// Reads one whole JSON value (RFC 8259), with nothing but white space around it.
    ///
    /// Integers beyond 64 bits and fractions become doubles, and what exceeds a double becomes infinite. Half of a
    /// surrogate pair becomes U+FFFD. Of a repeated key the first value stays. More values than ``maximumValueCount``
    /// are a fault.
    /// - Throws: `JSONParsingError` with the first fault and its offset.
    package static func parse(
        _ bytes: ArraySlice<UInt8>, maximumDepth: Int = Self.defaultMaximumDepth
    ) throws(JSONParsingError) -> JSONValue {
        let prefix = bytes.withUnsafeBufferPointer { buffer in
            let bounds = JSONParser.Bounds(depth: maximumDepth, omitsSurplus: false)
            var parser = JSONParser(buffer, bounds: bounds, repairsUTF8: false)
            return parser.run()
        }
        if let error = prefix.error { throw error }
        guard let value = prefix.value else { throw JSONParsingError(code: .truncated, offset: prefix.byteCount) }
        guard prefix.byteCount == bytes.count else {
            throw JSONParsingError(code: .trailingBytes, offset: prefix.byteCount)
        }
        return value
    }

    /// Reads one whole JSON value; see the form for slices.
    package static func parse(
        _ bytes: [UInt8], maximumDepth: Int = Self.defaultMaximumDepth
    ) throws(JSONParsingError) -> JSONValue {
        try self.parse(bytes[...], maximumDepth: maximumDepth)
    }

    /// Reads as much of a JSON value as there is, for input that was cut or damaged.
    ///
    /// Never fails: it ends at the first fault and says what it was. Invalid UTF-8 in strings is repaired with U+FFFD.
    /// The first ``maximumValueCount`` values are kept; those behind them are read for their faults and left out.
    /// - Parameters:
    ///   - bytes: the input.
    ///   - maximumDepth: more arrays and objects inside each other are a fault.
    ///   - keptDepth: what lies inside so many arrays and objects or more is read for its faults and left out.
    /// - Returns: the value as far as it could be read, and what ended the reading.
    package static func parsePrefix(
        _ bytes: ArraySlice<UInt8>, maximumDepth: Int = Self.defaultMaximumDepth, keptDepth: Int = .max
    ) -> JSONPrefix {
        bytes.withUnsafeBufferPointer { buffer in
            let bounds = JSONParser.Bounds(depth: maximumDepth, keptDepth: keptDepth, omitsSurplus: true)
            var parser = JSONParser(buffer, bounds: bounds, repairsUTF8: true)
            return parser.run()
        }
    }

    /// Reads a JSON value as ``parsePrefix(_:maximumDepth:keptDepth:)`` does, with the same faults, and keeps its
    /// outermost members or elements only: arrays and objects among them come out empty.
    package static func outlinePrefix(
        _ bytes: ArraySlice<UInt8>, maximumDepth: Int = Self.defaultMaximumDepth
    ) -> JSONPrefix {
        self.parsePrefix(bytes, maximumDepth: maximumDepth, keptDepth: 1)
    }

    /// Reads the outline of a JSON value; see the form for slices.
    package static func outlinePrefix(_ bytes: [UInt8]) -> JSONPrefix {
        self.outlinePrefix(bytes[...])
    }

    /// Reads as much of a JSON value as there is; see the form for slices.
    package static func parsePrefix(
        _ bytes: [UInt8], maximumDepth: Int = Self.defaultMaximumDepth
    ) -> JSONPrefix {
        self.parsePrefix(bytes[...], maximumDepth: maximumDepth)
    }
}
