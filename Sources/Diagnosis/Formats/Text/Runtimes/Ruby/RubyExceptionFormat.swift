/// An exception of a Ruby program that nobody caught.
///
/// ```
/// /srv/shop/lib/ledger.rb:41:in `fetch': key not found: :total (KeyError)
///         from /srv/shop/lib/ledger.rb:41:in `post'
///         from /srv/shop/bin/till:9:in `<main>'
/// ```
/// A cause follows in the same form. On terminals Ruby 2.5 to 2.7 wrote the lines in the opposite order, numbered, and
/// the exception last. Source: `rb_error_write` in `eval_error.c`.
enum RubyExceptionFormat: TextFormat {
    static let marks: [LineMark] = [.containing(":in `"), .containing(":in '"), .containing("(SyntaxError)")]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        var worst: Report?
        var last: Report?
        for place in places where place >= last?.lines.upperBound ?? 0 {
            guard var report = self.report(at: place, in: text.lines) else { continue }
            if let known = last, known.lines.upperBound == report.lines.lowerBound {
                report.join(known)
            } else {
                worst = self.worse(of: worst, last, in: text)
            }
            last = report
        }
        return self.worse(of: worst, last, in: text)?.finding(in: text)
    }

    /// The one of two reports that tells more: the later one, unless only the earlier one is a crash.
    private static func worse(of earlier: Report?, _ later: Report?, in text: CapturedText) -> Report? {
        guard var later else { return earlier }
        later.isCrash = !LogSurroundings(lines: text.lines).showSurvival(of: later.lines)
        return !later.isCrash && earlier?.isCrash == true ? earlier : later
    }

    /// An exception with those that it has to do with.
    private struct Report {
        var exceptions: [RaisedException]
        var lines: Range<Int>
        /// Whether the outermost caller stands first.
        let isReversed: Bool
        var isCrash = true

        /// Takes in the exception that stands right before this one.
        mutating func join(_ other: Report) {
            guard let first = self.exceptions.first, other.exceptions.count <= Crash.Bounds.earlierCauseCount else {
                return
            }
            self.lines = other.lines.lowerBound..<self.lines.upperBound
            // What ended a thread is raised again by whoever waits for the thread.
            let isSame = other.exceptions.first?.cause == first.cause
            if self.isReversed {
                self.exceptions += isSame ? [] : other.exceptions
            } else {
                self.exceptions = other.exceptions + (isSame ? [] : self.exceptions)
            }
        }

        func finding(in text: CapturedText) -> TextFinding? {
            guard let exception = self.exceptions.first else { return nil }
            return RuntimeCrash(
                format: "ruby-exception", subject: "ruby", runtime: Crash.Runtime(name: "Ruby"),
                cause: exception.cause, earlierCauses: self.exceptions.dropFirst().map(\.earlierCause),
                threads: [Crash.Thread(isCrashed: true, frames: exception.frames)],
                kind: self.isCrash ? .crash : .diagnostic, line: self.lines.lowerBound
            ).finding(in: text)
        }
    }

    /// The exception whose first line is at an index, with the callers that stand before or behind it.
    private static func report(at place: Int, in lines: [ArraySlice<UInt8>]) -> Report? {
        guard let title = Title(lines[place]) else { return nil }
        var exception = title.exception
        let before = self.callersBefore(place, in: lines)
        var end = place + 1
        if before.isEmpty {
            let message = self.linesOfMessage(from: end, in: lines)
            for line in lines[end..<end + message] where !line.isBlank { exception.add(line) }
            end += message
            while end < lines.count, let caller = self.caller(lines[end]) {
                if let frame = caller.frame { exception.frames.append(frame) }
                end += 1
            }
        } else {
            exception.frames += before.compactMap(\.frame)
        }
        guard exception.frames.count > 1 || title.isComplete else { return nil }
        exception.frames = RubyFrame.withoutBuiltIns(exception.frames)
        return Report(
            exceptions: [exception], lines: place - before.count..<end, isReversed: !before.isEmpty)
    }

    /// How many lines of a message, of code and of suggestions stand before the callers; none without callers.
    private static func linesOfMessage(from start: Int, in lines: [ArraySlice<UInt8>]) -> Int {
        let next = lines[start...].prefix(RaisedException.maximumLineCount)
        return next.firstIndex { self.caller($0) != nil }.map { $0 - start } ?? 0
    }

    private struct Caller {
        /// `nil` for a line that only counts what is left out: `... 10067 levels...`.
        let frame: Crash.Frame?
    }

    /// A caller behind the exception.
    private static func caller(_ line: ArraySlice<UInt8>) -> Caller? {
        guard line.first?.isBlank == true else { return nil }
        let content = line.trimmed
        if content.starts(with: "... ".utf8), content.contains("levels...") { return Caller(frame: nil) }
        guard let place = content.dropping("from ") else { return nil }
        if let frame = RubyFrame(place) { return Caller(frame: frame.frame) }
        return SourceLocation(place).map { location in
            let isOwn = RubyFrame.isOwn(file: location.file)
            return Caller(frame: Crash.Frame(file: location.file, line: location.line, isOwn: isOwn))
        }
    }

    /// The callers before the exception, the innermost first: `        1: from FILE:LINE:in ...`.
    private static func callersBefore(_ place: Int, in lines: [ArraySlice<UInt8>]) -> [Caller] {
        var callers: [Caller] = []
        for line in lines[..<place].reversed() {
            guard line.first == UInt8(ascii: "\t") else { break }
            let content = line.trimmed
            guard let number = content.leadingDigits, let behind = content[number.endIndex...].dropping(": "),
                let caller = self.caller([0x20] + behind)
            else {
                guard content.contains("levels...") else { break }
                callers.append(Caller(frame: nil))
                continue
            }
            callers.append(caller)
        }
        return callers
    }

    /// The first line of an exception: the place, the message and the class.
    private struct Title {
        let exception: RaisedException
        /// Whether no caller need follow: the place is outside of all methods, or in the block of a thread.
        let isComplete: Bool

        init?(_ line: ArraySlice<UInt8>) {
            guard let first = line.first, first > 0x20 else { return nil }
            let (frame, message): (Crash.Frame, ArraySlice<UInt8>)
            if let place = RubyFrame(line), let rest = place.rest.dropping(": ") {
                (frame, message) = (place.frame, rest)
            } else if let end = line.range(of: ": "), let location = SourceLocation(line[..<end.lowerBound]) {
                let isOwn = RubyFrame.isOwn(file: location.file)
                frame = Crash.Frame(file: location.file, line: location.line, isOwn: isOwn)
                message = line[end.upperBound...]
            } else {
                return nil
            }
            guard let exception = Self.exception(message) else { return nil }
            self.exception = RaisedException(type: exception.type, message: exception.message, frames: [frame])
            let function = frame.function ?? "<main>"
            self.isComplete = function.hasPrefix("<") || function.hasPrefix("block ") || function.hasSuffix("<main>")
        }

        /// `MESSAGE (CLASS)`; an exception without a message is `unhandled exception`.
        private static func exception(_ text: ArraySlice<UInt8>) -> RaisedException? {
            if text.elementsEqual("unhandled exception".utf8) { return RaisedException(type: "RuntimeError") }
            guard let inner = text.droppingSuffix(")"), let opening = inner.lastRange(of: " (") else { return nil }
            let type = inner[opening.upperBound...]
            guard let first = type.first, first.isLetter, first & 0x20 == 0, type.className(separators: ":") == type
            else { return nil }
            let message = inner[..<opening.lowerBound]
            return RaisedException(type: type.text, message: message == type ? nil : message.text)
        }
    }
}
