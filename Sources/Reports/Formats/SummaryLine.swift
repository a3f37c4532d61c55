/// Makes any text fit for one line of a listing.
///
/// Payloads are written by programs at their worst moment, and by anybody who may drop a file. Nothing of them may reach a
/// terminal that it could obey, so this is the only way into ``Recognition/summary``.
package enum SummaryLine {
    /// The longest summary, in Unicode scalars; a longer one ends with "…", which counts.
    package static let maximumLength = 160

    /// The text on one line: white space becomes single spaces, what does not print becomes U+FFFD, the end is cut.
    package static func text(_ text: String) -> String {
        var line: [Unicode.Scalar] = []
        var hasGap = false
        for scalar in text.unicodeScalars {
            guard !scalar.isBlank else {
                hasGap = !line.isEmpty
                continue
            }
            if hasGap { line.append(" ") }
            hasGap = false
            line.append(scalar.prints ? scalar : "\u{fffd}")
            if line.count > self.maximumLength { break }
        }
        if line.count > self.maximumLength {
            line.removeSubrange((self.maximumLength - 1)...)
            line.append("…")
        }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: line)
        return String(result)
    }

    /// The parts that are there, with something between them.
    static func join(_ parts: String?..., separator: String) -> String {
        parts.compactMap { $0?.nonEmpty }.joined(separator: separator)
    }
}

extension Unicode.Scalar {
    fileprivate var isBlank: Bool {
        self.isASCII ? self == " " || (0x09...0x0d).contains(self.value) : self.properties.isWhitespace
    }

    /// Whether this shows as itself, without moving the cursor or turning the direction of writing.
    fileprivate var prints: Bool {
        if self.isASCII { return (0x20..<0x7f).contains(self.value) }
        switch self.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: return false
        default: return !self.steersTerminals
        }
    }
}
