/// What a Swift program that crashed wrote to standard error: its last words, then the backtracer's.
///
/// The message of a `fatalError` is nowhere else.
enum SwiftErrorOutputFormat {
    static func recognize(_ head: PayloadHead) -> Recognition? {
        var lines = head.lines
        var lastWords: ArraySlice<UInt8>?
        var fatalError: ArraySlice<UInt8>?
        while let line = lines.next() {
            if let signal = self.signal(in: line) {
                let crash = SwiftTextCrash(SwiftTextFormat.plainLines(of: lines.rest))
                let reason = (fatalError ?? lastWords)?.text ?? SignalName.linux(signal)
                return Recognition(
                    format: "swift-stderr", contentType: ContentType.text, kind: .crash,
                    summary: (crash.program.map { "\($0): " } ?? "") + reason + crash.place)
            }
            let words = line.trimmed
            guard !words.isEmpty else { continue }
            lastWords = words
            if words.contains("Fatal error:") { fatalError = words }
        }
        return nil
    }

    /// The number in the backtracer's first line: `*** Signal 4: Backtracing from 0x…`
    private static func signal(in line: ArraySlice<UInt8>) -> Int? {
        guard SwiftTextFormat.marks.contains(where: { line.starts(with: $0.utf8) }),
            let rest = line.after("Signal "), let number = rest.leadingDigits,
            rest[number.endIndex...].starts(with: ": Backtracing from".utf8)
        else { return nil }
        return Int(number.text)
    }
}
