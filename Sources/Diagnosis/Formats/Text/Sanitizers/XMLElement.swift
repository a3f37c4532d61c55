/// Elements of XML that are found by their names alone, which valgrind's protocols are flat enough for.
enum XMLElement {
    /// What stands in the first element of a name; up to the end of the text where the element is cut.
    static func content(_ name: String, in bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let content = bytes.after("<\(name)>") else { return nil }
        return content.before("</\(name)>") ?? content
    }

    /// The text of the first element of a name.
    static func text(_ name: String, in bytes: ArraySlice<UInt8>) -> String? {
        guard let content = bytes.between("<\(name)>", "</\(name)>")?.trimmed else { return nil }
        return self.decodingEntities(in: content.prefix(1_024))
    }

    /// Functions of C++ are full of angle brackets.
    private static func decodingEntities(in bytes: ArraySlice<UInt8>) -> String {
        let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
        var text: [UInt8] = []
        var rest = bytes
        while let ampersand = rest.firstIndex(of: UInt8(ascii: "&")) {
            text.append(contentsOf: rest[..<ampersand])
            rest = rest[ampersand...]
            let entity = entities.first { rest.starts(with: $0.0.utf8) }
            text.append(contentsOf: entity.map { Array($0.1.utf8) } ?? [UInt8(ascii: "&")])
            rest = rest.dropFirst(entity?.0.utf8.count ?? 1)
        }
        return String(decoding: text + rest, as: UTF8.self)
    }
}
