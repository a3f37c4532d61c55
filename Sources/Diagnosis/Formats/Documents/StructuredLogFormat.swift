/// A log whose lines are JSON objects, with a crash in the text of one of their members.
///
/// ```
/// {"level":"error","ts":1795345984.63,"msg":"job failed","stack":"Traceback (most recent call last):\n  File …"}
/// ```
/// The members that hold messages and stacks are given to the formats of text; of stacks that these do not know
/// ``LoggedException`` reads the last of the worst. What is neither is no document of this format, but text.
enum StructuredLogFormat: DocumentFormat {
    /// Members that hold a line of a program.
    private static let messages = ["message", "msg", "MESSAGE", "log", "short_message", "event", "textPayload", "@m"]
    /// Members that hold the stack of an exception, or an object with one.
    private static let stacks = [
        "stack", "stack_trace", "stacktrace", "stackTrace", "exc_info", "exception", "error", "err", "full_message",
        "error.stack_trace", "exception.stacktrace", "traceback", "@x", "Exception", "thrown",
    ]
    /// Members of the objects among them.
    private static let inner = [
        "stack", "stack_trace", "stacktrace", "stackTrace", "traceback", "extendedStackTrace",
    ]
    /// Members that hold all that the program has written, where a service keeps its logs.
    private static let wrappings = ["jsonPayload", "fields"]

    // The last ones are of Serilog, in whose entries there need not be a message.
    static let marks = messages + stacks + wrappings + ["@mt", "MessageTemplate"]

    static func read(_ document: JSONDocument) -> Diagnosis? {
        document.isComplete ? self.readText(document.window) : nil
    }

    /// Reads lines of JSON; `nil` unless the first line is a whole object, and where no crash is found.
    static func readText(_ window: PayloadWindow) -> Diagnosis? {
        guard window.title.first == UInt8(ascii: "{"), window.title.last == UInt8(ascii: "}") else { return nil }
        let bytes = window.isWhole ? (window.head + window.tail)[...] : window.head
        let head = self.content(of: TextLines(bytes))
        var tail = Content()
        if !window.isWhole {
            var lines = TextLines(window.tail)
            // The first line of the tail has lost its beginning.
            _ = lines.next()
            tail = self.content(of: lines)
        }
        let text = self.window(window, head: head.text, tail: tail.text)
        let exception = LoggedException.worse(head.exception, tail.exception)
        guard var diagnosis = TextFormats.read(text) ?? exception?.diagnosis else { return nil }
        if head.isAllJSON {
            let isDocument = window.isWhole && head.lineCount == 1
            diagnosis.contentType = isDocument ? ContentType.json : ContentType.jsonLines
        }
        return diagnosis
    }

    /// A window onto the text that was found in the lines of another one.
    static func window(_ window: PayloadWindow, head: [UInt8], tail: [UInt8]) -> PayloadWindow {
        guard !window.isWhole else { return window.replacing(head: head + tail, byteCount: head.count + tail.count) }
        // Behind a gap a line is taken for the rest of one; this end of a line is in its place.
        let tail = [UInt8(ascii: "\n")] + tail
        return window.replacing(head: head, tail: tail, byteCount: head.count + tail.count + 1)
    }

    /// What lines hold.
    private struct Content {
        /// The messages and stacks. Lines that are no JSON are taken as they stand.
        var text: [UInt8] = []
        var isAllJSON = true
        var lineCount = 0
        var exception: LoggedException?

        mutating func add(_ part: String) {
            self.text += part.utf8
            if self.text.last != UInt8(ascii: "\n") { self.text.append(UInt8(ascii: "\n")) }
        }
    }

    private static func content(of lines: TextLines) -> Content {
        var content = Content()
        for line in lines {
            let entry = line.first == UInt8(ascii: "{") ? JSONValue.parsePrefix(line) : nil
            if let members = entry?.value?.objectValue {
                self.add(members, to: &content)
            } else {
                content.text += line
                content.text.append(UInt8(ascii: "\n"))
                content.isAllJSON = content.isAllJSON && line.trimmed.isEmpty
            }
            if !line.trimmed.isEmpty { content.lineCount += 1 }
        }
        return content
    }

    private static func add(_ entry: JSONObject, to content: inout Content) {
        let inside = self.wrappings.lazy.compactMap { entry.object($0) }.first
        for message in self.messages.lazy.compactMap({ entry.text($0) ?? inside?.text($0) }).prefix(1) {
            content.add(message)
        }
        guard let stack = self.stack(in: entry) ?? inside.flatMap(self.stack) else { return }
        content.add(stack)
        content.exception = LoggedException.worse(content.exception, LoggedException(stack, in: entry))
    }

    /// The stack in an entry: of an object with several texts, and of the members, the first one.
    private static func stack(in entry: JSONObject) -> String? {
        self.stacks.lazy.compactMap { name -> String? in
            guard let value = entry[name] else { return nil }
            return value.stringValue?.nonEmpty ?? self.inner.lazy.compactMap { value[$0]?.stringValue?.nonEmpty }.first
        }.first
    }
}
