/// An error that ended a program in Haskell.
///
/// ```
/// shopd: no rate for CHW
/// CallStack (from HasCallStack):
///   error, called at src/Rates.hs:12:5 in shop-1.2-inplace:Rates
///   convert, called at app/Main.hs:8:3 in main:Main
/// ```
/// Since GHC 9.10 the second line is `HasCallStack backtrace:`. Source: `GHC.Stack.prettyCallStack` of the library base.
enum HaskellErrorFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("CallStack (from HasCallStack):"), .beginning("HasCallStack backtrace:"),
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.reversed() {
            let frames = self.frames(in: text.lines[(place + 1)...])
            guard !frames.isEmpty, let title = self.title(before: place, in: text.lines) else { continue }
            var crash = Crash(
                program: title.program, process: text.origin?.process,
                cause: Crash.Cause(type: frames.first?.function ?? "error", message: title.message))
            crash.runtime = Crash.Runtime(name: "GHC")
            // The innermost call is the one of the function that failed on purpose.
            crash.threads = [Crash.Thread(isCrashed: true, frames: frames)]
            return TextFinding(crash, format: "haskell-error", subject: "haskell", severity: .exception, line: place)
        }
        return nil
    }

    /// `PROGRAM: MESSAGE`, in the nearest line before the stack that begins with a word and a colon.
    private static func title(
        before place: Int, in lines: [ArraySlice<UInt8>]
    ) -> (program: String, message: String)? {
        for index in lines[..<place].suffix(16).indices.reversed() {
            guard let colon = lines[index].range(of: ": ") else { continue }
            let program = lines[index][..<colon.lowerBound]
            guard !program.isEmpty, !program.contains(where: \.isBlank) else { continue }
            var message = lines[index][colon.upperBound...]
            if message.starts(with: "Uncaught exception ".utf8) {
                message = lines[(index + 1)..<place].first { !$0.trimmed.isEmpty } ?? message
            }
            return (program.lastPathComponent.text, message.trimmed.text)
        }
        return nil
    }

    /// `  error, called at src/Rates.hs:12:5 in shop-1.2-inplace:Rates`
    private static func frames(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        var frames: [Crash.Frame] = []
        for line in lines.prefix(TextBounds.frameCount) {
            guard line.first?.isBlank == true, let call = line.range(of: ", called at "),
                let place = line[call.upperBound...].range(of: " in "),
                let location = SourceLocation(line[call.upperBound..<place.lowerBound])
            else { break }
            let module = line[place.upperBound...].text
            let function = line[..<call.lowerBound].trimmed.text
            // The place is where the function was called, so it is the program's for the library's own functions too.
            frames.append(
                Crash.Frame(
                    function: function, file: location.file, line: location.line, column: location.column,
                    module: module, isOwn: !["base", "ghc-"].contains { module.hasPrefix($0) }))
        }
        return frames
    }
}
