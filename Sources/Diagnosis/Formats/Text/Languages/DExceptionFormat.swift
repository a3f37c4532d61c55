/// An exception that a program in D did not catch.
///
/// ```
/// core.exception.ArrayIndexError@src/till.d(12): index [7] is out of bounds for array of length 3
/// ----------------
/// ??:? _d_arraybounds_indexp [0x55d1c2a1f3b4]
/// src/till.d:12 int till.settle(int) [0x55d1c2a1f910]
/// ```
/// Source: `rt/dmain2.d` and `core/runtime.d` of druntime.
enum DExceptionFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("----------------")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places where place > 0 {
            // The message may have several lines, but none of them is empty.
            let message = text.lines[..<place].suffix(16).reversed().prefix { !$0.isEmpty }
            guard text.lines[place].allSatisfy({ $0 == UInt8(ascii: "-") }),
                let title = message.first(where: { self.title($0) != nil }), let cause = self.title(title)
            else { continue }
            let frames = self.frames(in: text.lines[(place + 1)...])
            guard !frames.isEmpty else { continue }
            var crash = Crash(program: text.origin?.name, process: text.origin?.process, cause: cause)
            crash.runtime = Crash.Runtime(name: "D")
            crash.threads = [Crash.Thread(isCrashed: true, frames: frames)]
            return TextFinding(crash, format: "d-exception", subject: "d", severity: .exception, line: place)
        }
        return nil
    }

    /// `core.exception.ArrayIndexError@src/till.d(12): MESSAGE`
    private static func title(_ line: ArraySlice<UInt8>) -> Crash.Cause? {
        guard let at = line.firstIndex(of: UInt8(ascii: "@")), let end = line[at...].range(of: ")"),
            let opening = line[at..<end.lowerBound].lastRange(of: "("),
            line[opening.upperBound..<end.lowerBound].decimalNumber != nil
        else { return nil }
        let type = line[..<at]
        guard !type.isEmpty, type.allSatisfy({ $0.isLetter || $0.isDigit || $0 == 0x2e || $0 == 0x5f }) else {
            return nil
        }
        return Crash.Cause(type: type.text, message: line[end.upperBound...].dropping(": ")?.text)
    }

    /// `src/till.d:12 int till.settle(int) [0x55d1c2a1f910]`
    private static func frames(in lines: ArraySlice<ArraySlice<UInt8>>) -> [Crash.Frame] {
        var frames: [Crash.Frame] = []
        for line in lines.prefix(TextBounds.frameCount) {
            guard let inner = line.droppingSuffix("]"), let bracket = inner.lastRange(of: " [0x"),
                let blank = inner.firstIndex(of: 0x20), blank <= bracket.lowerBound
            else { break }
            let location = SourceLocation(inner[..<blank])
            let function = FunctionName.plain(inner[blank..<bracket.lowerBound])
            frames.append(
                Crash.Frame(
                    function: function, file: location?.file, line: location?.line,
                    address: inner[bracket.upperBound...].hexNumber,
                    isOwn: location != nil && self.isOwn(file: location?.file ?? "", function: function ?? "")))
        }
        return frames
    }

    private static func isOwn(file: String, function: String) -> Bool {
        let path = Array(file.utf8)[...]
        return !path.contains("/druntime/") && !path.contains("/phobos/") && !path.contains("/.dub/")
            && !["_d_", "rt.", "core."].contains { function.hasPrefix($0) }
    }
}
