/// An exception that a program in Dart did not catch.
///
/// ```
/// Unhandled exception:
/// RangeError (length): Invalid value: Not in inclusive range 0..2: 7
/// #0      List.[] (dart:core-patch/growable_array.dart:264:36)
/// #1      settle (file:///srv/till/bin/till.dart:12:18)
/// ```
/// Source: `runtime/vm/dart_entry.cc` and `runtime/vm/stack_trace.cc`.
enum DartExceptionFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("Unhandled exception:")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places where text.lines[place].elementsEqual("Unhandled exception:".utf8) {
            let following = text.lines[(place + 1)...]
            guard
                let start = following.prefix(TextBounds.messageLineCount).firstIndex(where: { self.frame($0) != nil }),
                let title = following.first, start > following.startIndex
            else { continue }
            var frames: [Crash.Frame] = []
            for line in following[start...] {
                guard frames.count < TextBounds.frameCount, let frame = self.frame(line) else { break }
                frames.append(frame)
            }
            let type = title.before(" (") ?? title.before(": ") ?? title
            let isType = type.allSatisfy { $0.isLetter || $0.isDigit || $0 == 0x5f }
            let message = following[..<start].map(\.text).joined(separator: "\n")
            var crash = Crash(
                program: text.origin?.name, process: text.origin?.process,
                cause: Crash.Cause(
                    type: isType ? type.text : "exception",
                    message: isType ? title.after(": ")?.text ?? message : message))
            crash.runtime = Crash.Runtime(name: "Dart")
            crash.threads = [Crash.Thread(isCrashed: true, frames: frames)]
            return TextFinding(crash, format: "dart-exception", subject: "dart", severity: .exception, line: place)
        }
        return nil
    }

    /// `#1      settle (file:///srv/till/bin/till.dart:12:18)`
    private static func frame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard let digits = line.dropping("#")?.leadingDigits, let inner = line.droppingSuffix(")"),
            let opening = inner.lastRange(of: " ("), digits.endIndex <= opening.lowerBound
        else { return nil }
        let place = inner[opening.upperBound...]
        let function = FunctionName.plain(line[digits.endIndex..<opening.lowerBound])
        guard let function, place.contains(UInt8(ascii: ":")) else { return nil }
        let location = SourceLocation(place.dropping("file://") ?? place)
        let isLibrary = place.starts(with: "dart:".utf8) || place.contains("/.pub-cache/")
        return Crash.Frame(
            function: function, file: location?.file, line: location?.line, column: location?.column,
            isOwn: !isLibrary)
    }
}
