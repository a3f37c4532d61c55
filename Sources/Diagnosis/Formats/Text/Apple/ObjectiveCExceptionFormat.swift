/// An exception of Objective-C that nobody caught, as the program wrote it to its standard error.
///
/// ```
/// 2026-11-28 08:21:40.123 Till[4711:98765] *** Terminating app due to uncaught exception 'NSRangeException', reason: '…'
/// *** First throw call stack:
/// (
///     0   CoreFoundation    0x00007ff80a1b2c3d __exceptionPreprocess + 242
///     2   Till              0x0000000102a4c1b2 -[Till closeAt:] + 99
/// )
/// libc++abi: terminating due to uncaught exception of type NSException
/// ```
/// Source: the default handler of Apple's Foundation. On devices the stack is one line of addresses.
enum ObjectiveCExceptionFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("*** First throw call stack:")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.reversed() {
            // The reason may have several lines.
            let before = text.lines[max(0, place - TextBounds.messageLineCount)..<place]
            guard let title = before.last(where: { $0.contains("due to uncaught exception '") }),
                let exception = AppleCrashText.uncaught(in: [title])
            else { continue }
            let program = self.program(in: title)
            var crash = Crash(
                program: program?.name ?? text.origin?.name, process: program?.process ?? text.origin?.process,
                cause: Crash.Cause(type: exception.name, message: exception.reason.nonEmpty, signal: "SIGABRT"))
            let stack = AppleThreadLines(program: crash.program, images: [], crashedNumber: nil)
            let lines = text.lines[(place + 1)...].dropFirst(text.lines[(place + 1)...].first?.first == 0x28 ? 1 : 0)
            let frames = lines.lazy.prefix(TextBounds.frameCount).map { stack.frame($0.trimmed) }.prefix { $0 != nil }
            let calls = frames.compactMap { $0 }
            if !calls.isEmpty { crash.threads = [Crash.Thread(isCrashed: true, frames: Array(calls))] }
            // What the C++ library says of it below is no other crash.
            let end = lines.dropFirst(calls.count).prefix(8).firstIndex { $0.starts(with: "libc++abi".utf8) }
            return TextFinding(crash, format: "apple-exception", line: end ?? place)
        }
        return nil
    }

    /// `NAME[PROCESS:THREAD] ` before the words.
    private static func program(in title: ArraySlice<UInt8>) -> (name: String, process: Int64?)? {
        guard let head = title.before("] *** "), let opening = head.lastIndex(of: UInt8(ascii: "[")) else { return nil }
        let name = head[..<opening].trimmed
        let process = head[(opening + 1)...].leadingDigits?.decimalNumber
        return name.isEmpty || process == nil ? nil : (name.text, process)
    }
}
