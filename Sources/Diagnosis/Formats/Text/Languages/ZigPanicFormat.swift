/// A panic of a program in Zig, a fault that its handler met, or an error that its main function returned.
///
/// ```
/// thread 3144 panic: index out of bounds: index 7, len 3
/// /srv/till/src/main.zig:12:19: 0x10349f8 in settle (till)
///     return totals[id];
///                   ^
/// ```
/// Source: `std.debug` of Zig's standard library.
enum ZigPanicFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("thread "), .beginning("panic: "), .beginning("Segmentation fault at address 0x"),
        .beginning("error: "),
    ]

    static let words = ["panic: ", "Segmentation fault at address 0x", ".zig:"]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            guard let cause = self.cause(text.lines[place]) else { continue }
            let (frames, program) = self.stack(in: text.lines[(place + 1)...])
            guard !frames.isEmpty else { continue }
            var crash = Crash(program: program ?? text.origin?.name, process: text.origin?.process, cause: cause)
            crash.runtime = Crash.Runtime(name: "Zig")
            let number = text.lines[place].dropping("thread ")?.leadingDigits?.decimalNumber
            crash.threads = [Crash.Thread(number: number, isCrashed: true, frames: frames)]
            return TextFinding(crash, format: "zig-panic", subject: "zig", line: place)
        }
        return nil
    }

    private static func cause(_ line: ArraySlice<UInt8>) -> Crash.Cause? {
        if let rest = line.dropping("thread "), let digits = rest.leadingDigits {
            let message = rest[digits.endIndex...].dropping(" panic: ")
            return message.map { Crash.Cause(type: "panic", message: $0.text, signal: "SIGABRT") }
        }
        if let message = line.dropping("panic: ") { return Crash.Cause(type: "panic", message: message.text) }
        if let digits = line.dropping("Segmentation fault at address 0x") {
            return Crash.Cause(type: "SIGSEGV", signal: "SIGSEGV", address: digits.hexNumber)
        }
        // Names of errors are single words.
        guard let name = line.dropping("error: "), !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isDigit }) else {
            return nil
        }
        return Crash.Cause(type: name.text)
    }

    /// The frames, and the lines of the source between them.
    private static func stack(in lines: ArraySlice<ArraySlice<UInt8>>) -> (frames: [Crash.Frame], program: String?) {
        var frames: [Crash.Frame] = []
        var program: String?
        for line in lines.prefix(TextBounds.frameCount) {
            if line.first?.isBlank == true, !frames.isEmpty { continue }
            guard let place = line.range(of: ": 0x"), let location = SourceLocation(line[..<place.lowerBound]),
                let symbol = line[place.upperBound...].range(of: " in "), let inner = line.droppingSuffix(")"),
                let module = inner.lastRange(of: " ("), symbol.upperBound <= module.lowerBound
            else { break }
            program = program ?? inner[module.upperBound...].text
            let isLibrary = location.file.contains("/lib/zig/") || location.file.contains("/lib/std/")
            frames.append(
                Crash.Frame(
                    function: line[symbol.upperBound..<module.lowerBound].text, file: location.file,
                    line: location.line, column: location.column, module: inner[module.upperBound...].text,
                    address: line[place.upperBound..<symbol.lowerBound].hexNumber, isOwn: !isLibrary))
        }
        return (frames, program)
    }
}
