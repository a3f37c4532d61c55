/// The stack of a JavaScript error as V8 and JavaScriptCore print it.
///
/// ```
///     at checkout (/srv/shop/cart.js:31:22)
///     at async file:///srv/shop/main.mjs:3:5
///     at Array.reduce (<anonymous>)
///     at node:internal/main/run_main_module:28:49 {
/// ```
enum JavaScriptStack {
    /// A frame; `nil` for a line that is none.
    static func frame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard line.first?.isBlank == true, var content = line.trimmed.dropping("at ") else { return nil }
        // The properties of an error begin on the line of its last frame; a list goes on behind a comma.
        content = content.droppingSuffix(" {") ?? content.droppingSuffix(",") ?? content
        content = content.dropping("async ") ?? content
        return self.call(content)
    }

    /// `FUNCTION (PLACE)`, or a place alone.
    static func call(_ content: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let inner = content.droppingSuffix(")"), let opening = inner.range(of: " (") else {
            guard let location = SourceLocation(content) else { return nil }
            return self.frame(function: nil, at: location)
        }
        let name = inner[..<opening.lowerBound]
        let function = (name.before(" [as ") ?? name).text.nonEmpty
        guard let location = SourceLocation(inner[opening.upperBound...]) else {
            return Crash.Frame(function: function, isOwn: false)
        }
        return self.frame(function: function == "<anonymous>" ? nil : function, at: location)
    }

    private static func frame(function: String?, at location: SourceLocation) -> Crash.Frame {
        let file = Array(location.file.utf8)[...].dropping("file://")?.text ?? location.file
        return Crash.Frame(
            function: function, file: file, line: location.line, column: location.column, isOwn: self.isOwn(file: file))
    }

    /// Modules that are no files of the program: those of the runtime, and fetched ones.
    private static let schemes = [
        "node:", "internal/", "ext:", "deno:", "https:", "http:", "npm:", "jsr:", "bun:", "native:", "evalmachine.",
    ]

    /// Whether it is a file of the program. Node.js before 16 named its own modules without a folder: `events.js`.
    private static func isOwn(file: String) -> Bool {
        if self.schemes.contains(where: { file.hasPrefix($0) }) || file.contains("/node_modules/") { return false }
        return file.contains("/") || file.contains("\\") || file.hasPrefix("[")
    }

    /// What an error's first line tells: `NAME [CODE]: MESSAGE`, in brackets where the error has no stack.
    static func title(_ line: ArraySlice<UInt8>) -> RaisedException? {
        var text = line.trimmed
        text = text.droppingSuffix(" {") ?? text
        if let inner = text.dropping("[") { text = inner.droppingSuffix("]") ?? inner }
        let name = text.className(separators: ".$")
        guard !name.isEmpty else { return nil }
        var error = RaisedException(type: name.text)
        var rest = text[name.endIndex...]
        if let behind = rest.dropping(" ["), let end = behind.range(of: "]") {
            let code = behind[..<end.lowerBound]
            error.code = code.elementsEqual("Error".utf8) ? nil : code.text
            rest = behind[end.upperBound...]
        }
        guard rest.isEmpty || rest.starts(with: ": ".utf8) || rest.elementsEqual(":".utf8) else { return nil }
        error.message = rest.dropFirst(2).text.nonEmpty
        if error.type == "UnhandledPromiseRejection", let reason = rest.after("rejected with the reason ") {
            // The rest of the message is the same for all values that are no errors.
            error.message = (reason.droppingSuffix(".") ?? reason).text
        }
        return error
    }
}
