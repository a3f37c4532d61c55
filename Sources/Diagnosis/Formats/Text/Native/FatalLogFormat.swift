/// A line that a logging library wrote with its severity for "fatal" before it aborted: glog, Abseil, Chromium, and
/// Go's klog.
///
/// ```
/// F0312 12:34:56.789012  1234 ledger.cc:12] Check failed: open
/// *** Check failure stack trace: ***
///     @     0x7f3c6ade224a  google::LogMessage::Fail()
/// ```
enum FatalLogFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("F0"), .beginning("F1"), .beginning("F2"), .containing(":FATAL:"), .beginning("[FATAL:"),
    ]

    static let words = [
        "F01", "F02", "F03", "F04", "F05", "F06", "F07", "F08", "F09", "F10", "F11", "F12", "F20", ":FATAL:",
        "[FATAL:",
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            guard let check = FailedCheck(text.lines[place]) else { continue }
            let following = text.lines[(place + 1)...]
            let frames = NativeStack(in: following, within: 3).frames
            var crash = Crash(
                program: NativeStack.program(of: frames) ?? text.origin?.name,
                process: check.process ?? text.origin?.process, cause: check.cause)
            crash.threads = [Crash.Thread(isCrashed: true, frames: frames)]
            if frames.isEmpty {
                let start = following.prefix(2).firstIndex { GoStack.header($0) != nil }
                crash.threads =
                    start.map { GoStack.goroutines(in: text.lines[$0...], isCrash: true) }
                    ?? [Crash.Thread(isCrashed: true, frames: [check.frame])]
            }
            return TextFinding(crash, format: "fatal-log", line: place)
        }
        return nil
    }
}
