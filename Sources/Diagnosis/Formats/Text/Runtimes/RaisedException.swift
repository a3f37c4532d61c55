/// An exception as a runtime prints it: its class, its message, and the stack where it was raised.
struct RaisedException {
    var type: String
    var message: String?
    var code: String?
    /// The innermost frame first.
    var frames: [Crash.Frame] = []

    var cause: Crash.Cause { Crash.Cause(type: self.type, message: self.message?.nonEmpty, code: self.code) }

    /// The exception as a cause of a later one, with the stack on which it was raised.
    var earlierCause: Crash.Cause {
        var cause = self.cause
        cause.frames = self.frames
        return cause
    }

    /// The longest message that is read, in lines.
    static let maximumLineCount = 32

    /// Adds a line to the message.
    mutating func add(_ line: ArraySlice<UInt8>) {
        self.message = self.message.map { "\($0)\n\(line.text)" } ?? line.text
    }
}

extension ArraySlice<UInt8> {
    /// The name of a class at the beginning: words of letters, digits and `_`, joined by one of the separators; empty
    /// if there is none.
    func className(separators: String = ".") -> ArraySlice<UInt8> {
        guard let first = self.first, first.isLetter || first == UInt8(ascii: "_") || first >= 0x80 else {
            return self.prefix(0)
        }
        return self.prefix(256).prefix { byte in
            byte.isLetter || byte.isDigit || byte == UInt8(ascii: "_") || byte >= 0x80 || separators.utf8.contains(byte)
        }
    }

    /// Whether the line holds nothing but marks under a line of source code: `^` and `~`.
    var isCaretLine: Bool {
        let marks = self.trimmed
        return !marks.isEmpty && marks.allSatisfy { $0 == UInt8(ascii: "^") || $0 == UInt8(ascii: "~") }
    }

    /// Whether nothing but blanks is in the line.
    var isBlank: Bool { self.allSatisfy { $0 <= 0x20 } }
}

extension ArraySlice<ArraySlice<UInt8>> {
    /// The frames that the first lines are, up to the first line that is none.
    func frames(_ read: (ArraySlice<UInt8>) -> Crash.Frame?) -> [Crash.Frame] {
        var frames: [Crash.Frame] = []
        for line in self {
            guard let frame = read(line) else { break }
            frames.append(frame)
        }
        return frames
    }
}
