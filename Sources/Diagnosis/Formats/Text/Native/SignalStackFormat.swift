/// A stack that a program's own handler of fatal signals wrote, below a line that names the signal.
///
/// ```
/// *** Aborted at 1764321840 (unix time) try "date -d @1764321840" if you are using GNU date ***
/// PC: @     0x55d1c2a1f3b4 settle()
/// *** SIGSEGV (@0x18) received by PID 3144 (TID 0x7f0c6f3c7740) from PID 24; stack trace: ***
///     @     0x7f3c6ade224a (unknown)
///     @     0x55d1c2a1f3b4 settle()
/// ```
/// That is glog; Abseil, folly, Chromium, Boost, Fortran's library and handlers with `backtrace_symbols` have the same
/// parts (``NativeStack``).
enum SignalStackFormat: TextFormat {
    static let marks: [LineMark] = [
        .containing("[0x"), .beginning("    @ "), .beginning("#0 "), .beginning("    #0 "), .beginning(" 0# "),
        .beginning("  0# "), .beginning("0# "),
    ]

    /// How many lines may stand between the signal and the stack. Servers explain there what to do with the report.
    private static let maximumDistance = 32

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        var end = text.lines.startIndex
        var headline: (line: Int, value: SignalHeadline)?
        var unread = text.lines.startIndex
        for place in places where place >= end {
            let frames = NativeStack.frames(at: text.lines[place...])
            end = place + max(1, frames.count)
            // In a report of Ruby's it is the interpreter's stack, beside that of the program (`RubyBugFormat`).
            let title = text.lines[..<place].suffix(64).last { $0.starts(with: "-- ".utf8) }
            guard title?.starts(with: "-- C level backtrace".utf8) != true else { continue }
            // One line with an address in brackets is no stack.
            guard frames.count > (text.lines[place].last == UInt8(ascii: "]") ? 1 : 0) else { continue }
            // No line is looked at twice, however many stacks there are.
            for index in text.lines[unread..<place].suffix(self.maximumDistance).indices {
                headline = SignalHeadline(text.lines[index]).map { (index, $0) } ?? headline
            }
            unread = place
            guard let headline, place - headline.line <= self.maximumDistance else { continue }
            return self.finding(headline.value, frames: self.withoutHandler(frames), at: place, in: text)
        }
        return nil
    }

    private static func finding(
        _ headline: SignalHeadline, frames: [Crash.Frame], at place: Int, in text: CapturedText
    ) -> TextFinding {
        var cause = headline.cause
        if headline.signal == "SIGABRT", let reason = AbortMessage.cause(before: place, in: text.lines) {
            cause.type = reason.type
            cause.message = reason.message
        }
        var crash = Crash(
            program: NativeStack.program(of: frames) ?? text.origin?.name,
            process: headline.process ?? text.origin?.process, cause: cause)
        crash.threads = [Crash.Thread(isCrashed: true, frames: frames)]
        crash.occurredAt = text.lines[..<place].suffix(self.maximumDistance).lazy.compactMap(self.time).first
        return TextFinding(crash, format: "signal-stack", line: place)
    }

    /// The seconds since 1970 in `*** Aborted at 1764321840 (unix time)` or `received at time=1764321840 on cpu 3`, as
    /// milliseconds.
    private static func time(in line: ArraySlice<UInt8>) -> Int64? {
        guard let digits = (line.dropping("*** Aborted at ") ?? line.after(" received at time="))?.leadingDigits,
            digits.count <= 11
        else { return nil }
        return digits.decimalNumber.map { $0 * 1_000 }
    }

    /// The functions of the handler are no place of the fault: they stand before the C library's frame that the kernel
    /// returns to.
    private static func withoutHandler(_ frames: [Crash.Frame]) -> [Crash.Frame] {
        let trampoline = frames.prefix(16).firstIndex { frame in
            guard let module = frame.module else { return frame.function == "__restore_rt" }
            let isLibrary = ["libc.so", "libc-", "libpthread"].contains { module.lastPathComponent.hasPrefix($0) }
            return isLibrary && (frame.function == nil || ["__restore_rt", "killpg"].contains(frame.function))
        }
        guard let trampoline, frames[(trampoline + 1)...].contains(where: \.isOwn) else { return frames }
        var marked = frames
        for index in 0..<trampoline { marked[index].isOwn = false }
        return marked
    }
}
