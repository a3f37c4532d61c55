/// An exception that a program in Crystal did not rescue.
///
/// ```
/// Unhandled exception: Index out of bounds (IndexError)
///   from /usr/share/crystal/src/indexable.cr:92:13 in 'fetch'
///   from src/till.cr:12:3 in 'settle'
/// ```
/// Source: `src/crystal/main.cr` and `src/exception.cr`.
enum CrystalExceptionFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("Unhandled exception: ")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            guard let words = text.lines[place].dropping("Unhandled exception: "),
                let inner = words.droppingSuffix(")"), let bracket = inner.lastRange(of: " (")
            else { continue }
            let frames = self.frames(in: text.lines[(place + 1)...])
            guard !frames.isEmpty else { continue }
            var crash = Crash(
                program: text.origin?.name, process: text.origin?.process,
                cause: Crash.Cause(
                    type: inner[bracket.upperBound...].text, message: inner[..<bracket.lowerBound].text))
            crash.runtime = Crash.Runtime(name: "Crystal")
            crash.threads = [Crash.Thread(isCrashed: true, frames: frames)]
            return TextFinding(
                crash, format: "crystal-exception", subject: "crystal", severity: .exception, line: place)
        }
        return nil
    }

    private static func frames(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        var frames: [Crash.Frame] = []
        for line in lines.prefix(TextBounds.frameCount) {
            guard let rest = line.dropping("  from ") else { break }
            let place = rest.before(" in '") ?? rest
            let location = SourceLocation(place)
            let file = location?.file ?? place.text
            let isLibrary = file.hasPrefix("/usr/") || file.hasPrefix("lib/") || file.contains("/crystal/src/")
            frames.append(
                Crash.Frame(
                    function: rest.between(" in '", "'")?.text, file: file, line: location?.line,
                    column: location?.column, isOwn: !isLibrary && location != nil))
        }
        return frames
    }
}
