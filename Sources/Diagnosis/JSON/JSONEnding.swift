/// The last part of a document whose middle is not known.
///
/// What is open where the part begins is opened again, so that the rest can be read like a whole document. Of the part
/// `…ue": 1}, {"b": 2}], "crash": {"c": 3}}` comes `{"": [{"b": 2}], "crash": {"c": 3}}`: what has begun before the part
/// is the member without a name.
///
/// The structure is told from the end of the document backwards. There it is certain: the last byte closes the outermost
/// object, and no text of a string can look like structure, because each quote within a string has a backslash before
/// it.
struct JSONEnding {
    /// The part as a document of its own.
    let bytes: [UInt8]
    /// Its members.
    let root: JSONObject

    /// What had begun before the part: the rest of a member of the outermost object.
    var continued: JSONValue? { self.root[Self.continuedKey] }

    /// The name of ``continued``, which no member of a known document has.
    static let continuedKey = ""

    /// The member of that name, or `nil`.
    subscript(key: String) -> JSONValue? { self.root[key] }

    /// Reads the part; `nil` unless the document is an object that ends where the part ends, and begins before it.
    /// - Parameter part: the last bytes of the document.
    init?(_ part: ArraySlice<UInt8>) {
        let part = part.trimmed
        guard let start = Self.outline(of: part)?.firstComma.map({ $0 + 1 }),
            let open = Self.outline(of: part[start...])?.open, open.first == UInt8(ascii: "{")
        else { return nil }
        var bytes: [UInt8] = []
        for (index, bracket) in open.enumerated() {
            if index > 0, open[index - 1] == UInt8(ascii: "{") { bytes += Array("\"\(Self.continuedKey)\":".utf8) }
            bytes.append(bracket)
        }
        bytes += part[start...]
        let whole = JSONValue.parsePrefix(
            bytes[...], maximumDepth: JSONValue.longestDepth, keptDepth: JSONValue.defaultMaximumDepth)
        guard whole.isComplete, whole.byteCount == bytes.count, let root = whole.value?.objectValue else { return nil }
        (self.bytes, self.root) = (bytes, root)
    }

    /// What the brackets of a part tell.
    private struct Outline {
        /// The opening brackets of what is open where the part begins, the outermost first.
        var open: [UInt8] = []
        /// Where the first comma between members or elements is.
        var firstComma: Int?
    }

    /// Reads backwards up to the beginning, or to the string that has lost its own.
    private static func outline(of part: ArraySlice<UInt8>) -> Outline? {
        var outline = Outline()
        var index = part.endIndex
        while index > part.startIndex {
            index -= 1
            switch part[index] {
            case UInt8(ascii: "}"):
                outline.open.append(UInt8(ascii: "{"))
            case UInt8(ascii: "]"):
                outline.open.append(UInt8(ascii: "["))
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                // With the outermost bracket the document begins, so nothing is missing before it.
                guard outline.open.popLast() == part[index], !outline.open.isEmpty else { return nil }
            case UInt8(ascii: "\""):
                guard let opening = self.opening(ofStringBefore: index, in: part) else { return outline }
                index = opening
            case UInt8(ascii: ","):
                outline.firstComma = index
            default:
                break
            }
            guard outline.open.count <= JSONValue.longestDepth else { return nil }
        }
        return outline
    }

    /// Where the string begins whose closing quote is at `end`.
    private static func opening(ofStringBefore end: Int, in part: ArraySlice<UInt8>) -> Int? {
        var index = end
        while let quote = part[..<index].lastIndex(of: UInt8(ascii: "\"")) {
            let backslashes = part[..<quote].reversed().prefix { $0 == UInt8(ascii: "\\") }.count
            if backslashes.isMultiple(of: 2) { return quote }
            index = quote
        }
        return nil
    }
}
