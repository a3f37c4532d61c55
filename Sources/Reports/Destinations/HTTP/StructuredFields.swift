/// The few structured-field forms the request headers need (RFC 9651).
enum StructuredFields {
    /// A string in quotes.
    static func string(_ text: String) -> String {
        var quoted = "\""
        for character in text {
            if character == "\"" || character == "\\" { quoted.append("\\") }
            quoted.append(character)
        }
        return quoted + "\""
    }

    /// A dictionary of texts, keys in order. Keys are lower-cased, and `*` stands before one that begins with no
    /// letter, as the grammar of keys demands; texts beyond ASCII become display strings.
    static func dictionary(_ members: [String: String]) -> String {
        members.sorted { $0.key < $1.key }
            .map { "\(key($0.key))=\(text($0.value))" }
            .joined(separator: ", ")
    }

    private static func key(_ key: String) -> String {
        let lower = key.lowercased()
        guard let first = lower.first, first.isLetter else { return "*" + lower }
        return lower
    }

    private static func text(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
        return isPlain ? string(value) : displayString(value)
    }

    /// `%"…"` with everything that is not printable ASCII as lower-case %xx of its UTF-8.
    private static func displayString(_ value: String) -> String {
        let hex = Array("0123456789abcdef".utf8)
        var bytes: [UInt8] = Array("%\"".utf8)
        for byte in value.utf8 {
            let isPlain = byte >= 0x20 && byte < 0x7f && byte != UInt8(ascii: "%") && byte != UInt8(ascii: "\"")
            bytes += isPlain ? [byte] : [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
        }
        return String(decoding: bytes + [UInt8(ascii: "\"")], as: UTF8.self)
    }
}
