/// A log whose lines are JSON objects, with a crash in the text of one of their members.
///
/// ```
/// {"level":"error","ts":1795345984.63,"msg":"job failed","stack":"Traceback (most recent call last):\n  File …"}
/// ```
/// The members that hold messages and stacks are given to the formats of text. What they do not know is no document of
/// this format, but text.
enum StructuredLogFormat: DocumentFormat {
    /// Members that hold a line of a program.
    private static let messages = ["message", "msg", "MESSAGE", "log", "short_message", "event", "textPayload"]
    /// Members that hold the stack of an exception, or an object with one.
    private static let stacks = [
        "stack", "stack_trace", "stacktrace", "stackTrace", "exc_info", "exception", "error", "err", "full_message",
        "error.stack_trace", "exception.stacktrace", "traceback",
    ]
    /// Members of the objects among them.
    private static let inner = ["stack", "stack_trace", "stacktrace", "stackTrace", "traceback"]

    static let marks = messages + stacks

    static func read(_ document: JSONDocument) -> Diagnosis? {
        document.isComplete ? self.readText(document.window) : nil
    }

    /// Reads lines of JSON; `nil` unless the first line is a whole object, and where no crash is found.
    static func readText(_ window: PayloadWindow) -> Diagnosis? {
        guard window.title.first == UInt8(ascii: "{"), window.title.last == UInt8(ascii: "}") else { return nil }
        let bytes = window.isWhole ? (window.head + window.tail)[...] : window.head
        let (head, isAllJSON) = self.text(of: TextLines(bytes))
        var tail: [UInt8] = []
        if !window.isWhole {
            var lines = TextLines(window.tail)
            // The first line of the tail has lost its beginning.
            _ = lines.next()
            tail = self.text(of: lines).text
        }
        guard var diagnosis = TextFormats.read(self.window(window, head: head, tail: tail)) else { return nil }
        if isAllJSON { diagnosis.contentType = ContentType.jsonLines }
        return diagnosis
    }

    /// A window onto the text that was found in the lines of another one.
    static func window(_ window: PayloadWindow, head: [UInt8], tail: [UInt8]) -> PayloadWindow {
        guard !window.isWhole else { return window.replacing(head: head + tail, byteCount: head.count + tail.count) }
        // Behind a gap a line is taken for the rest of one; this end of a line is in its place.
        let tail = [UInt8(ascii: "\n")] + tail
        return window.replacing(head: head, tail: tail, byteCount: head.count + tail.count + 1)
    }

    /// The messages and stacks of the lines, and whether all lines are JSON. Others are taken as they stand.
    private static func text(of lines: TextLines) -> (text: [UInt8], isAllJSON: Bool) {
        var text: [UInt8] = []
        var isAllJSON = true
        for line in lines {
            let entry = line.first == UInt8(ascii: "{") ? JSONValue.parsePrefix(line) : nil
            if let members = entry?.value?.objectValue {
                self.add(members, to: &text)
            } else {
                text += line
                text.append(UInt8(ascii: "\n"))
                isAllJSON = isAllJSON && line.trimmed.isEmpty
            }
        }
        return (text, isAllJSON)
    }

    private static func add(_ entry: JSONObject, to text: inout [UInt8]) {
        let message = self.messages.lazy.compactMap { entry.text($0) }.first
        let stack = self.stacks.lazy.compactMap { name -> String? in
            guard let value = entry[name] else { return nil }
            return value.stringValue?.nonEmpty ?? self.inner.lazy.compactMap { value[$0]?.stringValue?.nonEmpty }.first
        }.first
        for part in [message, stack] {
            guard let part else { continue }
            text += part.utf8
            if text.last != UInt8(ascii: "\n") { text.append(UInt8(ascii: "\n")) }
        }
    }
}
