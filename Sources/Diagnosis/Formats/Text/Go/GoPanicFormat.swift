/// A panic or fatal error of a Go program, a signal that ended one, or a dump that somebody asked for.
///
/// ```
/// panic: runtime error: index out of range [7] with length 2
///
/// goroutine 1 [running]:
/// main.settle(0x7faf511ef108?, 0x60?)
///         /srv/shop/p.go:12 +0x30
/// ```
/// Source: `runtime/panic.go`, `runtime/traceback.go` and `runtime/signal_unix.go`.
enum GoPanicFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("panic: "), .beginning("fatal error: "), .beginning("SIG"), .containing(": panic serving "),
        .beginning("unexpected fault address "),
    ]

    static let words = ["panic: ", "fatal error: ", ": panic serving ", "unexpected fault address ", "goroutine "]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        // The first fault is the cause of what follows it: the program ends with its first panic.
        var first: TextFinding?
        for place in places {
            guard let finding = self.finding(at: place, in: text) else { continue }
            if finding.severity == .fatal { return finding }
            first = first ?? finding
        }
        return first
    }

    private static func finding(at place: Int, in text: CapturedText) -> TextFinding? {
        guard let report = GoReport(text.lines[place...]) else { return nil }
        var crash = Crash(program: text.origin?.name, process: text.origin?.process, cause: report.cause)
        if report.kind == .crash, crash.cause.type == "SIGABRT",
            let reason = AbortMessage.cause(before: place, in: text.lines)
        {
            crash.cause.type = reason.type
            crash.cause.message = reason.message
        }
        crash.runtime = Crash.Runtime(name: "Go")
        crash.threads = report.threads
        return TextFinding(
            diagnosis: Diagnosis(
                format: "go-panic", contentType: ContentType.text, kind: report.kind,
                summary: crash.summary(subject: "go"), crash: crash),
            severity: report.kind == .crash ? .fatal : .finding, line: place)
    }
}
