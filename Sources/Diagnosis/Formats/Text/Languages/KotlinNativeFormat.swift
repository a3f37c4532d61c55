/// An exception that a native program in Kotlin did not catch.
///
/// ```
/// Uncaught Kotlin exception: kotlin.IllegalStateException: no rate for CHW
///     at 0   till.kexe      0x2345a1       kfun:kotlin.IllegalStateException#<init>(kotlin.String?){} + 93
///     at 1   till.kexe      0x234b11       kfun:#settle(kotlin.Int){} + 97 (/srv/till/src/main.kt:12:11)
/// ```
/// Source: `kotlin-native/runtime` of Kotlin.
enum KotlinNativeFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("Uncaught Kotlin exception: ")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            guard let words = text.lines[place].dropping("Uncaught Kotlin exception: ") else { continue }
            let frames = self.frames(in: text.lines[(place + 1)...])
            guard !frames.isEmpty else { continue }
            var crash = Crash(
                program: frames.first?.module ?? text.origin?.name, process: text.origin?.process,
                cause: Crash.Cause(
                    type: (words.before(": ") ?? words).text, message: words.after(": ")?.text, signal: "SIGABRT"))
            crash.runtime = Crash.Runtime(name: "Kotlin/Native")
            crash.threads = [Crash.Thread(isCrashed: true, frames: frames)]
            return TextFinding(crash, format: "kotlin-native", subject: "kotlin", line: place)
        }
        return nil
    }

    private static func frames(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        var frames: [Crash.Frame] = []
        for line in lines.prefix(TextBounds.frameCount) {
            guard let rest = line.trimmed.dropping("at "), let number = rest.leadingDigits else { break }
            let words = rest[number.endIndex...].split(separator: 0x20, maxSplits: 2)
            guard words.count == 3, words[1].starts(with: "0x".utf8) else { break }
            var symbol = words[2].trimmed
            let location = symbol.droppingSuffix(")").flatMap { inner in
                inner.lastRange(of: " (").flatMap { SourceLocation(inner[$0.upperBound...]) }
            }
            if location != nil, let opening = symbol.lastRange(of: " (") { symbol = symbol[..<opening.lowerBound] }
            let name = symbol.dropping("kfun:#") ?? symbol.dropping("kfun:") ?? symbol
            let isLibrary = name.starts(with: "kotlin.".utf8) || !symbol.starts(with: "kfun:".utf8)
            frames.append(
                Crash.Frame(
                    function: FunctionName.plain(name), file: location?.file, line: location?.line,
                    column: location?.column, module: words[0].text, address: words[1].hexNumber, isOwn: !isLibrary))
        }
        return frames
    }
}
