/// A panic of a Rust program, or an error that its runtime ended it for.
///
/// ```
/// thread 'NAME' (TID) panicked at FILE:LINE:COLUMN:
/// MESSAGE
/// stack backtrace:
///    0: FUNCTION
///              at FILE:LINE:COLUMN
/// ```
/// Before Rust 1.73 the message stands on the first line: `panicked at 'MESSAGE', FILE:LINE:COLUMN`. Source:
/// `library/std/src/panicking.rs`, `library/std/src/sys/pal/unix/stack_overflow.rs`, `library/std/src/alloc.rs`.
enum RustPanicFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("thread '"), .beginning("fatal runtime error: "), .beginning("memory allocation of "),
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        // The first panic is the fault; what follows it are threads that waited for the first one.
        for place in places where !self.isExpected(at: place, in: text) {
            let lines = text.lines[place...]
            if let panic = RustPanic(lines) {
                let isAbort = lines.contains(where: self.isAbort)
                return self.finding(panic, isAbort: isAbort, at: place, in: text)
            }
            guard let cause = self.runtimeError(lines) else { continue }
            let crash = self.crash(cause, in: text)
            return self.finding(crash, summary: crash.summary(subject: "rust"), at: place, severity: .fatal)
        }
        return nil
    }

    /// Whether a test wrote the panic that passed: `---- NAME stdout ----` is above it, `test result: ok. …` below.
    private static func isExpected(at place: Int, in text: CapturedText) -> Bool {
        guard let title = LogSurroundings(lines: text.lines).lineBefore(place), title.starts(with: "---- ".utf8),
            title.droppingSuffix(" stdout ----") != nil
        else { return false }
        let result = text.lines[place...].prefix(4_096).first { $0.starts(with: "test result: ".utf8) }
        return result?.starts(with: "test result: ok".utf8) == true
    }

    /// Whether the runtime gave up on the panic and aborted: a function that must not unwind, or a panic in a panic.
    private static func isAbort(_ line: ArraySlice<UInt8>) -> Bool {
        line.elementsEqual("thread caused non-unwinding panic. aborting.".utf8)
            || line.starts(with: "thread panicked while p".utf8)
    }

    private static func finding(
        _ panic: RustPanic, isAbort: Bool, at place: Int, in text: CapturedText
    ) -> TextFinding {
        var crash = self.crash(
            Crash.Cause(type: "panic", message: panic.message, signal: isAbort ? "SIGABRT" : nil), in: text)
        crash.threads = [Crash.Thread(name: panic.thread, number: panic.number, isCrashed: true, frames: panic.frames)]
        let subject = crash.subject(orElse: "rust") ?? "rust"
        let words = panic.message.split(whereSeparator: \.isNewline).first ?? ""
        let summary = "\(subject): panic '\(words)' at \(panic.place) (thread \(panic.thread))"
        return self.finding(crash, summary: summary, at: place, severity: isAbort ? .fatal : .exception)
    }

    private static func crash(_ cause: Crash.Cause, in text: CapturedText) -> Crash {
        var crash = Crash(program: text.origin?.name, process: text.origin?.process, cause: cause)
        crash.runtime = Crash.Runtime(name: "Rust")
        return crash
    }

    private static func finding(
        _ crash: Crash, summary: String, at place: Int, severity: TextFinding.Severity
    ) -> TextFinding {
        TextFinding(
            diagnosis: Diagnosis(
                format: "rust-panic", contentType: ContentType.text, kind: .crash, summary: summary, crash: crash),
            severity: severity, line: place)
    }

    /// What ends a program without a panic: the runtime aborts.
    private static func runtimeError(_ lines: ArraySlice<ArraySlice<UInt8>>) -> Crash.Cause? {
        guard let title = lines.first else { return nil }
        let following = lines.dropFirst().first { !$0.isEmpty }
        if title.dropping("thread '")?.contains("' ") == true, title.droppingSuffix(" has overflowed its stack") != nil
        {
            guard following?.starts(with: "fatal runtime error: ".utf8) ?? true else { return nil }
            return Crash.Cause(type: "stack overflow", message: title.text, signal: "SIGABRT")
        }
        if let message = title.dropping("fatal runtime error: "), title.count <= 512 {
            return Crash.Cause(type: "fatal runtime error", message: message.text, signal: "SIGABRT")
        }
        guard let size = title.between("memory allocation of ", " bytes failed"), size.decimalNumber != nil,
            title.droppingSuffix(" bytes failed") != nil
        else { return nil }
        return Crash.Cause(type: "allocation failure", message: title.text, signal: "SIGABRT")
    }
}
