/// A text file that a person wrote, with what editors add taken away: a byte order mark, and CR at the ends of lines.
struct WrittenText {
    /// Why it cannot be read.
    enum Problem: Error, CustomStringConvertible {
        case utf16
        case tooLarge(limit: Int)

        var description: String {
            switch self {
            case .utf16: "is UTF-16: save it as UTF-8"
            case .tooLarge(let limit): "has more than \(limit / 1_024) KiB"
            }
        }
    }

    /// Without the byte order mark. Not checked to be UTF-8.
    let bytes: [UInt8]

    /// - Parameters:
    ///   - bytes: of the file, at most one more than the limit.
    ///   - limit: how many there may be.
    /// - Throws: why they cannot be read as a text.
    init(_ bytes: [UInt8], limit: Int) throws(Problem) {
        guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
        if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) { throw .utf16 }
        self.bytes = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
    }

    /// A line that says something.
    struct Line {
        /// From 1.
        let number: Int
        /// Without blanks at its end; `nil` when it is not UTF-8.
        let text: Substring?
    }

    /// The lines but for empty ones and those that begin with `#`, which are for people.
    var lines: [Line] {
        var lines: [Line] = []
        var number = 0
        var rest = bytes[...]
        while !rest.isEmpty {
            number += 1
            let line = rest.prefix { $0 != 0x0a && $0 != 0x0d }
            let end = rest[line.endIndex...]
            rest = end.dropFirst(end.starts(with: [0x0d, 0x0a]) ? 2 : 1)
            let start = line.drop { $0 == 0x20 || $0 == 0x09 }
            guard let first = start.first, first != UInt8(ascii: "#") else { continue }
            let isBlank = { (character: Character) in character == " " || character == "\t" }
            let text = String(validating: line, as: UTF8.self).map { text in
                text[..<(text.lastIndex { !isBlank($0) }.map(text.index(after:)) ?? text.startIndex)]
            }
            lines.append(Line(number: number, text: text))
        }
        return lines
    }
}
