extension Unicode.Scalar {
    /// Whether a terminal may obey this character instead of showing it.
    ///
    /// True for C0, DEL and C1 controls, line and paragraph separators, and the bidirectional controls. Every text from
    /// outside that is printed goes through this, whatever form it is printed in.
    package var steersTerminals: Bool {
        switch self.value {
        case 0..<0x20, 0x7f...0x9f: true
        case 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }

    /// Whether this shows as a character of its own: it steers no terminal, is not invisible, and every font may know
    /// it. Stricter than ``steersTerminals``, for texts that stand in lists, where two must not look the same.
    package var isVisible: Bool {
        if self.isASCII { return !self.steersTerminals }
        switch self.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: return false
        default: return !self.steersTerminals
        }
    }

    /// This character where it may be printed, else U+FFFD.
    package var printable: Unicode.Scalar { self.steersTerminals ? "\u{fffd}" : self }
}

/// Texts from outside, made fit for a terminal: nothing that moves the cursor, changes colours or reverses the line.
package enum Printable {
    package static func text(_ text: some StringProtocol) -> String {
        // Most texts are plain ASCII, and a list has a million of them.
        if text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return String(text) }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: text.unicodeScalars.lazy.map(\.printable))
        return String(result)
    }

    package static func text(_ bytes: [UInt8]) -> String {
        text(String(decoding: bytes, as: UTF8.self))
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
        description = Printable.text(String(all.prefix(limit))) + (all.count > limit ? "…" : "")
    }

    package init(_ text: some StringProtocol, limit: Int) {
        self.init(text.utf8, limit: limit)
    }
}
