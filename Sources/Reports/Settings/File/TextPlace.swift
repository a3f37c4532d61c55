/// A place in a text, counted as editors count: lines and characters from 1.
package struct TextPlace: Hashable, Sendable, CustomStringConvertible {
    package let line: Int
    package let column: Int

    /// - Parameters:
    ///   - offset: of a byte; the end of the text is a place, too.
    ///   - bytes: UTF-8, whose lines end with LF, CR LF or CR.
    init(offset: Int, in bytes: [UInt8]) {
        var line = 1
        var lineStart = 0
        for index in 0..<min(offset, bytes.count) {
            let endsLine = bytes[index] == 0x0a || bytes[index] == 0x0d && bytes.dropFirst(index + 1).first != 0x0a
            guard endsLine else { continue }
            line += 1
            lineStart = index + 1
        }
        self.line = line
        // All bytes of a character but its first are 10xxxxxx.
        column = 1 + bytes[lineStart..<max(lineStart, min(offset, bytes.count))].count { $0 & 0xc0 != 0x80 }
    }

    package var description: String { "line \(line), column \(column)" }
}
