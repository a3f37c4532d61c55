/// An error that ended a PHP script, on standard error or in an error log.
///
/// ```
/// PHP Fatal error:  Uncaught TypeError: Cart::add(): Argument #1 ($item) must be of type Item in /srv/src/Cart.php:18
/// Stack trace:
/// #0 /srv/shop/public/index.php(44): Cart->add()
/// #1 {main}
///   thrown in /srv/src/Cart.php on line 18
/// ```
/// Without `PHP `, and with one blank behind the colon, the line was meant for the reader of a page. A log writes a time
/// in brackets before it. Errors that are no exceptions have one line: `MESSAGE in FILE on line NUMBER`.
/// Source: `php_error_cb` in `main/main.c` and `zend_exception_error` in `Zend/zend_exceptions.c`.
enum PHPErrorFormat: TextFormat {
    private static let types = ["Fatal error", "Parse error", "Recoverable fatal error", "Catchable fatal error"]

    static let marks: [LineMark] =
        types.flatMap { [.beginning("PHP \($0): "), .beginning("\($0): "), .containing(": PHP \($0): ")] }
        + [.beginning("[")]

    static let words = ["Fatal error: ", "Parse error: ", "fatal error: "]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        for place in places.reversed() {
            guard let (type, message) = self.error(in: text.lines[place]) else { continue }
            if let crash = self.crash(type, message, at: place, in: text.lines) { return crash.finding(in: text) }
        }
        return nil
    }

    private static func crash(
        _ type: String, _ message: ArraySlice<UInt8>, at place: Int, in lines: [ArraySlice<UInt8>]
    ) -> RuntimeCrash? {
        guard let exception = message.dropping("Uncaught ") else { return self.error(message, type: type, at: place) }
        // Apache writes all lines of a message as one.
        guard exception.contains("\\nStack trace:\\n") else {
            return self.exception(exception, type: type, at: place, behind: lines[(place + 1)...])
        }
        let parts = exception.lines(separatedBy: "\\n")
        return self.exception(parts.first ?? [], type: type, at: place, behind: parts.dropFirst())
    }

    /// The type of the error and what is said about it.
    private static func error(in line: ArraySlice<UInt8>) -> (type: String, message: ArraySlice<UInt8>)? {
        let isLogged = line.first == UInt8(ascii: "[") || line.contains("PHP message: ")
        for type in self.types {
            if let message = line.dropping("PHP \(type): ") ?? line.dropping("\(type): ") {
                return (type, message.trimmed)
            }
            guard isLogged, let range = line.prefix(512).range(of: "PHP \(type): ") else { continue }
            return (type, line[range.upperBound...].trimmed)
        }
        return nil
    }

    /// An error that is no exception; its only frame is the place.
    private static func error(_ message: ArraySlice<UInt8>, type: String, at index: Int) -> RuntimeCrash? {
        guard let (message, place) = self.splitting(message, at: " on line ") else { return nil }
        return self.crash(Crash.Cause(type: type, message: message.text), frames: [place], at: index)
    }

    private static func crash(
        _ cause: Crash.Cause, earlier: [Crash.Cause] = [], frames: [Crash.Frame], at index: Int
    ) -> RuntimeCrash {
        RuntimeCrash(
            format: "php-error", subject: "php", runtime: Crash.Runtime(name: "PHP"), cause: cause,
            earlierCauses: earlier, threads: [Crash.Thread(isCrashed: true, frames: frames)], line: index)
    }

    /// Takes ` in FILE:LINE` or ` in FILE on line LINE` off the end of a message.
    private static func splitting(
        _ text: ArraySlice<UInt8>, at separator: String
    ) -> (message: ArraySlice<UInt8>, place: Crash.Frame)? {
        guard let number = text.lastRange(of: separator), let line = text[number.upperBound...].decimalNumber,
            let file = text[..<number.lowerBound].lastRange(of: " in ")
        else { return nil }
        let path = text[file.upperBound..<number.lowerBound].text
        let isOwn = PHPStack.isOwn(file: path)
        let message = text[..<file.lowerBound]
        // An error of types names the caller as well: `called in FILE on line NUMBER and defined in FILE:LINE`.
        return (message.droppingSuffix(" and defined") ?? message, Crash.Frame(file: path, line: line, isOwn: isOwn))
    }

    // MARK: - Exceptions

    /// The exception that begins on a line, and those that it was thrown for. The last one printed is the one that
    /// nobody caught; it follows the others behind `Next `.
    private static func exception(
        _ first: ArraySlice<UInt8>, type: String, at index: Int, behind lines: ArraySlice<ArraySlice<UInt8>>
    ) -> RuntimeCrash? {
        var exceptions: [RaisedException] = []
        var title = first
        var next = lines.startIndex
        while exceptions.count <= Crash.Bounds.earlierCauseCount {
            guard let exception = self.exception(title, behind: &next, in: lines) else { break }
            exceptions.append(exception)
            guard let following = lines[next...].prefix(2).firstIndex(where: { $0.starts(with: "Next ".utf8) }) else {
                break
            }
            title = lines[following].dropFirst(5)
            next = following + 1
        }
        guard let last = exceptions.last else {
            // Without a stack the line has the form of the other errors.
            return self.error(first, type: type, at: index)
        }
        return self.crash(
            last.cause, earlier: exceptions.dropLast().reversed().map(\.cause), frames: last.frames, at: index)
    }

    /// Reads `CLASS: MESSAGE in FILE:LINE`, where the message may have several lines, and the stack behind it.
    private static func exception(
        _ title: ArraySlice<UInt8>, behind next: inout Int, in lines: ArraySlice<ArraySlice<UInt8>>
    ) -> RaisedException? {
        let rest = lines[next...].prefix(RaisedException.maximumLineCount)
        guard let stack = rest.firstIndex(where: { $0.elementsEqual("Stack trace:".utf8) }) else { return nil }
        let isOneLine = stack == next
        guard let (end, place) = self.splitting(isOneLine ? title : lines[stack - 1], at: ":") else { return nil }
        let begin = isOneLine ? end : title
        let type = begin.className(separators: "\\")
        guard !type.isEmpty else { return nil }
        let message = begin[type.endIndex...]
        guard message.isEmpty || message.starts(with: ": ".utf8) else { return nil }
        var exception = RaisedException(type: type.text, message: message.dropFirst(2).text.nonEmpty)
        if !isOneLine {
            for line in lines[next..<stack - 1] { exception.add(line) }
            exception.add(end)
        }
        let calls = lines[(stack + 1)...].prefix { $0.first == UInt8(ascii: "#") }
        guard !calls.isEmpty else { return nil }
        exception.frames = PHPStack.frames(calls, innermost: place)
        next = calls.endIndex
        return exception
    }
}

extension ArraySlice<UInt8> {
    /// The parts between the occurrences of a separator.
    fileprivate func lines(separatedBy separator: String) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        var rest = self
        while let end = rest.range(of: separator) {
            parts.append(rest[..<end.lowerBound])
            rest = rest[end.upperBound...]
        }
        return parts + [rest]
    }
}
