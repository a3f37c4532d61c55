import Diagnosis
import DurableIO

/// What is wrong in a JSON text that a person wrote: where, and what belongs there instead.
///
/// The words hold at most one character of the text, and names of settings: a value may be a secret.
struct JSONSlip {
    let offset: Int
    let text: String

    private init(_ offset: Int, _ text: String) {
        self.offset = offset
        self.text = text
    }

    /// - Parameters:
    ///   - error: what the parser says of the text.
    ///   - bytes: the text.
    init(_ error: JSONParsingError, in bytes: [UInt8]) {
        let offset = min(error.offset, bytes.count)
        let context = Context(bytes[..<offset])
        self =
            switch error.code {
            case .invalidUTF8: JSONSlip(offset, "is not UTF-8: save the file as UTF-8")
            case .tooDeep: JSONSlip(offset, "brackets are nested too deeply")
            case .tooManyValues: JSONSlip(offset, "too many values: leave out what is no setting")
            case .truncated, .unexpectedByte, .trailingBytes:
                if let start = context.openString {
                    Self.inString(from: start, at: offset, bytes)
                } else if offset == bytes.count {
                    Self.atEnd(context, bytes)
                } else {
                    Self.character(at: offset, context, bytes) ?? Self.token(at: offset, context, bytes)
                }
            }
    }

    // MARK: - In a text

    private static func inString(from start: Int, at offset: Int, _ bytes: [UInt8]) -> JSONSlip {
        let isEscaped = offset > start + 1 && bytes[offset - 1] == UInt8(ascii: "\\")
        guard offset < bytes.count, bytes[offset] != 0x0a, bytes[offset] != 0x0d else {
            return JSONSlip(start, "the string that begins here has no end: close it with \"")
        }
        if bytes[offset] == 0x09 { return JSONSlip(offset, "a tab cannot stand in a text: write \\t") }
        if bytes[offset] < 0x20 { return JSONSlip(offset, "a control character cannot stand in a text: remove it") }
        if isEscaped { return JSONSlip(offset - 1, "a backslash in a text is written \\\\") }
        return JSONSlip(offset, "expected four hexadecimal digits behind \\u")
    }

    private static func atEnd(_ context: Context, _ bytes: [UInt8]) -> JSONSlip {
        guard let open = context.open.last else {
            return JSONSlip(bytes.count, "expected a JSON object, as {\"endpoint\": \"https://…\"}, found nothing")
        }
        let line = TextPlace(offset: open.offset, in: bytes).line
        return JSONSlip(
            bytes.count, "the file ends before the \(open.character) of line \(line) has its \(open.closing)")
    }

    // MARK: - Characters that stand nowhere in JSON

    private static func character(at offset: Int, _ context: Context, _ bytes: [UInt8]) -> JSONSlip? {
        let next = offset + 1 < bytes.count ? bytes[offset + 1] : 0
        switch bytes[offset] {
        case UInt8(ascii: "#"):
            return JSONSlip(offset, "comments are not allowed in JSON: remove it")
        case UInt8(ascii: "/") where next == UInt8(ascii: "/") || next == UInt8(ascii: "*"):
            return JSONSlip(offset, "comments are not allowed in JSON: remove it")
        case UInt8(ascii: "'"), UInt8(ascii: "`"):
            return JSONSlip(offset, "names and strings need straight double quotes (\")")
        case 0x80...:
            return nonASCII(at: offset, bytes)
        case 0..<0x20, 0x7f:
            return JSONSlip(offset, "a control character cannot stand here: remove it")
        default:
            return nil
        }
    }

    private static func nonASCII(at offset: Int, _ bytes: [UInt8]) -> JSONSlip? {
        guard let scalar = String(decoding: bytes[offset...].prefix(4), as: UTF8.self).unicodeScalars.first,
            scalar != "\u{fffd}"
        else { return JSONSlip(offset, "is not UTF-8: save the file as UTF-8") }
        let properties = scalar.properties
        switch properties.generalCategory {
        case .initialPunctuation, .finalPunctuation, .openPunctuation, .closePunctuation, .modifierSymbol:
            return JSONSlip(offset, "names and strings need straight double quotes (\"), found \(scalar)")
        case .spaceSeparator, .lineSeparator, .paragraphSeparator, .format, .control:
            let code = String(scalar.value, radix: 16, uppercase: true)
            return JSONSlip(
                offset,
                "an invisible character (U+\(String(repeating: "0", count: max(0, 4 - code.count)) + code)) "
                    + "cannot stand here: remove it")
        default:
            return nil
        }
    }

    // MARK: - What stands where something else belongs

    private static func token(at offset: Int, _ context: Context, _ bytes: [UInt8]) -> JSONSlip {
        let byte = bytes[offset]
        if let slip = bracketOrComma(byte, at: offset, context, bytes) { return slip }
        if let cut = valuePart(at: offset, bytes) { return JSONSlip(offset, cut) }
        switch context.expectation {
        case .name where isWordByte(byte):
            let word = String(decoding: bytes[offset...].prefix(while: isWordByte), as: UTF8.self)
            let isKnown = SettingsFile.memberNames.contains(word)
            return JSONSlip(
                offset, "names stand in double quotes: write \(isKnown ? "\"\(word)\"" : "\" before and behind it")")
        case .name: return JSONSlip(offset, "expected a name in double quotes")
        case .colon where byte == UInt8(ascii: "="): return JSONSlip(offset, "write : instead of =")
        case .colon: return JSONSlip(offset, "expected : between a name and its value")
        case .value:
            return JSONSlip(
                offset,
                "expected a value: a text in double quotes, a number, {\"file\": PATH} or {\"environment\": NAME}")
        case .comma where byte == UInt8(ascii: ";"): return JSONSlip(offset, "write , instead of ;")
        case .comma where isWordByte(byte) && context.previous.map { isWordByte(bytes[$0]) } == true:
            return JSONSlip(offset, unit)
        case .comma: return JSONSlip(offset, "expected a comma before this")
        case .nothing: return JSONSlip(offset, "something follows the end of the object: remove it")
        }
    }

    private static func bracketOrComma(
        _ byte: UInt8, at offset: Int, _ context: Context, _ bytes: [UInt8]
    ) -> JSONSlip? {
        let isClosing = byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
        guard let previous = context.previous, isClosing || byte == UInt8(ascii: ",") else { return nil }
        let character = Character(UnicodeScalar(byte))
        switch bytes[previous] {
        case UInt8(ascii: ",") where isClosing:
            return JSONSlip(previous, "a comma before \(character) is not allowed in JSON: remove it")
        case UInt8(ascii: ","), UInt8(ascii: "{"), UInt8(ascii: "["):
            guard !isClosing else { break }
            return JSONSlip(offset, "nothing stands before this comma: remove it")
        case UInt8(ascii: ":"):
            return JSONSlip(offset, "expected a value before this \(character)")
        default: break
        }
        guard isClosing, let open = context.open.last, open.closing != character else { return nil }
        let line = TextPlace(offset: open.offset, in: bytes).line
        return JSONSlip(
            offset, "expected \(open.closing) for the \(open.character) of line \(line), found \(character)")
    }

    /// When the parser stopped inside a number or a word.
    private static func valuePart(at offset: Int, _ bytes: [UInt8]) -> String? {
        guard offset > 0 else { return nil }
        let word = bytes[..<offset].reversed().prefix(while: isWordByte).reversed()
        if word.isEmpty { return ".+-".utf8.contains(bytes[offset - 1]) ? "expected a digit" : nil }
        if ["t", "tr", "tru", "f", "fa", "fal", "fals", "n", "nu", "nul"].contains(
            String(decoding: word, as: UTF8.self))
        {
            return "expected true, false or null"
        }
        guard word.allSatisfy(\.isASCIIDigit), isWordByte(bytes[offset]) else { return nil }
        return word.elementsEqual([0x30])
            ? "a number does not begin with 0" : unit
    }

    private static let unit = "a value with a unit stands in double quotes, as \"8 GiB\""

    private static func isWordByte(_ byte: UInt8) -> Bool {
        byte.isASCIIAlphanumeric || byte == UInt8(ascii: "_")
    }
}

extension JSONSlip {
    /// What a JSON text is in the middle of, at the end of its part that can be read.
    fileprivate struct Context {
        struct Bracket {
            let offset: Int
            let character: Character

            var closing: Character { character == "{" ? "}" : "]" }
        }

        enum Expectation {
            case name
            case colon
            case value
            case comma
            case nothing
        }

        private(set) var open: [Bracket] = []
        /// Where a string begins that has no end.
        private(set) var openString: Int?
        /// The last byte that is not white space.
        private(set) var previous: Int?
        private(set) var expectation = Expectation.value

        init(_ bytes: ArraySlice<UInt8>) {
            var position = bytes.startIndex
            while position < bytes.endIndex {
                let byte = bytes[position]
                if byte == UInt8(ascii: "\"") {
                    guard let end = Self.stringEnd(bytes, from: position) else {
                        openString = position
                        return
                    }
                    position = end
                }
                if !" \t\r\n".utf8.contains(byte) {
                    note(byte, at: position)
                    previous = position
                }
                position += 1
            }
        }

        /// The offset of the closing quote.
        private static func stringEnd(_ bytes: ArraySlice<UInt8>, from start: Int) -> Int? {
            var position = start + 1
            while position < bytes.endIndex, bytes[position] != UInt8(ascii: "\"") {
                position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
            }
            return position < bytes.endIndex ? position : nil
        }

        private mutating func note(_ byte: UInt8, at offset: Int) {
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                open.append(Bracket(offset: offset, character: Character(UnicodeScalar(byte))))
                expectation = byte == UInt8(ascii: "{") ? .name : .value
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                _ = open.popLast()
                expectation = open.isEmpty ? .nothing : .comma
            case UInt8(ascii: ","):
                expectation = open.last?.character == "{" ? .name : .value
            case UInt8(ascii: ":"): expectation = .value
            default:
                if expectation == .name { expectation = .colon } else { expectation = open.isEmpty ? .nothing : .comma }
            }
        }
    }
}
