/// An error that ended a Lua script.
///
/// ```
/// lua: till.lua:3: attempt to index a nil value (local 'order')
/// stack traceback:
///         till.lua:3: in function 'settle'
///         till.lua:8: in main chunk
///         [C]: in ?
/// ```
/// Source: `msghandler` in `lua.c`, and `luaL_traceback` in `lauxlib.c`.
enum LuaErrorFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("stack traceback:")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.reversed() {
            let rest = text.lines[(place + 1)...]
            let stack = rest.prefix { $0.first == UInt8(ascii: "\t") || $0.starts(with: "    ".utf8) }
            let frames = stack.compactMap(self.frame)
            guard !frames.isEmpty, let (title, message) = self.title(before: place, in: text.lines) else { continue }
            return RuntimeCrash(
                format: "lua-error", subject: message.program, runtime: Crash.Runtime(name: "Lua"),
                cause: Crash.Cause(type: "error", message: message.text),
                threads: [Crash.Thread(isCrashed: true, frames: frames)], line: title
            ).finding(in: text)
        }
        return nil
    }

    /// The line `PROGRAM: FILE:LINE: MESSAGE` before a stack; the message may have some more lines.
    private static func title(
        before place: Int, in lines: [ArraySlice<UInt8>]
    ) -> (index: Int, message: (program: String, text: String))? {
        for index in lines.indices[..<place].suffix(8).reversed() {
            let line = lines[index]
            if line.isBlank { return nil }
            let program = line.prefix(64).prefix { $0 > 0x20 && $0 != UInt8(ascii: ":") }
            guard !program.isEmpty, let message = line[program.endIndex...].dropping(": ") else { continue }
            // Before the message stands its place; the interpreter's own errors have none.
            guard let colon = message.range(of: ": "), self.isPlace(message[..<colon.lowerBound]) else {
                guard program.lastPathComponent.starts(with: "lua".utf8) else { continue }
                return (index, (program.lastPathComponent.text, message.text))
            }
            return (index, (program.lastPathComponent.text, message[colon.upperBound...].text))
        }
        return nil
    }

    /// `FILE:LINE`, or `[string "CODE"]:LINE`.
    private static func isPlace(_ text: ArraySlice<UInt8>) -> Bool {
        SourceLocation(text) != nil && (!text.contains(0x20) || text.starts(with: "[string ".utf8))
    }

    /// `FILE:LINE: in function 'NAME'`, `[C]: in ?`
    private static func frame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        let content = line.trimmed
        guard let middle = content.range(of: ": in ") else { return nil }
        let name = content[middle.upperBound...]
        // A name is in quotation marks; a function without one is shown by its place.
        let quoted = name.between("'", "'")
        let function = quoted?.text ?? (name.elementsEqual("main chunk".utf8) ? "main chunk" : nil)
        guard let location = SourceLocation(content[..<middle.lowerBound]) else {
            return Crash.Frame(function: function, isOwn: false)
        }
        let isLibrary = ["/usr/share/lua", "/usr/local/share/lua", "/luarocks/"].contains { location.file.contains($0) }
        return Crash.Frame(function: function, file: location.file, line: location.line, isOwn: !isLibrary)
    }
}
