/// The exceptions of Python that nobody caught.
///
/// The last exception of a chain is the one that ended the program or its thread; those before it are the causes.
/// ``PythonTraceback`` and ``PythonExceptionGroup`` show the forms. An error of syntax in the program's own file has no
/// traceback:
///
/// ```
///   File "/srv/shop/report.py", line 9
///     rows = [r for r in cursor
///            ^
/// SyntaxError: '[' was never closed
/// ```
enum PythonTracebackFormat: TextFormat {
    private static let syntaxErrors = ["SyntaxError: ", "IndentationError: ", "TabError: "]

    static let marks: [LineMark] =
        [.beginning(PythonTraceback.title), .beginning(PythonTraceback.groupTitle)]
        + syntaxErrors.map { .beginning($0) }

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        var worst: Outcome?
        var last: Outcome?
        for place in places where place >= last?.lines.upperBound ?? 0 {
            guard let traceback = self.traceback(at: place, in: text) else { continue }
            var outcome = Outcome(traceback, in: text)
            if let known = last, PythonTraceback.isLinked(at: place, in: text.lines) {
                outcome.join(known)
            } else {
                worst = self.worse(of: worst, last, in: text)
            }
            last = outcome
        }
        return self.worse(of: worst, last, in: text)?.finding(in: text)
    }

    /// The one of two chains that tells more: the later one, unless only the earlier one is a crash.
    private static func worse(of earlier: Outcome?, _ later: Outcome?, in text: CapturedText) -> Outcome? {
        guard var later else { return earlier }
        if LogSurroundings(lines: text.lines).showSurvival(of: later.lines) { later.isCrash = false }
        return !later.isCrash && earlier?.isCrash == true ? earlier : later
    }

    private static func traceback(at place: Int, in text: CapturedText) -> PythonTraceback? {
        let gap = text.gap.flatMap { $0 > place ? $0 : nil }
        let lines = text.lines[place..<(gap ?? text.lines.count)]
        guard let title = lines.first else { return nil }
        if title.starts(with: PythonTraceback.groupTitle.utf8) {
            return PythonExceptionGroup.read(lines, end: lines.endIndex)
        }
        if title.elementsEqual(PythonTraceback.title.utf8) { return PythonTraceback(lines, end: lines.endIndex) }
        return self.syntaxError(at: place, in: text.lines)
    }

    /// An error of syntax without a traceback; the place in the file stands up to four lines before it.
    private static func syntaxError(at place: Int, in lines: [ArraySlice<UInt8>]) -> PythonTraceback? {
        var start = place
        while start > 0, place - start < 5, lines[start - 1].starts(with: "  ".utf8) { start -= 1 }
        guard let frame = PythonFrame(lines[start])?.frame, frame.function == nil,
            frame.file?.first != "<" || frame.file == "<string>",
            let (exception, count) = PythonTraceback.exception(in: lines[place...])
        else { return nil }
        var error = exception
        error.frames = [frame]
        return PythonTraceback(exceptions: [error], lines: start..<place + count)
    }

    /// A chain of tracebacks, and what became of the program.
    private struct Outcome {
        private(set) var exceptions: [RaisedException]
        private(set) var lines: Range<Int>
        var isCrash: Bool
        private(set) var thread: String?

        init(_ traceback: PythonTraceback, in text: CapturedText) {
            self.exceptions = traceback.exceptions
            self.lines = traceback.lines
            let before = LogSurroundings(lines: text.lines).lineBefore(traceback.lines.lowerBound) ?? []
            let outermost = traceback.exceptions.first?.frames.last?.file ?? ""
            // The process that looks after shared memory prints what goes wrong, and goes on.
            self.isCrash =
                !PythonTracebackFormat.isSurvived(before)
                && !outermost.hasSuffix("/multiprocessing/resource_tracker.py")
            let thread = before.dropping("Exception in thread ") ?? before.dropping("Process ")
            self.thread = thread?.droppingSuffix(":")?.text
        }

        /// Makes an earlier chain the cause of this one.
        mutating func join(_ cause: Outcome) {
            self.exceptions = (self.exceptions + cause.exceptions).prefix(Crash.Bounds.earlierCauseCount + 1) + []
            self.lines = cause.lines.lowerBound..<self.lines.upperBound
            self.isCrash = self.isCrash && cause.isCrash
            self.thread = cause.thread
        }

        func finding(in text: CapturedText) -> TextFinding? {
            guard let exception = self.exceptions.first else { return nil }
            let frames = exception.frames
            return RuntimeCrash(
                format: "python-traceback", subject: "python", runtime: PythonFrame.runtime(of: frames),
                cause: exception.cause, earlierCauses: self.exceptions.dropFirst().map(\.earlierCause),
                threads: [Crash.Thread(name: self.thread, isCrashed: true, frames: frames)],
                kind: self.isCrash ? .crash : .diagnostic, line: self.lines.lowerBound
            ).finding(in: text)
        }
    }

    /// Whether the line before a traceback says that the interpreter, a library or a server goes on.
    private static func isSurvived(_ line: ArraySlice<UInt8>) -> Bool {
        // The module unittest writes a rule before the exception of a test.
        self.beginningsOfSurvived.contains { line.starts(with: $0.utf8) }
            || self.wordsOfSurvived.contains { line.contains($0) }
            || line.count > 40 && line.allSatisfy { $0 == UInt8(ascii: "-") }
    }

    private static let beginningsOfSurvived = [
        "Exception ignored ", "future: <", "handle: <", "task: <", "--- Logging error ---", "Internal Server Error: /",
        "Exception happened during processing of request from",
    ]

    private static let wordsOfSurvived = [
        "exception was never retrieved", "Exception in ASGI application", ": Exception on /",
    ]
}
