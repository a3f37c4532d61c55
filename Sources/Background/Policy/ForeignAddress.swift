import DurableIO

/// An address that a server names in an answer, as people may see it.
///
/// It is resolved against the URL that was asked, and stands there without query, fragment and user name: these may
/// hold secrets. The server's text can be anything; what is no http or https URL is shown as it came, cut and
/// printable.
package struct ForeignAddress: Hashable, Sendable, CustomStringConvertible {
    /// In characters: longer ones are cut.
    package static let longest = 200

    package let description: String

    /// `nil` when the text names nothing.
    ///
    /// - Parameters:
    ///   - text: what the server wrote; anything.
    ///   - asked: the URL that it answered.
    package init?(_ text: String, from asked: Endpoint) {
        // Nothing that is looked at costs more than what is shown of it.
        let kept = text.unicodeScalars.prefix(8 * Self.longest)
        let trimmed = String(kept).drop { $0 == " " || $0 == "\t" }
        guard !trimmed.isEmpty else { return nil }
        let bare = Self.withoutUser(trimmed.prefix { $0 != "?" && $0 != "#" })
        let target = bare.isEmpty ? asked : asked.resolving(location: bare)
        description = QuotedText(target?.withoutQuery ?? bare, limit: Self.longest).description
    }

    /// Leaves out what stands before an `@` and may be a name and a password, wherever a lenient reader would find it.
    private static func withoutUser(_ text: Substring) -> String {
        let isSeparator = { (character: Character) in character == "/" || character == "\\" }
        let scheme = text.prefix { $0 != ":" && !isSeparator($0) }
        var rest = text
        var start = ""
        if scheme.endIndex < text.endIndex, text[scheme.endIndex] == ":" {
            rest = text[text.index(after: scheme.endIndex)...]
            start = scheme + ":"
        }
        let slashes = rest.prefix(while: isSeparator)
        // A path may hold an @; an authority ends before it.
        guard !start.isEmpty || slashes.count >= 2 else { return String(text) }
        let authority = rest[slashes.endIndex...].prefix { !isSeparator($0) }
        guard let at = authority.lastIndex(of: "@") else { return String(text) }
        return start + slashes + rest[rest.index(after: at)...]
    }
}

/// The page that a captive portal puts in the place of a server's answer.
package enum PortalPage {
    /// Where one logs in, as far as the answer says it: its `Location`, else where its page leads (RFC 6585,
    /// section 6).
    ///
    /// - Parameters:
    ///   - location: the value of `Location`, if there is one.
    ///   - body: the beginning of the page.
    ///   - asked: the URL that was answered.
    /// - Returns: the address; `nil` when the answer names none.
    package static func loginAddress(location: String?, body: [UInt8], from asked: Endpoint) -> ForeignAddress? {
        if let location, let address = ForeignAddress(location, from: asked) { return address }
        // `<meta http-equiv="refresh" content="0; url=…">`, else the first link.
        return ["url=", "href="].lazy.compactMap { mark in
            value(behind: Array(mark.utf8), in: body).flatMap { ForeignAddress($0, from: asked) }
        }.first
    }

    private static func value(behind mark: [UInt8], in page: [UInt8]) -> String? {
        let lowerCase = page.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        let start = lowerCase.indices.first { lowerCase[$0...].starts(with: mark) }
        guard let start else { return nil }
        let blanks = Array("\"' \t".utf8)
        let value = page[(start + mark.count)...].drop(while: blanks.contains)
            .prefix { !blanks.contains($0) && $0 > 0x20 && $0 != UInt8(ascii: ">") }
        return value.isEmpty ? nil : String(decoding: value, as: UTF8.self)
    }
}
