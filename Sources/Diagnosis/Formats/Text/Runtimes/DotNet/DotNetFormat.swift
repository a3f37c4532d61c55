/// The end of a .NET process: an exception that nobody caught, a failure that the program declared, a stack overflow.
///
/// ```
/// Unhandled exception. System.AggregateException: One or more errors occurred. (…)
///  ---> System.NullReferenceException: Object reference not set to an instance of an object.
///    at Stock.Ledger.Post(Entry entry) in /src/Stock/Ledger.cs:line 88
///    --- End of inner exception stack trace ---
///    at Stock.Program.Main(String[] args) in /src/Stock/Program.cs:line 24
/// ```
/// Other titles are `Unhandled Exception: ` (.NET Core 2, .NET Framework, Mono), `Process terminated. `,
/// `Fatal error. ` and `Stack overflow.`. Source: `src/coreclr/vm/eepolicy.cpp` and `excep.cpp` of the runtime.
enum DotNetFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("Unhandled exception. "), .beginning("Unhandled Exception:"), .beginning("Process terminated."),
        .beginning("Fatal error. "), .beginning("Stack overflow."),
        .beginning("[ERROR] FATAL UNHANDLED EXCEPTION: "),
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.reversed() {
            guard let (title, behind) = self.title(at: place, in: text.lines),
                let report = Report(title, behind: behind, in: text.lines)
            else { continue }
            return RuntimeCrash(
                format: "dotnet-unhandled", subject: "dotnet", runtime: Crash.Runtime(name: ".NET"),
                cause: report.cause.cause, earlierCauses: report.causes,
                threads: [Crash.Thread(isCrashed: true, frames: report.frames)], line: place
            ).finding(in: text)
        }
        return nil
    }

    /// The exception in the title, and the index of the first line behind it.
    private static func title(
        at place: Int, in lines: [ArraySlice<UInt8>]
    ) -> (exception: RaisedException, behind: Int)? {
        let line = lines[place]
        for title in ["Unhandled exception. ", "Unhandled Exception: ", "[ERROR] FATAL UNHANDLED EXCEPTION: "] {
            if let text = line.dropping(title) { return self.exception(text).map { ($0, place + 1) } }
        }
        if line.elementsEqual("Unhandled Exception:".utf8), place + 1 < lines.count {
            // Mono and .NET Framework begin a new line.
            return self.exception(lines[place + 1]).map { ($0, place + 2) }
        }
        if let text = line.dropping("Fatal error. ") {
            let exception = self.exception(text)
            return (exception ?? RaisedException(type: "Fatal error", message: text.trimmed.text), place + 1)
        }
        if let text = line.dropping("Process terminated.") {
            return (RaisedException(type: "Process terminated", message: text.trimmed.text.nonEmpty), place + 1)
        }
        guard line.trimmed.elementsEqual("Stack overflow.".utf8) else { return nil }
        return (RaisedException(type: "Stack overflow"), place + 1)
    }

    /// `CLASS: MESSAGE`; a class has a namespace, or a name that tells what it is.
    fileprivate static func exception(_ text: ArraySlice<UInt8>) -> RaisedException? {
        let type = text.className(separators: ".+`")
        let rest = text[type.endIndex...]
        guard !type.isEmpty, rest.isBlank || rest.starts(with: ": ".utf8) || rest.elementsEqual(":".utf8),
            type.contains(UInt8(ascii: ".")) || type.droppingSuffix("Exception") != nil
        else { return nil }
        return RaisedException(type: type.text, message: rest.dropFirst(2).text.nonEmpty)
    }

    /// The lines behind a title: the inner exceptions, and one stack that goes through all of them.
    private struct Report {
        private(set) var cause: RaisedException
        private(set) var causes: [Crash.Cause] = []
        private(set) var frames: [Crash.Frame] = []

        /// `nil` without a frame, unless the text ends behind an exception.
        init?(_ title: RaisedException, behind start: Int, in lines: [ArraySlice<UInt8>]) {
            self.cause = title
            var linesOfMessage = 0
            var end = start
            for line in lines[start...] {
                if let frame = DotNetStack.frame(line) {
                    self.frames.append(frame)
                } else if let inner = line.dropping(" ---> ") {
                    self.add(inner)
                } else if !self.isNote(line) {
                    // The other lines belong to messages, which end where the stack begins.
                    linesOfMessage += 1
                    guard self.frames.isEmpty, linesOfMessage <= RaisedException.maximumLineCount else { break }
                    if self.causes.isEmpty, !line.isBlank { self.cause.add(line) }
                }
                end += 1
            }
            let isCut = end == lines.count && linesOfMessage == 0 && title.type.utf8.contains(UInt8(ascii: "."))
            guard !self.frames.isEmpty || isCut else { return nil }
        }

        /// Adds an inner exception: ` ---> CLASS: MESSAGE`, or ` ---> (Inner Exception #1) CLASS: MESSAGE`.
        private mutating func add(_ inner: ArraySlice<UInt8>) {
            let numbered = inner.dropping("(Inner Exception #")?.after(") ")
            guard let exception = DotNetFormat.exception(numbered ?? inner), !self.causes.contains(exception.cause)
            else {
                return
            }
            self.causes.append(exception.cause)
        }

        /// Lines of dashes, between which repeated frames stand, and notes in the stack.
        private func isNote(_ line: ArraySlice<UInt8>) -> Bool {
            let content = line.trimmed
            return content.starts(with: "--- End of ".utf8) || content.starts(with: "---------".utf8)
                || content.elementsEqual("<---".utf8) || line.starts(with: "Repeat".utf8) && line.contains(" times:")
        }
    }
}
