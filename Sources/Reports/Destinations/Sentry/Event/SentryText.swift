import Diagnosis

/// Texts of a report in the form that Sentry stores whole.
///
/// A server cuts longer texts, and refuses some characters. Both are done here, so that nothing is lost unseen: a text
/// that is cut ends with `…`.
enum SentryText {
    /// The longest texts that Sentry keeps, in Unicode scalars.
    enum Limit {
        static let message = 8_192
        static let exceptionType = 256
        static let exceptionModule = 256
        static let mechanism = 128
        static let function = 512
        static let path = 1_024
        static let sourceLine = 1_024
        static let threadName = 1_024
        /// A value in a context.
        static let fact = 256
        static let tag = 200
        static let tagName = 32
        static let release = 200
        static let environment = 64
        static let distribution = 64
        static let transaction = 200
        static let serverName = 200
        static let userName = 128
        static let userAddress = 75
    }

    /// A text of one line: control characters are left out, and white space is blanks. `nil` for one without content.
    static func line(_ text: String?, _ limit: Int) -> String? {
        guard let text else { return nil }
        // Nearly all texts are fit as they are.
        if (1...limit).contains(text.utf8.count), text.utf8.first != 0x20, text.utf8.last != 0x20,
            text.utf8.allSatisfy({ (0x20...0x7e).contains($0) })
        {
            return text
        }
        return self.cut(self.plain(text).map { $0.isLineBreak || $0 == "\t" ? " " : $0 }, limit).trimmed
    }

    /// A text of any number of lines: control characters other than line feeds and tabs are left out. `nil` for one
    /// without content.
    static func lines(_ text: String?, _ limit: Int) -> String? {
        guard let text else { return nil }
        return self.cut(self.plain(text), limit).trimmed
    }

    /// A text in which nothing but what `isAllowed` admits is kept as it is, and the rest is `_`.
    static func word(_ text: String, _ limit: Int, _ isAllowed: (Unicode.Scalar) -> Bool) -> String? {
        let scalars = self.plain(text.trimmed ?? "").prefix(limit).map { isAllowed($0) ? $0 : "_" }
        return String(String.UnicodeScalarView(scalars)).trimmed
    }

    private static func plain(_ text: String) -> [Unicode.Scalar] {
        text.unicodeScalars.filter { $0 == "\n" || $0 == "\t" || !$0.isControl }
    }

    private static func cut(_ scalars: [Unicode.Scalar], _ limit: Int) -> String {
        let kept = scalars.count > limit ? scalars.prefix(limit - 1) + ["…"] : scalars[...]
        return String(String.UnicodeScalarView(kept))
    }
}

extension Unicode.Scalar {
    /// C0, DEL and C1.
    fileprivate var isControl: Bool { value < 0x20 || (0x7f...0x9f).contains(value) }

    var isLineBreak: Bool { self == "\n" || self == "\r" || self == "\u{2028}" || self == "\u{2029}" }
}

extension String {
    /// Without white space at both ends; `nil` if nothing is left.
    fileprivate var trimmed: String? {
        let scalars = unicodeScalars
        guard let start = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let end = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return nil }
        return String(scalars[start...end])
    }
}

/// Numbers as Sentry wants them.
enum SentryNumber {
    /// An address: `0x7f381005b310`.
    static func address(_ number: UInt64) -> JSONValue { .string("0x" + String(number, radix: 16)) }

    /// A register, in the width of the processor's registers: `0x0000000200000003`.
    static func register(_ number: UInt64, digits: Int) -> JSONValue {
        let text = String(number, radix: 16)
        return .string("0x" + String(repeating: "0", count: max(0, digits - text.count)) + text)
    }

    /// A line or a column, which counts from 1.
    static func position(_ number: Int64?) -> JSONValue? {
        number.flatMap { (1...Int64(Int32.max)).contains($0) ? .integer($0) : nil }
    }
}
