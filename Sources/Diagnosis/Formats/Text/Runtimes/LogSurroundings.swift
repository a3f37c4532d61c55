/// What the lines around an exception tell: whether a program has logged it and went on, or a manual shows it.
///
/// Loggers print an exception that was caught exactly as a runtime prints one that was not. They print a record before
/// it, and a program that lives prints further records behind it.
struct LogSurroundings {
    let lines: [ArraySlice<UInt8>]

    /// How many lines behind an exception are looked at.
    private static let lineCount = 20

    /// Whether an error was logged with the exception in the range, and the log goes on as if nothing had ended.
    func showSurvival(of exception: Range<Int>) -> Bool {
        guard let record = self.lineBefore(exception.lowerBound), Self.isOfFailure(record),
            // A program's own handler for what nobody caught may use the log too.
            !record.contains("nhandled"), !record.contains("ncaught")
        else { return false }
        let next = self.lines[min(exception.upperBound, self.lines.count)...].prefix(Self.lineCount)
        return next.contains { Self.isRecord($0) || $0.prefix(512).contains(" HTTP/1.") }
            && !next.contains { line in Self.endings.contains { line.contains($0) } }
    }

    /// Whether an interactive session, the command of an example, the fence around one, or the title above the output
    /// of a test precedes the line.
    func showManual(before index: Int) -> Bool {
        guard let line = self.lineBefore(index)?.drop(while: { $0 == 0x20 }) else { return false }
        if Self.beginningsOfExamples.contains(where: { line.starts(with: $0.utf8) }) { return true }
        // pytest shows what a test has written; the test caught it, or tells of it itself.
        if line.first == UInt8(ascii: "-"), line.contains(" Captured ") { return true }
        // Python continues a statement behind dots.
        let session = self.lines[max(0, index - Self.lineCount)..<index].reversed()
        let statement = session.drop { $0.starts(with: "...".utf8) }
        return statement.first?.starts(with: ">>> ".utf8) == true
    }

    /// The nearest line before an index that is not blank; only a few lines are looked at.
    func lineBefore(_ index: Int) -> ArraySlice<UInt8>? {
        guard self.lines.indices.contains(index - 1) else { return nil }
        return self.lines[max(0, index - 3)..<index].last { !$0.isBlank }
    }

    private static let beginningsOfExamples = [">>> ", "```", "$ ", "In [", ".. code", "iex>", "iex(", "irb("]

    /// Words of servers about a process that ends.
    private static let endings = ["exiting", "Exiting", "hutting down", "exited", "terminated", "Stopping", "Stopped"]

    /// Whether the line is a record about a failure: by its level, or by its words.
    private static func isOfFailure(_ line: ArraySlice<UInt8>) -> Bool {
        switch self.level(of: line) {
        case .error: true
        case .other: self.wordsOfFailures.contains { line.contains($0) }
        case nil: false
        }
    }

    private static let wordsOfFailures = ["ail", "rror", "xception", "ould not", "nable to", "etry", "gnoring"]

    /// Whether the line is a record of a logger: whether it has a level.
    static func isRecord(_ line: ArraySlice<UInt8>) -> Bool { self.level(of: line) != nil }

    private enum Level {
        case error
        case other
    }

    private static let levels: [String: Level] = [
        "error": .error, "critical": .error, "fatal": .error, "exception": .error, "severe": .error, "warning": .error,
        "warn": .error, "crit": .error, "err": .error, "debug": .other, "info": .other, "notice": .other,
        "trace": .other,
    ]

    /// The level of a log record: a word in capitals, or one behind `[`, `=` or a quotation mark.
    private static func level(of line: ArraySlice<UInt8>) -> Level? {
        var rest = line.prefix(120)
        while let start = rest.firstIndex(where: \.isLetter) {
            let word = rest[start...].prefix(while: \.isLetter)
            let before = start > rest.startIndex ? rest[start - 1] : 0
            rest = rest[word.endIndex...]
            let isMarked = before == UInt8(ascii: "[") || before == UInt8(ascii: "=") || before == UInt8(ascii: "\"")
            guard (3...9).contains(word.count), isMarked || word.allSatisfy({ $0 & 0x20 == 0 }) else { continue }
            if let level = self.levels[String(decoding: word.map { $0 | 0x20 }, as: UTF8.self)] { return level }
        }
        return nil
    }
}
