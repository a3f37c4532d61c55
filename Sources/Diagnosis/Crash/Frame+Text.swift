extension Crash.Frame {
    /// The frame in a few words: its function with the module and the line, else its place in the module, else its
    /// address.
    ///
    /// - Parameter hasColumn: whether the column follows the line. The default is `false`.
    /// - Returns: a text with the payload's own characters.
    package func text(hasColumn: Bool = false) -> String {
        let offset = self.moduleOffset.map { "+\(Crash.hexadecimal($0))" } ?? ""
        let function = self.function ?? self.module.map { Crash.fileName(of: $0) + offset }
        var text = function ?? self.address.map(Crash.hexadecimal) ?? "?"
        if self.function != nil, let module = self.module { text += " in \(Crash.fileName(of: module))" }
        guard let file = self.file else { return text }
        let column = hasColumn ? self.column.map { ":\($0)" } ?? "" : ""
        return text + " at \(file)" + (self.line.map { ":\($0)\(column)" } ?? "")
    }
}

extension Crash.Thread {
    /// The stack, a frame a line and the innermost one first. The numbers count calls that are missing in the middle of
    /// the stack, too.
    /// - Parameter byteCount: the most bytes of the text.
    /// - Returns: the text. If not all frames fit, the last line says how many more calls there are.
    package func stackText(upTo byteCount: Int) -> String {
        var text = ""
        var number = 0
        for (index, frame) in self.frames.enumerated() {
            let line = (frame.omittedCount == nil ? "#\(number) " : "") + frame.text(hasColumn: true) + "\n"
            // Room for the last line.
            guard text.utf8.count + line.utf8.count + 32 <= byteCount else {
                return text + "… \(self.frames[index...].reduce(0) { $0 + $1.callCount }) more"
            }
            text += line
            number += frame.callCount
        }
        return String(text.dropLast())
    }
}

extension Crash {
    /// The last part of a path of any system.
    package static func fileName(of path: String) -> String {
        let slash = path.lastIndex { $0 == "/" || $0 == "\\" }
        return String(path[(slash.map { path.index(after: $0) } ?? path.startIndex)...])
    }

    fileprivate static func hexadecimal(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }
}
