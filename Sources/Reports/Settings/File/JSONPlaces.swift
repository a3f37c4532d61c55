import Diagnosis

/// Where the members of a JSON text stand, and which name stands twice in one object.
///
/// The parser keeps no places, because reports have no use for them; what a person wrote is small enough to be looked
/// at a second time. The text has to be JSON.
struct JSONPlaces {
    private let bytes: [UInt8]
    private var position = 0
    /// The offsets of each member's name and value, by the names that lead to it. An element of a list has its index as
    /// its name, as `[0]`.
    private var offsets: [[String]: (name: Int, value: Int)] = [:]

    /// A name that stands a second time in one object; of two such values a reader would have to guess which is meant.
    struct Repetition {
        let path: [String]
        let first: TextPlace
        let second: TextPlace
    }

    private(set) var repetition: Repetition?

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        walk([])
    }

    /// Where a member's value begins.
    func place(of path: [String]) -> TextPlace? {
        offsets[path].map { TextPlace(offset: $0.value, in: bytes) }
    }

    /// Where a member's name begins.
    func place(ofName path: [String]) -> TextPlace? {
        offsets[path].map { TextPlace(offset: $0.name, in: bytes) }
    }

    /// The name of an element in a path.
    static func name(ofElement index: Int) -> String { "[\(index)]" }

    /// A path as people write it: `routes[0].to`.
    static func text(of path: [String]) -> String {
        path.reduce(into: "") { text, name in
            text += text.isEmpty || name.hasPrefix("[") ? name : "." + name
        }
    }

    private mutating func walk(_ path: [String]) {
        skipBlanks()
        switch byte {
        case UInt8(ascii: "{"): walkObject(path)
        case UInt8(ascii: "["): walkArray(path)
        case UInt8(ascii: "\""): _ = string()
        default:
            while let byte, !" \t\r\n,]}".utf8.contains(byte) { position += 1 }
        }
    }

    private mutating func walkObject(_ path: [String]) {
        position += 1
        var names: [String: Int] = [:]
        while skipBlanks(), byte == UInt8(ascii: "\"") {
            let start = position
            let name = string()
            if let first = names.updateValue(start, forKey: name), repetition == nil {
                repetition = Repetition(
                    path: path + [name], first: TextPlace(offset: first, in: bytes),
                    second: TextPlace(offset: start, in: bytes))
            }
            skipBlanks()
            // The colon.
            position += 1
            skipBlanks()
            offsets[path + [name]] = (start, position)
            walk(path + [name])
            skipBlanks()
            if byte == UInt8(ascii: ",") { position += 1 }
        }
        position += 1
    }

    private mutating func walkArray(_ path: [String]) {
        position += 1
        var index = 0
        while skipBlanks(), byte != UInt8(ascii: "]") {
            let element = path + [Self.name(ofElement: index)]
            offsets[element] = (position, position)
            walk(element)
            index += 1
            skipBlanks()
            if byte == UInt8(ascii: ",") { position += 1 }
        }
        position += 1
    }

    /// The string that begins here, its escapes read.
    private mutating func string() -> String {
        let start = position
        position += 1
        while let byte, byte != UInt8(ascii: "\"") { position += byte == UInt8(ascii: "\\") ? 2 : 1 }
        position += 1
        return (try? JSONValue.parse(bytes[start..<min(position, bytes.count)]))?.stringValue ?? ""
    }

    private var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// - Returns: whether something follows.
    @discardableResult
    private mutating func skipBlanks() -> Bool {
        while let byte, " \t\r\n".utf8.contains(byte) { position += 1 }
        return position < bytes.count
    }
}
