import DurableIO

/// Makes any text fit for one line of a listing.
///
/// Payloads are written by programs at their worst moment, and by anybody who may drop a file. Nothing of them may
/// reach a terminal that it could obey, so this is the only way into ``ReportProperties/summary``.
package enum SummaryLine {
    /// The longest summary, in Unicode scalars; a longer one ends with "…", which counts.
    package static let maximumLength = 160

    /// The text on one line: white space becomes single spaces, what does not print becomes U+FFFD, the end is cut.
    package static func text(_ text: String) -> String {
        var line = Line()
        var hasGap = false
        for scalar in text.unicodeScalars {
            guard !scalar.isBlank else {
                hasGap = line.count > 0
                continue
            }
            if hasGap { line.append(" ") }
            hasGap = false
            line.append(scalar.isVisible ? scalar : "\u{fffd}")
            if line.count > self.maximumLength { break }
        }
        return line.text
    }

    /// A line in UTF-8, and what of it is left when it turns out too long.
    private struct Line {
        private var bytes: [UInt8] = []
        private(set) var count = 0
        private var byteCountWhenCut = 0

        mutating func append(_ scalar: Unicode.Scalar) {
            if self.count == SummaryLine.maximumLength - 1 { self.byteCountWhenCut = self.bytes.count }
            self.count += 1
            if scalar.isASCII {
                self.bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            } else {
                self.bytes += scalar.utf8
            }
        }

        var text: String {
            guard self.count > SummaryLine.maximumLength else { return String(decoding: self.bytes, as: UTF8.self) }
            return String(decoding: self.bytes.prefix(self.byteCountWhenCut), as: UTF8.self) + "…"
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isBlank: Bool {
        self.isASCII ? self == " " || (0x09...0x0d).contains(self.value) : self.properties.isWhitespace
    }
}
