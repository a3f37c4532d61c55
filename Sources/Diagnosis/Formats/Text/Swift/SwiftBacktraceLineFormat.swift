/// A crash report in JSON of Swift's own backtracer among the lines of standard error, where the backtracer writes it
/// unless it is told a file.
///
/// ```
/// shop/main.swift:12: Fatal error: ledger is closed
///
/// *** Signal 4: Backtracing from 0x7f5f182f9361... done ***
///
/// { "timestamp": "2026-11-22T11:13:03.038846Z", "kind": "crashReport", "description": "Illegal instruction", … }
/// ```
/// The message of a `fatalError` stands in the lines before it and nowhere else.
enum SwiftBacktraceLineFormat: TextFormat {
    static let marks: [LineMark] = [.beginning("{ \"timestamp\": \"")]

    /// How many lines before the report may have the message.
    private static let maximumLineCount = 32

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.reversed() {
            let prefix = JSONValue.parsePrefix(text.lines[place])
            guard let root = prefix.value?.objectValue,
                var report = SwiftBacktraceReport(
                    root, images: root["images"]?.arrayValue ?? [], name: PayloadName([]))
            else { continue }
            report.crash.program = report.crash.program ?? text.origin?.name
            report.crash.process = report.crash.process ?? text.origin?.process
            let message = self.message(before: place, in: text.lines)
            if let message { (report.crash.cause.type, report.crash.cause.message) = message }
            let crash = report.crash
            return TextFinding(
                diagnosis: Diagnosis(
                    format: "swift-stderr", contentType: ContentType.text, kind: .crash,
                    summary: message == nil ? report.summary : crash.summary(subject: "swift"), crash: crash),
                severity: .fatal, line: place)
        }
        return nil
    }

    /// What the runtime said last: `FILE:LINE: Fatal error: MESSAGE`, with or without the place.
    private static func message(
        before place: Int, in lines: [ArraySlice<UInt8>]
    ) -> (type: String, message: String)? {
        for line in lines[..<place].suffix(self.maximumLineCount).reversed() {
            for type in ["Fatal error", "Precondition failed", "Assertion failed"] {
                guard let range = line.range(of: type) else { continue }
                let location = line[..<range.lowerBound]
                let isBehindPlace = location.droppingSuffix(": ").flatMap { SourceLocation($0) } != nil
                guard location.isEmpty || isBehindPlace, let rest = line[range.upperBound...].dropping(": ") else {
                    continue
                }
                return (type, rest.text)
            }
        }
        return nil
    }
}
