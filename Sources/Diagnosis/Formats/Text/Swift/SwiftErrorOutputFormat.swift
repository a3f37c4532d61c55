/// What a Swift program that crashed wrote to standard error: its last words, then the backtracer's.
///
/// ```
/// shop/main.swift:12: Fatal error: ledger is closed
///
/// *** Signal 4: Backtracing from 0x7f5f182f9361... done ***
/// ```
/// The report may follow (``SwiftTextReport``) or lie in a file of its own. The message of a `fatalError` is nowhere
/// else. Where the backtracer is off, the last words are all there is, or the runtime's own stack follows them
/// (``SwiftStackTrace``).
enum SwiftErrorOutputFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("*** Signal "), .beginning("\u{1f4a3} Program crashed: Signal "),
        .containing(": Fatal error"), .containing(": Precondition failed"), .containing(": Assertion failed"),
        .beginning("Fatal error: "), .beginning("Precondition failed: "), .beginning("Current stack trace:"),
        .beginning("Could not cast value of type '"),
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.reversed() {
            let signal = SwiftTextReport.signal(in: text.lines[place])
            guard
                let diagnosis = signal.map({ self.diagnosis(ofSignal: $0, at: place, in: text) })
                    ?? self.crashWithoutBacktracer(at: place, in: text).map({
                        self.diagnosis(of: $0, summary: $0.summary(subject: "swift"))
                    })
            else { continue }
            // Words alone may be quoted in a report of another kind.
            let frames = diagnosis.crash?.crashedThread?.frames ?? []
            let isAlone = signal == nil && !frames.contains { $0.function != nil }
            return TextFinding(diagnosis: diagnosis, severity: isAlone ? .exception : .fatal, line: place)
        }
        return nil
    }

    private static func diagnosis(of crash: Crash, summary: String) -> Diagnosis {
        Diagnosis(
            format: "swift-stderr", contentType: ContentType.text, kind: .crash, summary: summary, crash: crash)
    }

    private static func diagnosis(ofSignal signal: Int, at place: Int, in text: CapturedText) -> Diagnosis {
        // On a terminal the report begins in the same line.
        let beginning = text.lines[place...].prefix(32)
        let report = beginning.indices.lazy.compactMap { SwiftTextReport(text.lines[$0...]) }.first
        let name = SignalName.linux(signal)
        let words = SwiftLastWords(before: place, in: text.lines, isAbort: name == "SIGABRT")
        var crash = Crash(
            program: text.origin?.name, process: text.origin?.process, cause: Crash.Cause(type: name, signal: name))
        crash.runtime = Crash.Runtime(name: "Swift")
        if let report { crash = SwiftTextFormat.crash(report, in: text) }
        crash.cause.signal = name
        words?.complete(&crash)
        var sentence = words?.sentence ?? report?.reason ?? name
        // The words of a C or C++ library in the same program have a form of their own.
        if words?.type == nil, name == "SIGABRT", let reason = AbortMessage.cause(before: place, in: text.lines) {
            crash.cause.type = reason.type
            crash.cause.message = reason.message
            sentence = reason.sentence
        }
        let summary =
            report == nil && words?.type != nil
            ? crash.summary(subject: "swift")
            : SwiftTextFormat.summary(crash, sentence: sentence, place: report?.place ?? "")
        return self.diagnosis(of: crash, summary: summary)
    }

    /// A message of the runtime that no backtracer follows: with the runtime's own stack, or as the last line.
    private static func crashWithoutBacktracer(at place: Int, in text: CapturedText) -> Crash? {
        let lines = text.lines
        if let cause = self.failedCast(lines[place]) {
            guard self.isLast(place, in: lines) else { return nil }
            var crash = Crash(program: text.origin?.name, process: text.origin?.process, cause: cause)
            crash.runtime = Crash.Runtime(name: "Swift")
            return crash
        }
        let isStack = lines[place].elementsEqual("Current stack trace:".utf8)
        guard let words = SwiftLastWords(before: isStack ? place : place + 1, in: lines, isAbort: isStack),
            isStack || words.line == place
        else { return nil }
        let frames = isStack ? SwiftStackTrace.frames(in: lines[(place + 1)...]) : []
        guard !frames.isEmpty || (words.hasSwiftFile && self.isLast(place, in: lines)) else { return nil }
        var crash = Crash(
            program: text.origin?.name, process: text.origin?.process, cause: Crash.Cause(type: "Fatal error"))
        crash.runtime = Crash.Runtime(name: "Swift")
        if !frames.isEmpty {
            crash.program = NativeStack.program(of: frames) ?? crash.program
            crash.threads = [Crash.Thread(isCrashed: true, frames: frames)]
        }
        words.complete(&crash)
        return crash
    }

    /// `Could not cast value of type 'Swift.String' (0x7f90f1bd7ca0) to 'Swift.Int' (0x7f90f1bda698).`, the words of
    /// `as!` before it aborts.
    private static func failedCast(_ line: ArraySlice<UInt8>) -> Crash.Cause? {
        guard let rest = line.dropping("Could not cast value of type '"), rest.contains("' (0x"),
            rest.contains(") to '"), rest.droppingSuffix(").") != nil
        else { return nil }
        return Crash.Cause(type: "SIGABRT", message: line.text, signal: "SIGABRT")
    }

    /// Whether nothing follows but a few lines of a message, and of a shell.
    private static func isLast(_ place: Int, in lines: [ArraySlice<UInt8>]) -> Bool {
        lines[(place + 1)...].prefix(5).count < 5
    }
}
