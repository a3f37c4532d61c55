/// An exception that a program in OCaml did not catch.
///
/// ```
/// Fatal error: exception Stdlib.Failure("no rate for CHW")
/// Raised at Stdlib.failwith in file "stdlib.ml", line 29, characters 17-33
/// Called from Shop__Rates.convert in file "src/rates.ml", line 12, characters 2-9
/// ```
/// The stack is there where the program was started for it. Source: `runtime/printexc.c` and `runtime/backtrace.c`.
enum OCamlExceptionFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("Fatal error: exception ")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.reversed() {
            guard let exception = text.lines[place].dropping("Fatal error: exception "),
                let first = exception.first, first.isLetter, first & 0x20 == 0
            else { continue }
            let following = text.lines[(place + 1)...]
            let frames = self.frames(in: following)
            // Without a stack only the end of a capture tells that it was the program's end.
            guard !frames.isEmpty || following.prefix(3).count < 3 else { continue }
            let name = exception.prefix { $0.isLetter || $0.isDigit || $0 == 0x2e || $0 == 0x5f || $0 == 0x27 }
            let argument = exception[name.endIndex...].trimmed
            var crash = Crash(
                program: text.origin?.name, process: text.origin?.process,
                cause: Crash.Cause(type: name.text, message: self.unquoted(argument)))
            crash.runtime = Crash.Runtime(name: "OCaml")
            if !frames.isEmpty { crash.threads = [Crash.Thread(isCrashed: true, frames: frames)] }
            return TextFinding(crash, format: "ocaml-exception", subject: "ocaml", severity: .exception, line: place)
        }
        return nil
    }

    /// `no rate` of `("no rate")`.
    private static func unquoted(_ argument: ArraySlice<UInt8>) -> String? {
        let inner = argument.dropping("(")?.droppingSuffix(")") ?? argument
        return (inner.dropping("\"")?.droppingSuffix("\"") ?? inner).text.nonEmpty
    }

    private static func frames(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        var frames: [Crash.Frame] = []
        for line in lines.prefix(TextBounds.frameCount) {
            let verbs = ["Raised at ", "Raised by primitive operation at ", "Called from ", "Re-raised at "]
            guard let rest = verbs.lazy.compactMap({ line.dropping($0) }).first else { break }
            let file = rest.between("file \"", "\"")?.text
            let number = rest.after(", line ") ?? rest.after(", lines ")
            let function = rest.before(" in file ").flatMap { FunctionName.plain($0) }
            let isLibrary =
                function.map { $0.hasPrefix("Stdlib") || $0.hasPrefix("Caml") } == true
                || file.map { $0.hasPrefix("stdlib") || $0.hasPrefix("camlinternal") } == true
            frames.append(
                Crash.Frame(
                    function: function, file: file, line: number?.leadingDigits?.decimalNumber, isOwn: !isLibrary))
        }
        return frames
    }
}
