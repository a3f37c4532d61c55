/// Looking at text as bytes: payloads are not always valid UTF-8, and `String` is slow at searching.
extension RandomAccessCollection<UInt8> where Index == Int, SubSequence == Self {
    /// The bytes as text, what is not valid replaced; only as many as a summary can need.
    var text: String {
        String(decoding: self.prefix(1_024), as: UTF8.self)
    }

    /// Without the blanks at both ends.
    var trimmed: Self {
        guard let first = self.firstIndex(where: { $0 > 0x20 }), let last = self.lastIndex(where: { $0 > 0x20 }) else {
            return self.prefix(0)
        }
        return self[first...last]
    }

    /// Whether the bytes begin with a text.
    ///
    /// It hides the standard library's general form, which counts owners and looks for the end of each character.
    func starts(with text: String.UTF8View) -> Bool {
        text.withContiguousStorageIfAvailable { text in
            guard self.count >= text.count else { return false }
            var index = self.startIndex
            for byte in text {
                guard self[index] == byte else { return false }
                index += 1
            }
            return true
        } ?? self.starts(with: Array(text))
    }

    /// What follows a prefix; `nil` without it.
    func dropping(_ prefix: String) -> Self? {
        self.starts(with: prefix.utf8) ? self.dropFirst(prefix.utf8.count) : nil
    }

    /// What precedes a suffix; `nil` without it.
    func droppingSuffix(_ suffix: String) -> Self? {
        self.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) ? self.dropLast(suffix.utf8.count) : nil
    }

    /// Where a text occurs first.
    func range(of text: String) -> Range<Int>? {
        guard let first = text.utf8.first else { return nil }
        var start = self.startIndex
        while let candidate = self[start...].firstIndex(of: first) {
            if self[candidate...].starts(with: text.utf8) { return candidate..<candidate + text.utf8.count }
            start = candidate + 1
        }
        return nil
    }

    /// Where a text occurs last.
    func lastRange(of text: String) -> Range<Int>? {
        guard let first = text.utf8.first else { return nil }
        var end = self.endIndex
        while let candidate = self[..<end].lastIndex(of: first) {
            if self[candidate...].starts(with: text.utf8) { return candidate..<candidate + text.utf8.count }
            end = candidate
        }
        return nil
    }

    func contains(_ text: String) -> Bool {
        self.range(of: text) != nil
    }

    /// What precedes the first occurrence of a text; `nil` without one.
    func before(_ text: String) -> Self? {
        self.range(of: text).map { self[..<$0.lowerBound] }
    }

    /// What follows the first occurrence of a text; `nil` without one.
    func after(_ text: String) -> Self? {
        self.range(of: text).map { self[$0.upperBound...] }
    }

    /// What stands between two texts; `nil` without both.
    func between(_ opening: String, _ closing: String) -> Self? {
        self.after(opening)?.before(closing)
    }

    /// The decimal digits at the beginning, if there are any.
    var leadingDigits: Self? {
        let digits = self.prefix(while: \.isDigit)
        return digits.isEmpty ? nil : digits
    }

    /// The path's last component.
    var lastPathComponent: Self {
        self.lastIndex(of: UInt8(ascii: "/")).map { self[($0 + 1)...] } ?? self
    }
}

extension String {
    /// The path's last component. A path that begins with a drive's letter is one of Windows.
    var lastPathComponent: String {
        let isOfWindows = self.utf8.dropFirst().starts(with: ":\\".utf8)
        let last = self.utf8.lastIndex { $0 == UInt8(ascii: "/") || isOfWindows && $0 == UInt8(ascii: "\\") }
        return last.map { String(self[self.utf8.index(after: $0)...]) } ?? self
    }

    /// Whether a text occurs in this one, byte for byte.
    ///
    /// It hides the standard library's own search, which compares characters and takes microseconds for each.
    func contains(_ text: String) -> Bool {
        var (hay, needle) = (self, text)
        return hay.withUTF8 { hay in
            needle.withUTF8 { needle in
                guard let first = needle.first else { return true }
                var start = 0
                while start <= hay.count - needle.count {
                    if hay[start] == first, hay[start..<start + needle.count].elementsEqual(needle) { return true }
                    start += 1
                }
                return false
            }
        }
    }

    /// The text, unless it is empty.
    var nonEmpty: String? {
        self.isEmpty ? nil : self
    }
}

/// Putting sentences together.
enum Words {
    /// The parts that are there, with something between them.
    static func join(_ parts: String?..., separator: String) -> String {
        parts.compactMap { $0?.nonEmpty }.joined(separator: separator)
    }
}
