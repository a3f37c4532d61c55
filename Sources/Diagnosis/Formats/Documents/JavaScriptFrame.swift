/// A call on a stack of V8: `at FUNCTION (FILE:LINE:COLUMN)` or `at FILE:LINE:COLUMN`.
enum JavaScriptFrame {
    /// - Returns: `nil` unless the line begins with `at `.
    static func frame(_ line: String) -> Crash.Frame? {
        guard var text = Array(line.utf8.prefix(4_096))[...].trimmed.dropping("at ") else { return nil }
        text = text.dropping("async ") ?? text
        guard let inner = text.droppingSuffix(")"), let open = self.opening(in: inner) else {
            guard let location = SourceLocation(text) else {
                return Crash.Frame(function: text.text, isOwn: false)
            }
            return self.frame(function: nil, location: location)
        }
        let function = text[..<open].trimmed
        guard let location = SourceLocation(inner[(open + 1)...]) else {
            // `(native)`, `(<anonymous>)`, `(index 0)`: a function of the engine.
            return Crash.Frame(function: self.name(function), isOwn: false)
        }
        return self.frame(function: self.name(function), location: location)
    }

    /// Where the parenthesis is that belongs to the one at the end: that of `eval` has others in it.
    private static func opening(in text: ArraySlice<UInt8>) -> Int? {
        var depth = 1
        for index in text.indices.reversed() {
            if text[index] == UInt8(ascii: ")") { depth += 1 }
            if text[index] == UInt8(ascii: "(") { depth -= 1 }
            if depth == 0 { return index }
        }
        return nil
    }

    /// Without the name under which the function was called: `Function.executeUserEntryPoint [as runMain]`. A function
    /// without a name has none.
    private static func name(_ function: ArraySlice<UInt8>) -> String? {
        let name = (function.before(" [as ") ?? function).text.nonEmpty
        return name == "<anonymous>" ? nil : name
    }

    private static func frame(function: String?, location: SourceLocation) -> Crash.Frame {
        let bytes = Array(location.file.utf8)[...]
        let file = bytes.dropping("file://").map { String(decoding: $0, as: UTF8.self) } ?? location.file
        return Crash.Frame(
            function: function, file: file, line: location.line, column: location.column,
            isOwn: self.isOwn(file: bytes))
    }

    /// Whether it is neither a part of Node.js nor a package that was fetched. Old parts of Node.js have no directory.
    private static func isOwn(file: ArraySlice<UInt8>) -> Bool {
        let isOfNode = file.starts(with: "node:".utf8) || file.starts(with: "internal/".utf8)
        let hasDirectory = file.contains(UInt8(ascii: "/")) || file.contains(UInt8(ascii: "\\"))
        return !isOfNode && hasDirectory && !file.contains("node_modules") && !file.contains("<anonymous>")
    }
}
