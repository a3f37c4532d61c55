/// An exception that a program in Nim did not catch, or a fault that its runtime met.
///
/// ```
/// Traceback (most recent call last)
/// /srv/till/src/main.nim(20) main
/// /srv/till/src/till.nim(12) settle
/// Error: unhandled exception: index 7 not in 0 .. 2 [IndexDefect]
/// ```
/// The outermost call stands first. Source: `lib/system/excpt.nim`.
enum NimExceptionFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("Error: unhandled exception: "), .beginning("SIGSEGV: Illegal storage access."),
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            let cause: Crash.Cause
            if let words = text.lines[place].dropping("Error: unhandled exception: ") {
                guard let inner = words.droppingSuffix("]"), let bracket = inner.lastRange(of: " [") else { continue }
                cause = Crash.Cause(
                    type: inner[bracket.upperBound...].text, message: inner[..<bracket.lowerBound].text)
            } else {
                cause = Crash.Cause(
                    type: "SIGSEGV", message: text.lines[place].after(": ")?.text, signal: "SIGSEGV")
            }
            let frames = self.frames(before: place, in: text.lines)
            var crash = Crash(program: text.origin?.name, process: text.origin?.process, cause: cause)
            crash.runtime = Crash.Runtime(name: "Nim")
            if !frames.isEmpty { crash.threads = [Crash.Thread(isCrashed: true, frames: frames)] }
            return TextFinding(crash, format: "nim-exception", subject: "nim", severity: .exception, line: place)
        }
        return nil
    }

    /// The lines above the error, innermost first: `/srv/till/src/till.nim(12) settle`.
    private static func frames(before place: Int, in lines: [ArraySlice<UInt8>]) -> [Crash.Frame] {
        var frames: [Crash.Frame] = []
        for line in lines[..<place].suffix(TextBounds.frameCount).reversed() {
            guard let end = line.range(of: ") "), let opening = line[..<end.lowerBound].lastRange(of: "("),
                let number = line[opening.upperBound..<end.lowerBound].decimalNumber
            else { break }
            let file = line[..<opening.lowerBound].text
            let path = Array(file.utf8)[...]
            frames.append(
                Crash.Frame(
                    function: line[end.upperBound...].trimmed.text, file: file, line: number,
                    isOwn: !path.contains("/lib/system") && !path.contains("/.nimble/")))
        }
        return frames
    }
}
