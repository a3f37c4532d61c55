extension Unicode.Scalar {
    /// Whether a terminal may obey this character instead of showing it.
    ///
    /// True for C0, DEL and C1 controls, line and paragraph separators, and the bidirectional controls.
    package var steersTerminals: Bool {
        switch self.value {
        case 0..<0x20, 0x7f...0x9f: true
        case 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}

/// A piece of what a stranger sent, fit to stand in a message of one line: short, and nothing in it moves a terminal's
/// cursor, changes its colours or reverses the line.
package struct QuotedText: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// - Parameters:
    ///   - bytes: as they came; what is no UTF-8 becomes a replacement character.
    ///   - limit: the most characters that are kept. A text that is longer ends in `…`.
    package init(_ bytes: some Sequence<UInt8>, limit: Int) {
        // A character has at most 4 bytes; what lies beyond is never looked at, however much it is.
        let all = String(decoding: Array(bytes.prefix(4 * (limit + 1))), as: UTF8.self).unicodeScalars
        var text = String.UnicodeScalarView()
        for scalar in all.prefix(limit) { text.append(scalar.steersTerminals ? "\u{fffd}" : scalar) }
        description = all.count > limit ? String(text) + "…" : String(text)
    }

    package init(_ text: some StringProtocol, limit: Int) {
        self.init(text.utf8, limit: limit)
    }
}
