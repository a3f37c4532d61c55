/// A fatal line of a log.
///
/// ```
/// F20260312 12:34:56.789012  1234 ledger.cc:12] Check failed: open                 glog, Abseil
/// [1234:5678:0312/123456.789:FATAL:ledger.cc(12)] Check failed: open.              Chromium
/// ```
struct FailedCheck {
    let cause: Crash.Cause
    /// Where the line was written.
    let frame: Crash.Frame
    private(set) var process: Int64?

    init?(_ line: ArraySlice<UInt8>) {
        guard line.first == UInt8(ascii: "F") || line.first == UInt8(ascii: "["), let end = line.range(of: "] ") else {
            return nil
        }
        let head = line[..<end.lowerBound]
        guard let location = Self.googleLocation(head) ?? Self.chromiumLocation(head) else { return nil }
        let message = line[end.upperBound...].trimmed
        let expression = message.dropping("Check failed: ")
        self.cause = Crash.Cause(
            type: expression == nil ? "FATAL" : "Check failed", message: (expression ?? message).text.nonEmpty,
            signal: "SIGABRT")
        self.frame = Crash.Frame(file: location.file, line: location.line, isOwn: true)
        // Chromium writes the process and the thread in front.
        self.process = head.dropping("[").flatMap { $0.before(":") }?.decimalNumber
    }

    /// `F0312 12:34:56.789012  1234 ledger.cc:12`
    private static func googleLocation(_ head: ArraySlice<UInt8>) -> SourceLocation? {
        guard let rest = head.dropping("F") else { return nil }
        let words = rest.split(whereSeparator: \.isBlank)
        guard words.count == 4, [4, 8].contains(words[0].count), words[0].allSatisfy(\.isDigit),
            words[1].count >= 8, words[1].allSatisfy({ $0.isDigit || $0 == 0x3a || $0 == 0x2e }),
            words[2].allSatisfy(\.isDigit)
        else { return nil }
        return SourceLocation(words[3])
    }

    /// `[1234:5678:0312/123456.789:FATAL:ledger.cc(12)`, or with a colon before the line.
    private static func chromiumLocation(_ head: ArraySlice<UInt8>) -> SourceLocation? {
        guard let place = head.dropping("[FATAL:") ?? head.after(":FATAL:"), head.first == UInt8(ascii: "[") else {
            return nil
        }
        guard let inner = place.droppingSuffix(")"), let opening = inner.lastRange(of: "(") else {
            return SourceLocation(place)
        }
        return SourceLocation((inner[..<opening.lowerBound] + [UInt8(ascii: ":")] + inner[opening.upperBound...])[...])
    }
}
