/// An exception that nobody has caught in an app, as Android's log and its drop box have it.
///
/// ```
/// FATAL EXCEPTION: main
/// Process: com.example.shop, PID: 3144
/// java.lang.IllegalStateException: no till
///         at com.example.shop.Till.open(Till.java:12)
/// Caused by: java.io.FileNotFoundException: till.db
///         at …
/// ```
/// Source: `RuntimeInit.LoggingHandler` of Android's framework.
enum AndroidExceptionFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("FATAL EXCEPTION: "), .beginning("*** FATAL EXCEPTION IN SYSTEM PROCESS: "), .beginning("Flags: 0x"),
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.reversed() {
            let crash =
                text.lines[place].starts(with: "Flags: 0x".utf8)
                ? self.stored(text.lines, at: place) : self.logged(text, at: place)
            guard let crash else { continue }
            return TextFinding(
                diagnosis: Diagnosis(
                    format: "android-exception", contentType: ContentType.text, kind: .crash,
                    summary: crash.summary(subject: "android"), crash: crash),
                severity: .fatal, line: place)
        }
        return nil
    }

    /// The exception behind its title in the log.
    private static func logged(_ text: CapturedText, at place: Int) -> Crash? {
        let title = text.lines[place]
        let thread = title.dropping("FATAL EXCEPTION: ") ?? title.dropping("*** FATAL EXCEPTION IN SYSTEM PROCESS: ")
        var rest = text.lines[(place + 1)...]
        var (program, process): (String?, Int64?) = (nil, text.origin?.process)
        if let title = rest.first?.dropping("Process: ") ?? rest.first?.dropping("PID: ") {
            program = title.before(", PID: ")?.text
            process = title.after(", PID: ")?.leadingDigits?.decimalNumber ?? title.leadingDigits?.decimalNumber
            rest = rest.dropFirst()
        }
        guard let thread, var crash = self.exception(rest, thread: thread.trimmed.text) else { return nil }
        (crash.program, crash.process) = (program, process)
        return crash
    }

    /// The exception in a file of Android's drop box, below its fields and an empty line.
    private static func stored(_ lines: [ArraySlice<UInt8>], at place: Int) -> Crash? {
        let header = lines[max(0, place - 8)..<min(lines.count, place + 16)].prefix { !$0.trimmed.isEmpty }
        let fields = header.fields(["Process", "PID", "Package", "Build"])
        guard let program = fields["Process"], fields["Package"] != nil,
            var crash = self.exception(lines[header.endIndex...].dropFirst(), thread: nil)
        else { return nil }
        (crash.program, crash.process) = (program, fields["PID"].flatMap { Int64($0) })
        crash.version = fields["Package"].flatMap { Array($0.utf8)[...].between("(", ")")?.text }
        crash.system.version = fields["Build"].flatMap { Array($0.utf8)[...].between(":", "/")?.text }
        return crash
    }

    private static func exception(_ lines: ArraySlice<ArraySlice<UInt8>>, thread: String?) -> Crash? {
        var rest = lines
        guard let title = rest.first, var cause = self.cause(title) else { return nil }
        rest = rest.dropFirst()
        // A message may have several lines.
        let more = rest.prefix(32).prefix { JavaStack.frame($0) == nil }
        guard more.endIndex < rest.endIndex, JavaStack.frame(rest[more.endIndex]) != nil else { return nil }
        for line in more { cause.message = Words.join(cause.message, line.text, separator: "\n") }
        rest = rest[more.endIndex...]
        let frames = rest.lazy.map(JavaStack.frame).prefix { $0 != nil }.prefix(4_096).compactMap { $0 }
        var crash = Crash(cause: cause)
        crash.earlierCauses = rest.dropFirst(frames.count).prefix(1_024).prefix {
            JavaStack.frame($0) != nil || $0.starts(with: "Caused by: ".utf8) || $0.first?.isBlank == true
        }.compactMap { $0.dropping("Caused by: ").flatMap(self.cause) }
        let stack = JavaStack.stack(Array(frames), orOfCauseIn: rest.dropFirst(frames.count))
        crash.threads = [Crash.Thread(name: thread, isCrashed: true, frames: stack)]
        crash.system.name = "Android"
        crash.runtime = Crash.Runtime(name: "Java")
        return crash
    }

    /// `CLASS: MESSAGE`, where the class has a package.
    private static func cause(_ line: ArraySlice<UInt8>) -> Crash.Cause? {
        let type = line.prefix { $0 > 0x20 && $0 != UInt8(ascii: ":") }
        guard let first = type.first, first.isLetter, type.contains(UInt8(ascii: ".")) else { return nil }
        return Crash.Cause(type: type.text, message: line[type.endIndex...].dropping(": ")?.text.nonEmpty)
    }
}
