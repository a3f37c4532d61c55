/// An error as JavaScript runtimes print it: the message, the stack, its properties, and the errors that it has as
/// causes or members.
///
/// ```
/// TypeError: cannot settle the invoice
///     at settle (/srv/shop/till.js:2:47)
///     at /srv/shop/till.js:9:1 {
///   code: 'ERR_TILL',
///   [cause]: Error: connection lost
///       at read (/srv/shop/till.js:1:25)
/// }
/// ```
/// Source: `lib/internal/util/inspect.js` of Node.js.
struct JavaScriptError {
    private(set) var error: RaisedException
    private(set) var causes: [Crash.Cause] = []
    /// The index of the first line behind it.
    private(set) var end: Int

    /// How many lines of properties and causes are read.
    private static let maximumLineCount = 128

    /// The error whose first line is the first of the lines. A value that is no error has no name and no stack.
    init?(_ lines: ArraySlice<ArraySlice<UInt8>>) {
        guard let first = lines.first, !first.isBlank else { return nil }
        self.error =
            JavaScriptStack.title(first) ?? RaisedException(type: "uncaught exception", message: first.trimmed.text)
        self.end = lines.startIndex + 1
        // Brackets are around an error without a stack. Its properties may have stacks.
        if first.trimmed.droppingSuffix("] {") == nil { self.readMessage(lines) }
        self.readFrames(lines)
        if lines[self.end - 1].last == UInt8(ascii: "{") { self.readProperties(lines) }
        // A value was thrown that is no error: a text, `null`.
        if self.error.frames.isEmpty, self.error.message == nil, !self.error.type.hasSuffix("Error") {
            self.error = RaisedException(type: "uncaught exception", message: first.trimmed.text)
        }
    }

    /// Adds the place where the error was thrown, unless the program is on the stack.
    mutating func add(place: Crash.Frame) {
        let isKnown = !self.error.frames.isEmpty && !place.isOwn || self.error.frames.contains(where: \.isOwn)
        if !isKnown { self.error.frames.insert(place, at: 0) }
    }

    /// The further lines of the message: all up to the first frame, if there is one.
    private mutating func readMessage(_ lines: ArraySlice<ArraySlice<UInt8>>) {
        let next = lines.dropFirst().prefix(RaisedException.maximumLineCount)
        let end = next.firstIndex { JavaScriptStack.frame($0) != nil || $0.starts(with: "Node.js v".utf8) }
        guard let frame = end, JavaScriptStack.frame(lines[frame]) != nil else { return }
        for line in lines[self.end..<frame] { self.error.add(line) }
        self.end = frame
    }

    /// The stack. Of frames that its cause has as well Node.js only says how many there are, and behind it may stand
    /// another stack: where an event was emitted for which the program has no handler.
    private mutating func readFrames(_ lines: ArraySlice<ArraySlice<UInt8>>) {
        var isOfEvent = false
        for line in lines[self.end...] {
            if let frame = JavaScriptStack.frame(line) {
                if !isOfEvent { self.error.frames.append(frame) }
            } else if line.starts(with: "Emitted 'error' event ".utf8) {
                isOfEvent = true
            } else if self.error.frames.isEmpty || !line.starts(with: "    ... ".utf8) {
                break
            }
            self.end += 1
        }
    }

    /// The properties up to the brace that closes them.
    private mutating func readProperties(_ lines: ArraySlice<ArraySlice<UInt8>>) {
        var isInList = false
        for line in lines[self.end...].prefix(Self.maximumLineCount) {
            self.end += 1
            let content = line.trimmed
            if line.elementsEqual("}".utf8) { break }
            if line.starts(with: "  code: ".utf8) {
                self.error.code = content.between("'", "'")?.text.nonEmpty ?? self.error.code
            }
            if content.starts(with: "[errors]: [".utf8) { isInList = true }
            let cause = content.dropping("[cause]: ") ?? (isInList && Self.isMember(line) ? content : nil)
            if let error = cause.flatMap(JavaScriptStack.title), self.causes.count < Crash.Bounds.earlierCauseCount {
                self.causes.append(error.cause)
            }
        }
    }

    /// Whether it is the first line of an error in a list, by its indentation.
    private static func isMember(_ line: ArraySlice<UInt8>) -> Bool {
        line.prefix { $0 == 0x20 }.count == 4 && !line.trimmed.starts(with: "at ".utf8)
    }
}
