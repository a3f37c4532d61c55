import DurableIO

/// A header field of the user's own, and where it comes from. Its value is never shown.
package struct HeaderSetting: Sendable {
    package let name: String
    package let value: String
    package let source: SettingSource
    /// The file that has it, if it is read again at each attempt.
    private(set) var file: HeaderFile?

    /// The same header, which is read again from a file.
    func of(_ file: HeaderFile) -> HeaderSetting {
        var header = self
        header.file = file
        return header
    }

    /// Checks both.
    package init(_ name: String, _ value: some StringProtocol, from source: SettingSource) throws(ReportsError) {
        guard HeaderRules.isName(name) else {
            throw ReportsError(source.errorCode, "\(source.subject): \"\(Printable.text(name))\" is no header name")
        }
        try self.init(named: name, value, from: source, subject: source.subject)
    }

    /// Reads `Name: value`. The value stays out of every message, and so does whatever is no name: it may be a secret.
    /// - Parameters:
    ///   - line: of a file, a variable or the command line.
    ///   - source: where it is from.
    ///   - number: which line of it, from 1; `nil` when there is one only.
    /// - Throws: ``ReportsError`` naming the place and what is expected there.
    package init(
        line: some StringProtocol, from source: SettingSource, number: Int? = nil
    ) throws(ReportsError) {
        let subject = source.subject + (number.map { ": line \($0)" } ?? "")
        func problem(_ text: String) -> ReportsError { ReportsError(source.errorCode, "\(subject): \(text)") }
        guard line.first != " ", line.first != "\t" else {
            throw problem("begins with a blank: a header is one line, as 'Authorization: Bearer TOKEN'")
        }
        guard let colon = line.firstIndex(of: ":") else {
            throw problem("a header needs a colon, as in 'Authorization: Bearer TOKEN'")
        }
        let name = String(line[..<colon])
        guard HeaderRules.isName(name) else {
            throw problem("what stands before the colon is no header name, as in 'Authorization: Bearer TOKEN'")
        }
        try self.init(named: name, line[line.index(after: colon)...], from: source, subject: subject)
    }

    private init(
        named name: String, _ value: some StringProtocol, from source: SettingSource, subject: String
    ) throws(ReportsError) {
        guard !HeaderRules.isReserved(name) else { throw Self.reserved(name, source, subject) }
        guard HeaderRules.isValue(String(value)) else {
            throw ReportsError(source.errorCode, "\(subject): the value of \(name) holds control characters")
        }
        self.name = name
        self.value = String(value.drop(while: \.isWhitespace))
        self.source = source
    }

    private static func reserved(_ name: String, _ source: SettingSource, _ subject: String) -> ReportsError {
        ReportsError(source.errorCode, "\(subject): \(name) is set by Reports itself: leave it out")
    }

    /// What is wrong with it if the kind of destination sets it itself.
    var reserved: ReportsError { Self.reserved(name, source, source.subject) }

    /// Reads one a line; empty lines and those that begin with `#` are passed over, and so is what editors add.
    package static func lines(_ bytes: [UInt8], from source: SettingSource) throws(ReportsError) -> [HeaderSetting] {
        let text: WrittenText
        do {
            text = try WrittenText(bytes, limit: maximumByteCount)
        } catch {
            throw ReportsError(source.errorCode, "\(source.subject): \(error)", underlyingError: error)
        }
        var headers: [HeaderSetting] = []
        for line in text.lines {
            guard let text = line.text else {
                throw ReportsError(
                    source.errorCode, "\(source.subject): line \(line.number): is not UTF-8: save the file as UTF-8")
            }
            headers.append(try HeaderSetting(line: text, from: source, number: line.number))
        }
        return headers
    }

    /// Of a file of them.
    package static let maximumByteCount = 64 << 10
}
