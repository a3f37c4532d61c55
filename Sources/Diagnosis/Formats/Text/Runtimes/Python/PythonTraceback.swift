/// One traceback of Python: the frames, outermost first, and the exception.
///
/// ```
/// Traceback (most recent call last):
///   File "/srv/shop/rates.py", line 19, in lookup
///     return TABLE[currency]
///            ~~~~~^^^^^^^^^^
/// KeyError: 'CHW'
/// ```
/// Source: `traceback.TracebackException.format` of CPython, and `print_exception` of its `pythonrun.c`.
struct PythonTraceback {
    /// The exceptions: the one that was raised, then the members of its group, or what it was raised from.
    var exceptions: [RaisedException]
    /// The indices of its lines.
    var lines: Range<Int>

    static let title = "Traceback (most recent call last):"
    static let groupTitle = "  + Exception Group Traceback (most recent call last):"

    /// The lines between the tracebacks of one chain.
    private static let links = [
        "The above exception was the direct cause of the following exception:",
        "During handling of the above exception, another exception occurred:",
    ]

    init(exceptions: [RaisedException], lines: Range<Int>) {
        self.exceptions = exceptions
        self.lines = lines
    }

    /// A traceback whose title is the first of the lines; `nil` without a frame or without an exception.
    ///
    /// The exception may be missing where the text has its end, or a gap.
    init?(_ lines: ArraySlice<ArraySlice<UInt8>>, end: Int) {
        var frames: [Crash.Frame] = []
        var index = lines.startIndex + 1
        while index < lines.endIndex, let first = lines[index].first, first.isBlank {
            if lines[index].starts(with: Self.groupTitle.utf8) { return nil }
            if let frame = PythonFrame(lines[index]) {
                frames.append(frame.frame)
            } else if let last = frames.indices.last, frames[last].sourceLine == nil {
                frames[last].sourceLine = PythonFrame.sourceLine(lines[index])
            }
            index += 1
        }
        guard !frames.isEmpty else { return nil }
        frames.reverse()
        let rest = lines[index...]
        if let (exception, count) = Self.exception(in: rest) {
            self.exceptions = [exception]
            self.exceptions[0].frames = frames
            self.lines = lines.startIndex..<index + count
        } else {
            guard index >= end || rest.allSatisfy(\.isBlank) else { return nil }
            self.exceptions = [RaisedException(type: "traceback", frames: frames)]
            self.lines = lines.startIndex..<index
        }
    }

    /// The exception that the lines begin with, and how many of them its message and its notes have.
    static func exception(in lines: ArraySlice<ArraySlice<UInt8>>) -> (exception: RaisedException, count: Int)? {
        guard let line = lines.first else { return nil }
        var name = line.className()
        // The class of a function is written as `function.<locals>.Class`.
        while let inner = line[name.endIndex...].dropping("<locals>.") {
            name = line[line.startIndex..<inner.className().endIndex]
        }
        guard !name.isEmpty else { return nil }
        let behind = line[name.endIndex...]
        guard behind.isEmpty || behind.starts(with: ": ".utf8) || behind.elementsEqual(":".utf8) else { return nil }
        var exception = RaisedException(type: name.text, message: behind.dropFirst(2).text.nonEmpty)
        var count = 1
        for line in lines.dropFirst().prefix(RaisedException.maximumLineCount) {
            if line.isBlank || self.isBehindMessage(line) { break }
            exception.add(line)
            count += 1
        }
        return (exception, count)
    }

    /// What ends a message, beside a blank line: something else that Python prints.
    private static func isBehindMessage(_ line: ArraySlice<UInt8>) -> Bool {
        line.elementsEqual("\"\"\"".utf8) || self.beginnings.contains { line.starts(with: $0.utf8) }
            || LogSurroundings.isRecord(line)
    }

    private static let beginnings =
        links + [
            title, groupTitle, "Exception in thread ", "Exception ignored ", "Fatal Python error: ", "Call stack:",
            "Process finished ",
        ]

    /// Whether a line of a chain stands before the traceback that begins at an index.
    static func isLinked(at index: Int, in lines: [ArraySlice<UInt8>]) -> Bool {
        guard let line = LogSurroundings(lines: lines).lineBefore(index) else { return false }
        return self.links.contains { line.elementsEqual($0.utf8) }
    }
}
