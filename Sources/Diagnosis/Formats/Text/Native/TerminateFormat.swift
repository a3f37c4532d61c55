/// The end of a C++ program by `std::terminate`, mostly because nobody caught an exception.
///
/// ```
/// terminate called after throwing an instance of 'std::out_of_range'
///   what():  map::at: no such currency
/// libc++abi: terminating due to uncaught exception of type std::out_of_range: map::at: no such currency
/// ```
/// Source: `vterminate.cc` and `pure.cc` of libstdc++, `cxa_default_handlers.cpp` of libc++abi.
enum TerminateFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("terminate called "), .beginning("libc++abi"), .beginning("pure virtual method called"),
        .beginning("deleted virtual method called"),
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places {
            guard let cause = self.cause(text.lines[place...]) else { continue }
            let crash = Crash(program: text.origin?.name, process: text.origin?.process, cause: cause)
            return TextFinding(crash, format: "cpp-terminate", line: place)
        }
        return nil
    }

    /// The cause, if the first of some lines is such a message.
    static func cause(_ lines: ArraySlice<ArraySlice<UInt8>>) -> Crash.Cause? {
        guard let line = lines.first else { return nil }
        if let words = line.dropping("terminate called ") { return self.gnuCause(words, lines.dropFirst()) }
        if line.starts(with: "libc++abi".utf8), let words = line.after(": ") { return self.llvmCause(words) }
        for words in ["pure virtual method called", "deleted virtual method called"]
        where line.elementsEqual(words.utf8) {
            return Crash.Cause(type: words, signal: "SIGABRT")
        }
        return nil
    }

    private static func gnuCause(
        _ words: ArraySlice<UInt8>, _ lines: ArraySlice<ArraySlice<UInt8>>
    ) -> Crash.Cause? {
        if let type = words.dropping("after throwing an instance of '")?.droppingSuffix("'") {
            let message = self.what(lines) ?? "terminate called \(words.text)"
            return Crash.Cause(type: type.text, message: message, signal: "SIGABRT")
        }
        for reason in ["without an active exception", "recursively"] where words.elementsEqual(reason.utf8) {
            return Crash.Cause(type: "terminate", message: "called \(reason)", signal: "SIGABRT")
        }
        return nil
    }

    /// `  what():  MESSAGE`. More lines of the message are not told from what follows, unless a shell ends them.
    private static func what(_ lines: ArraySlice<ArraySlice<UInt8>>) -> String? {
        guard let first = lines.first?.dropping("  what():  ") else { return nil }
        let more = lines.dropFirst().prefix(TextBounds.messageLineCount)
        guard let end = more.firstIndex(where: { ShellWords.death(in: $0) != nil }) else { return first.text }
        return ([first] + more[..<end]).map(\.text).joined(separator: "\n")
    }

    private static func llvmCause(_ words: ArraySlice<UInt8>) -> Crash.Cause? {
        if words.starts(with: "Pure virtual function called".utf8) {
            return Crash.Cause(type: "pure virtual method called", signal: "SIGABRT")
        }
        guard words.starts(with: "terminat".utf8) else { return nil }
        let mark = " uncaught exception of type "
        guard let exception = words.after(mark) else {
            return Crash.Cause(type: "terminate", message: words.text, signal: "SIGABRT")
        }
        let type = exception.range(of: ": ").map { exception[..<$0.lowerBound] } ?? exception
        return Crash.Cause(type: type.text, message: exception.after(": ")?.text, signal: "SIGABRT")
    }
}
