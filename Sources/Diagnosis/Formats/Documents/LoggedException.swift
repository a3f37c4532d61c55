/// An exception that a program has written to its structured log: a stack in a member of an entry, without the words
/// that a runtime puts before it when nobody caught the exception.
///
/// ```
/// {"level":60,"pid":7,"err":{"type":"Error","stack":"Error: no rate\n    at rate (/srv/app/rates.js:31:5)"},"msg":"end"}
/// {"log.level":"ERROR","error.stack_trace":"java.lang.IllegalStateException: no rate\n\tat com.shop.Till.pay(Till.java:4)"}
/// {"level":"panic","msg":"no rate","stacktrace":"main.rate\n\t/srv/app/rates.go:31\nmain.main\n\t/srv/app/main.go:4"}
/// {"@l":"Fatal","@x":"System.InvalidOperationException: no rate\n   at Shop.Till.Pay() in /src/Till.cs:line 4"}
/// ```
/// A program goes on after most of what it logs, so only an entry of the highest levels tells of its end.
struct LoggedException {
    /// Whether the entry's level is one of those with which programs end.
    let isFatal: Bool
    private let language: Language
    private let exception: RaisedException
    private let earlierCauses: [Crash.Cause]
    private let program: String?
    private let process: Int64?

    private enum Language: String {
        case java = "jvm"
        case javaScript = "node"
        case dotNet = "dotnet"
        case go

        var runtime: String {
            switch self {
            case .java: "Java"
            case .javaScript: "Node.js"
            case .dotNet: ".NET"
            case .go: "Go"
            }
        }
    }

    /// `nil` unless there is the name of an exception, and a frame within the next lines.
    /// - Parameters:
    ///   - stack: the stack's text.
    ///   - entry: the entry that it stands in.
    init?(_ stack: String, in entry: JSONObject) {
        let lines = Array(TextLines(Array(stack.utf8)[...]))
        self.isFatal = Self.isFatal(entry)
        // Bunyan and pino name the host as well; elsewhere such a number may be anything.
        let isOfProcess = entry["hostname"] != nil
        self.program = isOfProcess ? entry.text("name") : nil
        self.process = isOfProcess ? entry["pid"]?.integerValue : nil
        if let frames = Self.frames(ofGo: lines) {
            let level = Self.level(of: entry)?.stringValue?.nonEmpty
            self.exception = RaisedException(
                type: level ?? "error", message: entry.text("msg") ?? entry.text("message"), frames: frames)
            (self.language, self.earlierCauses) = (.go, [])
            return
        }
        let start = lines.prefix(RaisedException.maximumLineCount).firstIndex { Self.language(of: $0) != nil }
        guard let start, start > 0, let language = Self.language(of: lines[start]),
            var exception = JavaScriptStack.title(lines[0]),
            language == .javaScript || exception.type.contains(".")
        else { return nil }
        for line in lines[1..<start] { exception.add(line) }
        exception.frames = lines[start...].frames { Self.frame($0, language) }
        (self.language, self.exception) = (language, exception)
        let causes = lines.lazy.compactMap { $0.dropping("Caused by: ").flatMap(JavaScriptStack.title)?.cause }
        self.earlierCauses = Array(causes.prefix(Crash.Bounds.earlierCauseCount))
    }

    /// The one that ended the program, if one did; of two alike the later one.
    static func worse(_ earlier: LoggedException?, _ later: LoggedException?) -> LoggedException? {
        guard let later else { return earlier }
        return earlier?.isFatal == true && !later.isFatal ? earlier : later
    }

    var diagnosis: Diagnosis {
        var crash = Crash(program: self.program, process: self.process, cause: self.exception.cause)
        crash.earlierCauses = self.earlierCauses
        crash.threads = [Crash.Thread(isCrashed: true, frames: self.exception.frames)]
        crash.runtime = Crash.Runtime(name: self.language.runtime)
        let subject = self.language == .java ? "java" : self.language.rawValue
        return Diagnosis(
            format: "\(self.language.rawValue)-logged", contentType: ContentType.text,
            kind: self.isFatal ? .crash : .diagnostic, summary: crash.summary(subject: subject), crash: crash)
    }

    // MARK: - Stacks

    /// Whose frame a line is. Frames of Java and .NET differ in what is between the parentheses.
    private static func language(of line: ArraySlice<UInt8>) -> Language? {
        guard line.first?.isBlank == true, line.trimmed.starts(with: "at ".utf8) else { return nil }
        if JavaScriptStack.frame(line)?.column != nil { return .javaScript }
        if let frame = JavaStack.frame(line), frame.file != nil || line.contains("(Native Method)") { return .java }
        let isWithPlace = line.contains(":line ") || line.trimmed.last == UInt8(ascii: ")")
        return isWithPlace && DotNetStack.frame(line)?.function?.contains(".") == true ? .dotNet : nil
    }

    private static func frame(_ line: ArraySlice<UInt8>, _ language: Language) -> Crash.Frame? {
        switch language {
        case .java: JavaStack.frame(line)
        case .javaScript: JavaScriptStack.frame(line)
        case .dotNet: DotNetStack.frame(line)
        case .go: nil
        }
    }

    /// The frames of a stack of zap: those of a goroutine, without its first line and without arguments.
    private static func frames(ofGo lines: [ArraySlice<UInt8>]) -> [Crash.Frame]? {
        guard lines.count >= 2, !lines[0].contains(0x20), lines[0].contains("."),
            lines[1].first == UInt8(ascii: "\t"), lines[1].contains(".go:")
        else { return nil }
        let calls = lines.map { $0.first == UInt8(ascii: "\t") ? $0 : $0 + Array("()".utf8) }
        let title = Array("goroutine 1 [running]:".utf8)[...]
        return GoStack.goroutines(in: ([title] + calls)[...], isCrash: true).first?.frames
    }

    // MARK: - Levels

    private static let levels = ["level", "severity", "log.level", "levelname", "Level", "@l", "severity_text"]
    private static let fatal: Set<String> = ["fatal", "panic", "critical", "crit", "alert", "emerg", "emergency"]

    private static func level(of entry: JSONObject) -> JSONValue? {
        self.levels.lazy.compactMap { entry[$0] }.first ?? entry["log"]?["level"]
    }

    /// Bunyan and pino number their levels; the highest one is 60.
    private static func isFatal(_ entry: JSONObject) -> Bool {
        let level = self.level(of: entry)
        return level?.stringValue.map { self.fatal.contains($0.lowercased()) } ?? ((level?.integerValue ?? 0) >= 60)
    }
}
