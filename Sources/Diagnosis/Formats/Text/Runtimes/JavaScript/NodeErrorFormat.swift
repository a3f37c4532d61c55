/// An error of a Node.js program that nobody caught.
///
/// ```
/// /srv/shop/cart.js:31
///   return order.lines.reduce((sum, l) => sum + l.price.total, 0);
///                                                      ^
///
/// TypeError: Cannot read properties of undefined (reading 'total')
///     at checkout (/srv/shop/cart.js:31:22)
///
/// Node.js v22.11.0
/// ```
/// The last line is new in Node.js 17. `(node:PROCESS) UnhandledPromiseRejectionWarning: ERROR` is a rejection that a
/// program before Node.js 15 survived. Source: `src/node_errors.cc`.
enum NodeErrorFormat: TextFormat {
    static let marks: [LineMark] = [
        .beginning("    at "), .beginning("Node.js v"), .beginning("(Use `node --trace-uncaught"),
        .beginning("(node:"), .beginning("Uncaught Exception:"),
    ]

    static func read(_ text: CapturedText, at places: [Int]) -> TextFinding? {
        let lines = text.lines[...]
        var worst: RuntimeCrash?
        var end = 0
        // An excerpt and the message stand before the first mark, so not too far from it.
        let start = max(0, (places.first ?? 0) - 2 * RaisedException.maximumLineCount)
        for index in lines[start...].indices where index >= end {
            if let crash = self.uncaught(at: index, in: lines, end: &end)
                ?? self.withoutExcerpt(before: index, in: lines, end: &end)
                ?? self.titled(at: index, in: lines, end: &end)
            {
                worst = crash
            } else if worst?.kind != .crash, let crash = self.warning(at: index, in: lines, end: &end) {
                worst = crash
            }
        }
        return worst?.finding(in: text)
    }

    /// The error whose excerpt of the source code has its caret on a line, or whose version stands behind it.
    private static func uncaught(
        at caret: Int, in lines: ArraySlice<ArraySlice<UInt8>>, end: inout Int
    ) -> RuntimeCrash? {
        guard caret >= 2, lines[caret].isCaretLine, let location = self.location(lines[caret - 2]) else { return nil }
        guard let first = lines[(caret + 1)...].prefix(3).firstIndex(where: { !$0.isBlank }) else { return nil }
        // The excerpt of a worker's error stands between that of the main thread and the message.
        if first + 2 < lines.endIndex, lines[first + 2].isCaretLine, self.location(lines[first]) != nil { return nil }
        guard var error = JavaScriptError(lines[first...]) else { return nil }
        let version = self.version(behind: error.end, in: lines)
        guard !error.error.frames.isEmpty || version != nil else { return nil }
        if let place = JavaScriptStack.call(location) { error.add(place: place) }
        end = error.end
        return self.crash(error, runtime: version, line: caret - 2)
    }

    /// The error before the version, where Node.js has no source code to show.
    private static func withoutExcerpt(
        before index: Int, in lines: ArraySlice<ArraySlice<UInt8>>, end: inout Int
    ) -> RuntimeCrash? {
        guard let version = lines[index].dropping("Node.js v"), version.first?.isDigit == true else { return nil }
        let before = lines[max(end, index - RaisedException.maximumLineCount)..<index]
        end = index + 1
        guard let frame = before.firstIndex(where: { JavaScriptStack.frame($0) != nil }),
            let title = before[..<frame].lastIndex(where: { line in
                JavaScriptStack.title(line)?.type.hasSuffix("Error") == true
            }),
            let error = JavaScriptError(before[title...])
        else { return nil }
        return self.crash(error, runtime: version.prefix { $0 > 0x20 }.text, line: title)
    }

    /// The error behind the title that Electron writes.
    private static func titled(
        at index: Int, in lines: ArraySlice<ArraySlice<UInt8>>, end: inout Int
    ) -> RuntimeCrash? {
        guard lines[index].elementsEqual("Uncaught Exception:".utf8),
            let error = JavaScriptError(lines[(index + 1)...]), !error.error.frames.isEmpty
        else { return nil }
        end = error.end
        return self.crash(error, runtime: nil, line: index)
    }

    /// The version that Node.js writes last, a few lines behind an error; empty where only a hint says who writes.
    private static func version(behind index: Int, in lines: ArraySlice<ArraySlice<UInt8>>) -> String? {
        var version: String?
        for line in lines[index...].prefix(RaisedException.maximumLineCount) {
            if let number = line.dropping("Node.js v") { return number.prefix { $0 > 0x20 }.text }
            if line.starts(with: "(Use `node --trace-uncaught".utf8) { version = "" }
        }
        return version
    }

    /// The `FILE:LINE` over an excerpt.
    private static func location(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let first = line.first, first > 0x20, let location = SourceLocation(line), location.column == nil,
            !location.file.contains(": ")
        else { return nil }
        return line
    }

    /// A rejection that Node.js only warned about.
    private static func warning(
        at index: Int, in lines: ArraySlice<ArraySlice<UInt8>>, end: inout Int
    ) -> RuntimeCrash? {
        guard let rest = lines[index].dropping("(node:"), let process = rest.leadingDigits,
            let title = rest[process.endIndex...].dropping(") UnhandledPromiseRejectionWarning: "),
            let error = JavaScriptError([title] + lines[(index + 1)...].prefix(64)), !error.error.frames.isEmpty
        else { return nil }
        end = index + error.end
        var crash = self.crash(error, runtime: nil, line: index)
        crash.process = process.decimalNumber
        crash.kind = .diagnostic
        return crash
    }

    private static func crash(_ error: JavaScriptError, runtime version: String?, line: Int) -> RuntimeCrash {
        RuntimeCrash(
            format: "node-uncaught", subject: "node",
            runtime: Crash.Runtime(name: "Node.js", version: version?.nonEmpty), cause: error.error.cause,
            earlierCauses: error.causes,
            threads: [Crash.Thread(isCrashed: true, frames: error.error.frames)], line: line)
    }
}
