/// What may stand in a header line (RFC 9110 section 5).
package enum HeaderRules {
    /// Whether a text is a token.
    package static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: punctuation.contains(byte)
                }
            }
    }

    /// Whether a text has no control characters but tabs, so that it stays one header.
    package static func isValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7f) }
    }

    private static let punctuation = Set("!#$%&'*+-.^_`|~".utf8)
}
